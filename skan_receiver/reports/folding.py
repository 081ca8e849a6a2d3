"""Cells that mean the same, taken together before they are summed: many hours, few meanings."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from skan_receiver.conversion.force import Weights
from skan_receiver.reports.cells import CELL
from skan_receiver.reports.money import Exchange
from skan_receiver.storage.meanings import LEAST, Arrived, Book, Readings

Key = tuple[Any, ...]
Rates = Callable[[date | None], Exchange]

# What a meaning is of, beside what the report is split by and the hour.
MEANT = tuple(
    CELL.c[name].label(f"cell_{name}")
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


@dataclass(frozen=True, slots=True)
class Folded:
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
    counts: defaultdict[tuple[Key, Any], Counter[tuple[date | None, datetime]]]
    counts = defaultdict(Counter)
    cells: dict[Any, Arrived] = {}
    for group, day, row in rows:
        value = _value(row)
        counts[group, value][day, row[HOUR]] += row["n"]
        if value not in cells:
            cells[value] = arrived(row)
    for (group, value), times in counts.items():
        cell = cells[value]
        for n, weights, exchange in _sums(_by_weights(cell, times, book), rates):
            yield Folded(group, cell, n, book.weighed(cell, weights), exchange)


# How many of each day.
Days = Counter[date | None]


def _by_weights(
    cell: Arrived, times: Mapping[tuple[date | None, datetime], int], book: Book
) -> dict[Weights, Days]:
    found: defaultdict[Weights, Days] = defaultdict(Counter)
    for (day, hour), n in times.items():
        found[book.weights(cell, hour)][day] += n
    return found


def _sums(found: Mapping[Weights, Days], rates: Rates) -> Iterator[tuple[int, Weights, Exchange]]:
    """How many, by which versions with which weights, and at which rates."""
    alike: defaultdict[tuple[Any, ...], Counter[Weights]] = defaultdict(Counter)
    for weights, days in found.items():
        numbers = tuple(number for number, _ in weights)
        if len(found) == 1 or _is_certain(weights):
            yield from ((n, weights, exchange) for n, exchange in _of_days(days, rates))
            continue
        for day, n in days.items():
            alike[day, numbers, _has_rest(weights)][weights] += n
    for (day, *_), hours in alike.items():
        yield from ((n, weights, rates(day)) for n, weights in _of_hours(hours))


def _is_certain(weights: Weights) -> bool:
    return len(weights) == 1 and weights[0][1] == 1.0


def _has_rest(weights: Weights) -> bool:
    return 1.0 - sum(weight for _, weight in weights) > LEAST


def _of_hours(hours: Mapping[Weights, int]) -> Iterator[tuple[int, Weights]]:
    """Of the same versions: all with the mean of their weights."""
    total = sum(hours.values())
    if not total or len(hours) == 1:
        # What was taken back in another hour than it came: nothing in number, and yet a meaning.
        yield from ((n, weights) for weights, n in hours.items() if n)
        return
    sums: defaultdict[int, float] = defaultdict(float)
    for weights, n in hours.items():
        for number, weight in weights:
            sums[number] += n * weight
    yield total, tuple((number, sum_ / total) for number, sum_ in sums.items())


def _of_days(days: Mapping[date | None, int], rates: Rates) -> Iterator[tuple[int, Exchange]]:
    if total := sum(days.values()):
        yield total, _mean(days, total, rates)
        return
    # As with hours.
    yield from ((n, rates(day)) for day, n in days.items() if n)


def _mean(days: Mapping[date | None, int], total: int, rates: Rates) -> Exchange:
    if len(days) == 1:
        return rates(next(iter(days)))

    def exchange(currency: str) -> tuple[str, float]:
        told = [(*rates(day)(currency), n) for day, n in days.items()]
        return told[0][0], sum(factor * n for _, factor, n in told) / total

    return exchange
