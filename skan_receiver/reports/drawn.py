"""Estimates as reports read them: joint draws of the runs that stand, summed as asked.

Draw k of all sums belongs together, so a sum's interval is that of the sums of draws. What two
runs drew (two windows, two apps) is taken to be independent.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, select

from skan_receiver.reports.filters import Filters
from skan_receiver.reports.period import DAY, WEEK, Period
from skan_receiver.reports.question import Question
from skan_receiver.storage.estimates import BY_WEEK, DRAW, RUN, drawn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.9

NOT_YET = "not estimated yet: the worker does that, or `skan-receiver estimate`"
NO_LIBRARY = "estimates need numpy and scipy: pip install 'skan-receiver[analytics]'"

Pair = tuple[int, int]  # app, window
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """What a sum is estimated to be: `low` to `high` with a chance of 90 %."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `estimate_run`, as far as reports tell of it."""

    app_id: int
    window: int
    currency: str
    start: datetime
    end: datetime
    is_all: bool
    made_at: datetime
    draws: int
    why_not: str
    sensitivity: float | None

    @property
    def pair(self) -> Pair:
        return self.app_id, self.window

    def gap(self, period: Period) -> str | None:
        """Why it does not speak of all of a period; None where it does."""
        if period.start < self.start and not self.is_all:
            return f"estimated from {self.start:%Y-%m-%d} on; SKAN_ESTIMATE_DAYS has more"
        return None


@dataclass(slots=True)
class Sum:
    """Draws added up, and how many postbacks they are of."""

    postbacks: int = 0
    draws: "NDArray[np.float64] | float" = 0.0

    def interval(self) -> Interval:
        """Of the sums of draws."""
        import numpy as np

        tail = (1 - LEVEL) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        return Interval(*(round(float(n), 6) for n in (np.mean(self.draws), low, high)))


@dataclass(frozen=True, slots=True)
class _Stored:
    run: Run
    network: str
    source: str
    postbacks: bytes
    drawn: bytes


@dataclass(frozen=True)
class Estimates:
    """The standing runs of one kind, and their draws in one grain."""

    grain: str
    runs: tuple[Run, ...]
    rows: tuple[_Stored, ...] = field(repr=False)

    @classmethod
    def load(cls, connection: Connection, what: str, question: Question, grain: str) -> "Estimates":
        """Those that a question is about. One statement, for it sees one moment."""
        asked = question.filters
        networks = Filters(ad_network_id=asked.ad_network_id).conditions(DRAW)
        joined = RUN.outerjoin(
            DRAW, and_(DRAW.c.run_id == RUN.c.id, DRAW.c.grain == grain, *networks)
        )
        of_run = Filters(app_id=asked.app_id, window=asked.window).conditions(RUN)
        wanted = (
            select(RUN, *(column.label(f"draw_{column.name}") for column in DRAW.c))
            .select_from(joined)
            .where(RUN.c.stands, RUN.c.what == what, *of_run)
            .order_by(RUN.c.id)
        )
        runs: dict[int, Run] = {}
        rows = []
        for row in connection.execute(wanted):
            run = runs.get(row.id) or runs.setdefault(row.id, _run(row))
            if row.draw_run_id is not None:
                whose = row.draw_ad_network_id, row.draw_source_digits
                rows.append(_Stored(run, *whose, row.draw_postbacks, row.draw_drawn))
        return cls(grain, tuple(runs.values()), tuple(rows))

    @cached_property
    def by_pair(self) -> dict[Pair, list[Run]]:
        """The runs of each app and window."""
        found: defaultdict[Pair, list[Run]] = defaultdict(list)
        for run in self.runs:
            found[run.pair].append(run)
        return dict(found)

    def sums(self, by: Sequence[str], period: Period) -> dict[tuple[Key, str], Sum]:
        """By group and currency: what was drawn of the whole days (or weeks) of a period."""
        found: defaultdict[tuple[Key, str], Sum] = defaultdict(Sum)
        if not is_readable():
            return {}
        for row in self.rows:
            counts, draws = drawn(row, row.run.draws)
            for key, steps in self._groups(row, by, period, len(counts)):
                sum_ = found[key, row.run.currency]
                sum_.postbacks += int(counts[steps].sum())
                sum_.draws = sum_.draws + draws[steps].sum(axis=0, dtype="f8")
        return dict(found)

    def _groups(
        self, row: _Stored, by: Sequence[str], period: Period, steps: int
    ) -> Iterator[tuple[Key, slice]]:
        """The groups that a row belongs to, each with the steps that do."""
        length = WEEK if self.grain == BY_WEEK else DAY
        first = max(0, (period.start - row.run.start) // length)
        last = min(steps, -((row.run.start - period.end) // length))
        whose = {
            "app_id": row.run.app_id,
            "window": row.run.window,
            "ad_network_id": row.network,
            "source_digits": row.source or None,
        }
        if "day" not in by:
            if first < last:
                yield tuple(whose[name] for name in by), slice(first, last)
            return
        for step in range(first, last):
            day = (row.run.start + step * DAY).date()
            yield tuple({"day": day, **whose}[name] for name in by), slice(step, step + 1)


def _run(row: Any) -> Run:
    names = ("app_id", "window", "currency", "start", "end", "is_all", "made_at", "draws")
    told = json.loads(row.settings).get("sensitivity")
    fields = {name: getattr(row, name) for name in names}
    return Run(**fields, why_not=row.why_not, sensitivity=told)


def whole_days(question: Question) -> Question:
    """Of UTC days: those with the dates of the period, from the first to the last it touches."""
    return question.but(period=question.period.dates)


def whole_weeks(question: Question) -> Question:
    """Of weeks from Monday to Sunday: those that the period touches."""
    days = question.period.dates
    start = days.start - days.start.weekday() * DAY
    return question.but(period=Period(start, start - ((start - days.end) // WEEK) * WEEK))


def is_readable() -> bool:
    """Whether draws can be read here."""
    return find_spec("numpy") is not None


def not_yet() -> str:
    """Why nothing was estimated, as far as it can be seen from here."""
    return NO_LIBRARY if not (is_readable() and find_spec("scipy")) else NOT_YET


def told(reasons: Iterable[tuple[Pair, str]], words: Callable[[Pair], str]) -> str:
    """Why there is no estimate, each reason once, with the first it is true of."""
    of: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair, why in reasons:
        of[why].append(pair)
    return "; ".join(
        f"{words(pairs[0])}{f' and {len(pairs) - 1} more' if len(pairs) > 1 else ''}: {why}"
        for why, pairs in of.items()
    )


def unsplit(question: Question) -> str | None:
    """Why nothing is estimated of what a question filters by; None where it can be."""
    names = ("framework", "version", "verdict")
    given = [name for name in names if getattr(question.filters, name) is not None]
    if question.filters.counted is False:  # they are of what counts
        given.append("counted")
    return f"estimates are not split by {given[0]}" if given else None
