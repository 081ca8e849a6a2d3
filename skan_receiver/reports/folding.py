"""Cells that mean the same, taken together before they are summed: many hours, few meanings."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from math import ceil
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import case

from skan_receiver.conversion.encode import RISING_ONLY, VALUELESS
from skan_receiver.conversion.force import Weights
from skan_receiver.reports.cells import CELL
from skan_receiver.reports.money import Exchange
from skan_receiver.storage.meanings import LEAST, Arrived, Book, Readings, whole

Key = tuple[Any, ...]
Rates = Callable[[date | None], Exchange]
Days = dict[date | None, float]  # how many of each

# Of versions only this matters: whether a value can come at all, and by which clock.
_ALIKE = case(
    (CELL.c.version == VALUELESS, VALUELESS), (CELL.c.version.in_(RISING_ONLY), RISING_ONLY[-1]),
    else_="",
)  # fmt: skip

# What a meaning is of, beside what the report is split by and the hour.
MEANT = tuple(
    (_ALIKE if name == "version" else CELL.c[name]).label(f"cell_{name}")
    for name in ("app_id", "version", "window", "conversion_type", "fine_value", "coarse_value")
)
HOUR = "cell_hour"

_value = itemgetter(*(column.name for column in MEANT))


class _Cell:
    """A row of a report's own statement, as a cell with its hour."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return self._row[f"cell_{name}"]


def arrived(row: Mapping[str, Any]) -> Arrived:
    """What arrived, of a row with `MEANT` and `HOUR`."""
    return Arrived.of_cell(_Cell(row))


class Folded(NamedTuple):
    """`n` postbacks of a group that are alike: what arrived, what it means, at which rates."""

    group: Key
    cell: Arrived  # in one of their hours
    n: int
    readings: Readings
    exchange: Exchange


def folded(
    rows: Iterable[tuple[Key, date | None, Mapping[str, Any]]], rates: Rates, book: Book
) -> Iterator[Folded]:
    """Of rows with their groups and days: what comes to the same sums as reading each by itself.

    Hours in which the same versions come into question, with other weights, are one: `n` times
    the mean of the weights is their sum. So are days with other rates of exchange.
    """
    cells: dict[Any, Arrived] = {}
    known: dict[Any, Weights] = {}
    counts: dict[tuple[Key, Any, Weights], Days] = {}
    for group, day, row in rows:
        value, hour = _value(row), row[HOUR]
        if value not in cells:
            cells[value] = arrived(row)
        if (weights := known.get((value, hour))) is None:
            weights = known[value, hour] = book.weights(cells[value], hour)
        days = counts.setdefault((group, value, weights), {})
        days[day] = days.get(day, 0) + row["n"]
    for group, value, weights, n, exchange in _sums(counts, rates):
        cell = cells[value]
        yield Folded(group, cell, n, book.weighed(cell, weights), exchange)


def _sums(
    counts: Mapping[tuple[Key, Any, Weights], Days], rates: Rates
) -> Iterator[tuple[Key, Any, Weights, int, Exchange]]:
    """How many of each value in each group, by which versions, and at which rates."""
    alike: defaultdict[Any, dict[Weights, float]] = defaultdict(dict)
    for (group, value, weights), days in counts.items():
        if _is_certain(weights):
            for n, exchange in _of_days(days, rates):
                yield group, value, weights, n, exchange
            continue
        numbers, is_whole = tuple(number for number, _ in weights), whole(weights)
        for day, some in days.items():
            alike[group, value, day, numbers, is_whole][weights] = some
    for (group, value, day, *_), hours in alike.items():
        for n, weights in _of_hours(hours):
            yield group, value, weights, n, rates(day)


def _is_certain(weights: Weights) -> bool:
    return len(weights) == 1 and weights[0][1] == 1.0


def _of_hours(hours: Mapping[Weights, float]) -> Iterator[tuple[int, Weights]]:
    """Of the same versions: all with the mean of their weights, what came and what was taken back
    (in another hour than it came: then nothing is left in number, and yet a meaning)."""
    came = Counter({weights: n for weights, n in hours.items() if n > 0})
    back = Counter({weights: -n for weights, n in hours.items() if n < 0})
    number = came.total()
    most = ceil(number - LEAST) if back else round(number)
    # What is no whole number is made one by more of what was taken back, on either side.
    more = Counter({weights: n * (most - number) / back.total() for weights, n in back.items()})
    if most:
        yield most, _mean_of(came + more)
    if gone := most - round(sum(hours.values())):
        yield -gone, _mean_of(back)


def _mean_of(hours: Counter[Weights]) -> Weights:
    sums: defaultdict[int, float] = defaultdict(float)
    for weights, n in hours.items():
        for number, weight in weights:
            sums[number] += n * weight
    return tuple((number, sum_ / hours.total()) for number, sum_ in sums.items())


def _of_days(days: Mapping[date | None, float], rates: Rates) -> Iterator[tuple[int, Exchange]]:
    whole_days = {day: round(n) for day, n in days.items()}
    if total := sum(whole_days.values()):
        yield total, _mean(whole_days, total, rates)
        return
    # As with hours.
    yield from ((n, rates(day)) for day, n in whole_days.items() if n)


def _mean(days: Mapping[date | None, int], total: int, rates: Rates) -> Exchange:
    if len(days) == 1:
        return rates(next(iter(days)))

    def exchange(currency: str) -> tuple[str, float]:
        told = [(*rates(day)(currency), n) for day, n in days.items()]
        return told[0][0], sum(factor * n for _, factor, n in told) / total

    return exchange
