"""Revenue as the values tell it, and as it is estimated where Apple withheld them.

Of whole UTC days. By the last digits of the source identifier, of whole weeks: so joint draws are
kept. A row is of one currency.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.reports import charts, drawn, results
from skan_receiver.reports.cells import Group
from skan_receiver.reports.drawn import Estimates, Interval, Key, Pair, Run, Sum
from skan_receiver.reports.period import DAY
from skan_receiver.reports.question import ARRIVAL, Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.tally import Result
from skan_receiver.storage.estimates import BY_DAY, BY_WEEK, REVENUE

DIGITS = "source_digits"

# All that each of Apple's tiers shows of a source identifier.
ALWAYS_SHOWN = 2

NOT_THERE = "none of it was there when it was estimated"

DIMENSIONS = ("day", "app_id", "ad_network_id", "window", DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned(Group):
    """What the postbacks of a group earned: those of the apps and windows whose values tell
    revenue in a currency.

    `estimate` is of `estimated` postbacks, and lies between `low` and `high` with a chance of
    90 %. Where there is none, `note` says why.
    """

    source_digits: str | None = None  # the last two; before SKAdNetwork 4 the campaign id

    first_day: date
    last_day: date
    currency: str | None
    postbacks: int
    nulls: int
    revenue_min: float | None
    revenue: float | None
    revenue_max: float | None
    estimate: float | None
    low: float | None
    high: float | None
    estimated: int | None
    sensitivity: float | None
    made_at: datetime | None
    note: str | None


def rows(connection: Connection, question: Question) -> list[Earned]:
    """The revenue of each group, in each of its currencies."""
    by_week = DIGITS in question.by
    asked = (drawn.whole_weeks if by_week else drawn.whole_days)(question)
    groups = _groups(connection, asked)
    found = Estimates.load(connection, REVENUE, asked, BY_WEEK if by_week else BY_DAY)
    sums = found.sums(asked.by, asked.period)
    return [
        earned
        for key in sorted(groups, key=results._rank)
        for earned in _earned(asked, key, groups[key], found, sums)
    ]


@dataclass(slots=True)
class _Amounts:
    """Sums of what values tell; None where one of them has no such bound."""

    revenue_min: float | None = 0.0
    revenue: float | None = 0.0
    revenue_max: float | None = 0.0

    def add(self, told: Mapping[str, Any]) -> None:
        for name in self.__slots__:
            one, other = getattr(self, name), told[name]
            setattr(self, name, None if one is None or other is None else round(one + other, 6))


@dataclass(slots=True)
class _Told:
    """One app and window of a group, as far as its values tell."""

    postbacks: int = 0
    nulls: int = 0
    worth: defaultdict[str, _Amounts] = field(default_factory=lambda: defaultdict(_Amounts))

    def add(self, row: Result) -> None:
        """Add some of its postbacks."""
        self.postbacks += row.postbacks
        self.nulls += row.nulls
        for told in row.currencies or _alone(row):
            self.worth[told["currency"]].add(told)


Pairs = dict[Pair, _Told]


def _alone(row: Result) -> tuple[Mapping[str, Any], ...]:
    names = ("currency", *_Amounts.__slots__)
    return ({name: getattr(row, name) for name in names},) if row.currency else ()


def _groups(connection: Connection, question: Question) -> dict[Key, Pairs]:
    names = {DIGITS: "source_identifier"}
    by = [names.get(name, name) for name in question.by]
    more = ("version",) if DIGITS in question.by else ()
    split = tuple(dict.fromkeys((*by, "app_id", "window", *more)))
    groups: defaultdict[Key, Pairs] = defaultdict(dict)
    for row in results.rows(connection, question.but(by=split, basis=ARRIVAL)):
        assert row.app_id is not None
        assert row.window is not None
        group = groups[tuple(_of(row, name) for name in question.by)]
        group.setdefault((row.app_id, row.window), _Told()).add(row)
    return groups


def _of(row: Result, name: str) -> Any:
    if name != DIGITS:
        return getattr(row, name)
    identifier = row.source_identifier
    is_early = row.version in RISING_ONLY
    return identifier if identifier is None or is_early else identifier[-ALWAYS_SHOWN:]


def _earned(
    question: Question, key: Key, pairs: Pairs, found: Estimates, sums: Mapping[Any, Sum]
) -> Iterator[Earned]:
    of_pair = {pair: _currencies(told, found.by_pair.get(pair, ())) for pair, told in pairs.items()}
    for currency in sorted(set().union(*of_pair.values())) or [""]:
        those = {pair: pairs[pair] for pair, told in of_pair.items() if currency in told} or pairs
        yield _row(question, key, those, found, currency, sums.get((key, currency)))


def _currencies(told: _Told, runs: Iterable[Run]) -> set[str]:
    return {*told.worth, *(run.currency for run in runs if run.draws)}


def _row(
    question: Question, key: Key, pairs: Pairs, found: Estimates, currency: str, sum_: Sum | None
) -> Earned:
    group = dict(zip(question.by, key, strict=True))
    day, period = group.get("day"), question.period
    note = _note(question, pairs, found, currency)
    if not note and (sum_ is None or not sum_.postbacks):
        note = NOT_THERE
    sum_ = None if note else sum_
    runs = [run for pair in pairs for run in found.by_pair.get(pair, ())] if sum_ else []
    mine = [run for run in runs if run.draws and run.currency == currency]
    return Earned(
        **group,
        first_day=day or period.first_day,
        last_day=day or period.last_day,
        currency=currency or None,
        postbacks=sum(told.postbacks for told in pairs.values()),
        nulls=sum(told.nulls for told in pairs.values()),
        **_worth(pairs, currency),
        **_interval(sum_),
        estimated=sum_.postbacks if sum_ else None,
        sensitivity=_same([run.sensitivity for run in mine]),
        made_at=min((run.made_at for run in mine), default=None),
        note=note or None,
    )


def _worth(pairs: Pairs, currency: str) -> dict[str, Any]:
    """What the values tell; nothing where none of them does."""
    sum_ = _Amounts()
    told = [of.worth[currency] for of in pairs.values() if currency in of.worth]
    for of in told:
        sum_.add({name: getattr(of, name) for name in _Amounts.__slots__})
    return {name: getattr(sum_, name) if told else None for name in _Amounts.__slots__}


def _interval(sum_: Sum | None) -> dict[str, Any]:
    of = sum_.interval() if sum_ else None
    return {name: getattr(of, name, None) for name in Interval.__slots__}


def _same(values: list[float | None]) -> float | None:
    return values[0] if len(set(values)) == 1 else None


def _note(question: Question, pairs: Pairs, found: Estimates, currency: str) -> str:
    """Why a group has no estimate in a currency; empty where it has one."""
    if unsplit := drawn.unsplit(question):
        return unsplit
    if found.runs and not drawn.is_readable():
        return drawn.NO_LIBRARY
    reasons = (
        (pair, why)
        for pair in pairs
        if (why := _why(question, found.by_pair.get(pair, []), currency))
    )
    return drawn.told(reasons, lambda pair: f"app {pair[0]}, window {pair[1]}")


def _why(question: Question, runs: Sequence[Run], currency: str) -> str | None:
    """What keeps one app and window from the sum; None where nothing does."""
    if mine := [run for run in runs if run.draws and run.currency == currency]:
        return mine[0].gap(question.period)
    return next((run.why_not for run in runs if run.why_not), None) or drawn.not_yet()


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """The estimate and its interval; without one, the middles."""
    several = len({row["currency"] for row in rows} - {None}) > 1
    split = (*by, "currency") if several else by
    if estimated := [row for row in rows if row["estimate"] is not None]:
        title = "Estimated revenue, 90 %"
        return charts.bands(estimated, split, ("low", "estimate", "high"), title)
    return charts.bars(rows, split, "revenue", "Revenue, middles of the values")


REVENUE_REPORT = Report(
    title="Revenue: as told, and as estimated behind what Apple withheld",
    dimensions=DIMENSIONS,
    usually=("day",),
    measures=(
        *("first_day", "last_day", "currency", "postbacks", "nulls"),
        *("revenue_min", "revenue", "revenue_max", "estimate", "low", "high"),
        *("estimated", "sensitivity", "made_at", "note"),
    ),
    rows=rows,
    chart=chart,
    count="postbacks",
    step=DAY,
    weekly=(DIGITS,),
)
