"""Revenue of installs by Apple's windows: days 0 to 2, 3 to 7 and 8 to 35.

Of downloads alone, so that revenue and installs are of the same users: a redownload has windows
of its own, and is no install.

A value of a later window speaks of that window, or of all since the install, as its schema says.
In the first case revenue adds up; in the second the later window has it all, and the earlier one
is a part of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.timing import CLOCKS, completeness
from skan_receiver.reports import charts, money
from skan_receiver.reports.cells import NARROW, Group
from skan_receiver.reports.folding import folded
from skan_receiver.reports.money import Exchange
from skan_receiver.reports.period import Period
from skan_receiver.reports.question import ARRIVAL, INSTALL, Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.results import _dated, _rank
from skan_receiver.reports.tally import Tally, Worth, part_of, revenue_of
from skan_receiver.storage.meanings import Arrived, Book, Readings
from skan_receiver.storage.schemas import history

WINDOWS_OF_APPLE = range(len(CLOCKS))
CUMULATIVE = {
    "revenue_min": "cumulative_min",
    "revenue": "cumulative",
    "revenue_max": "cumulative_max",
}
AMOUNTS = (*CUMULATIVE, *CUMULATIVE.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Group):
    """One window of a group of installs.

    Amounts are in `currency`; where there are several, they are None and `currencies` has each.
    """

    installs: int  # of window 0: the same in each row of a group
    postbacks: int
    null_share: float | None
    revenue_min: float | None  # as the values say it: where `since_install`, all since then
    revenue: float | None
    revenue_max: float | None
    since_install: bool
    cumulative_min: float | None  # from the install to the end of the window
    cumulative: float | None
    cumulative_max: float | None
    per_install: float | None  # of the cumulative middle
    currency: str | None
    currencies: tuple[Mapping[str, Any], ...]
    complete: float | None  # the share of its postbacks that can have arrived


def _worths() -> defaultdict[str, Worth]:
    return defaultdict(Worth)


@dataclass(slots=True)
class _Window:
    """Sums over one window of a group."""

    tally: Tally = field(default_factory=Tally)
    upto: defaultdict[str, Worth] = field(default_factory=_worths)  # by currency
    since_install: bool = False

    def amounts(self) -> Iterator[tuple[str, dict[str, float | None]]]:
        """By currency."""
        for name in sorted({*self.tally.worth, *self.upto}):
            told = self.tally.worth[name].told() if name in self.tally.worth else {}
            upto = self.upto[name].told() if name in self.upto else {}
            both = {CUMULATIVE[of]: amount for of, amount in upto.items()} | told
            yield name, {of: both.get(of) for of in AMOUNTS}


class _Installs:
    """The windows of a group of installs."""

    def __init__(self) -> None:
        self.windows = [_Window() for _ in WINDOWS_OF_APPLE]
        self.is_early = True  # up to SKAdNetwork 3 there is one window

    def add(self, cell: Arrived, n: int, readings: Readings, exchange: Exchange) -> None:
        """Add `n` postbacks to their window, and their revenue to all that it is a part of."""
        self.windows[cell.window].tally.add(cell, n, readings, exchange)
        self.is_early = self.is_early and cell.version in RISING_ONLY
        for reading in readings:
            if (meaning := reading.decoded.meaning) is None:
                continue
            self.windows[cell.window].since_install |= meaning.since_install
            for revenue in revenue_of(meaning):
                currency, factor = exchange(revenue.currency)
                for window in part_of(cell, reading):
                    upto = self.windows[window].upto[currency]
                    upto.add(n, reading.weight, revenue, factor)

    @property
    def there(self) -> range:
        """The windows that these installs have."""
        return range(1) if self.is_early else WINDOWS_OF_APPLE


def rows(connection: Connection, question: Question) -> list[Course]:
    """The windows of each group of installs, in order."""
    told, filters = question.filters.window, replace(question.filters, window=None)
    question = question.but(filters=filters)
    found = _found(connection, question)
    return [
        _course(question, dict(zip(question.by, key, strict=True)), found[key], window)
        for key in sorted(found, key=_rank)
        for window in found[key].there
        if told is None or window in (told if isinstance(told, tuple) else (told,))
    ]


def _found(connection: Connection, question: Question) -> dict[tuple[Any, ...], _Installs]:
    versions = history(connection, question.filters.app)
    book = Book(versions)
    exchanges, split = money.exchanges(connection, question), money.dated(question)
    found: defaultdict[tuple[Any, ...], _Installs] = defaultdict(_Installs)
    for dated in _dated(NARROW, question.basis):
        won = dated.won(connection, split, versions)
        installs = (row for row in won if row["cell_conversion_type"] == "download")
        for of in folded(dated.grouped(installs, question), exchanges, book):
            found[of.group].add(of.cell, of.n, of.readings, of.exchange)
    return found


def _course(question: Question, group: dict[str, Any], installs: _Installs, window: int) -> Course:
    of = installs.windows[window]
    sums = of.tally.result({})
    amounts = dict(of.amounts())
    one = next(iter(amounts.values())) if len(amounts) == 1 else dict.fromkeys(AMOUNTS)
    number = installs.windows[0].tally.postbacks
    cumulative = one["cumulative"]
    return Course(
        **group,
        window=window,
        installs=number,
        postbacks=sums.postbacks,
        null_share=sums.null_share,
        **one,
        since_install=of.since_install,
        per_install=round(cumulative / number, 6) if number and cumulative is not None else None,
        currency=next(iter(amounts)) if len(amounts) == 1 else None,
        currencies=tuple({"currency": name, **each} for name, each in amounts.items())
        if len(amounts) > 1
        else (),
        complete=_complete(question, group.get("day"), window, early=installs.is_early),
    )


def _complete(question: Question, day: date | None, window: int, *, early: bool) -> float | None:
    """By arrival, all of what arrived is there. Of several versions the slowest counts."""
    if question.basis != INSTALL:
        return 1.0
    if (as_of := question.as_of) is None:
        return None
    period = question.period
    if day is not None:
        period = Period.of(f"{day}", f"{day}", as_of, period.zone)
    version = RISING_ONLY[0] if early else ""
    return round(completeness(period.start, period.end, as_of, version, window), 4)


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """Revenue since the install, by the end of each window."""
    fields = ("cumulative_min", "cumulative", "cumulative_max")
    told = [row for row in rows if None not in (row[name] for name in fields)]
    return charts.bands(told, (*by, "window"), fields, "Revenue since the install")


WINDOWS = Report(
    title="Revenue by window: days 0 to 2, 3 to 7 and 8 to 35",
    dimensions=("day", "app_id", "ad_network_id", "framework", "version"),
    usually=("app_id", "ad_network_id"),
    measures=(
        *("window", "installs", "postbacks", "null_share", *CUMULATIVE, "since_install"),
        *(*CUMULATIVE.values(), "per_install", "currency", "currencies", "complete"),
    ),
    rows=rows,
    chart=chart,
    count="postbacks",
    bases=(INSTALL, ARRIVAL),
    has_amounts=True,
)
