"""Publish a version with a date in the past, and tell what changes by it.

Postbacks and counts are raw values and stay as they are: the new version is all that is written.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from skan_receiver.storage import CountCell, CountHour, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.meanings import NO_SCHEMA, Arrived, Book, Readings, rest
from skan_receiver.storage.schemas import (
    Publication,
    Published,
    drafted,
    find,
    history,
    publish,
    read,
)

CELL, HOURS = table(CountCell), table(CountHour)

Value = int | str | None
Key = tuple[str, int, Value, str, str]  # the first five members of a Change

_MEMBERS = ("app_id", "version", "window", "conversion_type", "fine_value", "coarse_value")
_GRAIN = (*(CELL.c[name] for name in _MEMBERS), HOURS.c.hour)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that means something else than before."""

    conversion_type: str  # empty where Apple does not say
    window: int
    value: Value
    was: str  # "A or B" where it may be either
    now: str
    cells: int  # hours of counts
    postbacks: int


@dataclass(frozen=True, slots=True)
class Redecoded:
    """What changed, and the version that did it; None where it was only tried."""

    changes: tuple[Change, ...]
    cells: int  # that were looked at: those of the app that count and have a value
    postbacks: int
    published: Published | None


def correction(store: Store, wanted: Publication, number: int) -> Publication:
    """`wanted` in the place of version `number`: from the same moment on, as quickly."""
    app_id = read(wanted.text).app_id
    with store.read() as connection:
        wrong = find(history(connection, app_id), app_id, number)
    note = wanted.note or f"corrects version {number}"
    return replace(
        wanted,
        effective_from=wrong.effective_from,
        rollout_hours=wrong.rollout_hours,
        note=note,
    )


def redecode(
    store: Store, wanted: Publication, now: datetime, *, dry_run: bool = False
) -> Redecoded:
    """Publish `wanted`, whatever its date, and say which counted values change meaning."""
    schema = read(wanted.text)
    with store.read() as connection:
        versions = history(connection, schema.app_id)
        cells = _cells(connection, schema.app_id)
    before = Book(versions)
    after = Book([*versions, drafted(schema, wanted, versions, now)])
    changes = _changes(before, after, cells)
    published = None if dry_run else publish(store, wanted, now, back_dated=True)
    return Redecoded(changes, len(cells), sum(cell.n for cell in cells), published)


def _cells(connection: Connection, app_id: int) -> list[Row[Any]]:
    """Of any network: what a value means does not depend on it."""
    n = func.sum(HOURS.c.n).label("n")
    wanted = (
        select(*_GRAIN, n)
        .join_from(HOURS, CELL, CELL.c.id == HOURS.c.cell)
        .where(CELL.c.app_id == app_id, CELL.c.counted)
    )
    rows: Any = connection.execute(wanted.group_by(*_GRAIN).order_by(*_GRAIN)).all()
    return [row for row in rows if row.n and _value(Arrived.of_cell(row)) is not None]


def _changes(before: Book, after: Book, cells: Iterable[Row[Any]]) -> tuple[Change, ...]:
    sums: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for cell in cells:
        arrived = Arrived.of_cell(cell)
        was, now = before.read(arrived), after.read(arrived)
        if _likely(was) != _likely(now):
            key = (cell.conversion_type, cell.window, _value(arrived), _words(was), _words(now))
            sums[key].update(cells=1, postbacks=int(cell.n))
    return tuple(Change(*key, sum_["cells"], sum_["postbacks"]) for key, sum_ in sums.items())


def _value(arrived: Arrived) -> Value:
    return arrived.coarse_value if arrived.fine_value is None else arrived.fine_value


def _likely(readings: Readings) -> dict[str, float]:
    """How likely each meaning is. Two versions that say the same are one."""
    sums: defaultdict[str, float] = defaultdict(float)
    if left := rest(readings):
        sums[NO_SCHEMA] = left
    for reading in readings:
        sums[str(reading.decoded)] += reading.weight
    return {words: round(weight, 6) for words, weight in sums.items()}


def _words(readings: Readings) -> str:
    return " or ".join(_likely(readings))
