"""Cells that mean the same, taken together before they are read: many days have few meanings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from operator import itemgetter
from typing import Any

from skan_receiver.reports.cells import CELL
from skan_receiver.reports.money import Exchange
from skan_receiver.storage.meanings import Arrived

Key = tuple[Any, ...]
Rates = Callable[[date | None], Exchange]

# What a meaning is of, beside what the report is split by and the hour.
MEANT = tuple(
    CELL.c[name].label(f"cell_{name}")
    for name in ("app_id", "version", "window", "conversion_type", "fine_value", "coarse_value")
)
HOUR = "cell_hour"

_meaning = itemgetter(*(column.name for column in MEANT), HOUR)


class _Cell:
    """A row of a report's own statement, as a cell with its hour."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return self._row[f"cell_{name}"]


def arrived(row: Mapping[str, Any]) -> Arrived:
    """What arrived, of a row with `MEANT` and `HOUR`."""
    return Arrived.of_cell(_Cell(row))


def folded(
    rows: Iterable[tuple[Key, date | None, Mapping[str, Any]]], rates: Rates
) -> Iterator[tuple[Key, Arrived, int, Exchange]]:
    """Of rows with their groups and days: for each group, what arrived and how many there were.

    Amounts are as good as converted day by day: `n` times the mean of the days' rates, each as
    often as there were cells of that day, is the sum over the days.
    """
    counts: dict[tuple[Key, Any], dict[date | None, int]] = {}
    cells: dict[Any, Arrived] = {}
    for group, day, row in rows:
        meaning = _meaning(row)
        days = counts.setdefault((group, meaning), {})
        days[day] = days.get(day, 0) + row["n"]
        if meaning not in cells:
            cells[meaning] = arrived(row)
    for (group, meaning), days in counts.items():
        for n, exchange in _sums(days, rates):
            yield group, cells[meaning], n, exchange


def _sums(days: Mapping[date | None, int], rates: Rates) -> Iterator[tuple[int, Exchange]]:
    if total := sum(days.values()):
        yield total, _mean(days, total, rates)
        return
    # What was taken back on another day than it came: nothing in number, and yet an amount.
    yield from ((n, rates(day)) for day, n in days.items() if n)


def _mean(days: Mapping[date | None, int], total: int, rates: Rates) -> Exchange:
    if len(days) == 1:
        return rates(next(iter(days)))

    def exchange(currency: str) -> tuple[str, float]:
        told = [(*rates(day)(currency), n) for day, n in days.items()]
        return told[0][0], sum(factor * n for _, factor, n in told) / total

    return exchange
