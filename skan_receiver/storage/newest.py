"""Rows of a table a page at a time, the newest first, however rare they are."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select, tuple_

# So long a page is looked for; what is too rare to fill it by then is looked for in several.
SECONDS = 0.25
FIRST_SLICE = timedelta(hours=1)
MOST_ROWS = 500  # of a page


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a page ends: the next one begins after it."""

    received_at: datetime
    id: int

    @property
    def is_pause(self) -> bool:
        """Whether nothing ends here: looking took long, and what is older was not looked at."""
        return self.id == 0


Page = tuple[list[Row[Any]], Place | None]


def page(
    connection: Connection, statement: Select[Any], of: Table, *, after: Place | None, limit: int
) -> Page:
    """A page of rows that an index finds, and where the next begins; None on the last."""
    return _cut(list(connection.execute(_ordered(statement, of, after, limit))), limit)


def walk(
    connection: Connection,
    statement: Select[Any],
    of: Table,
    *,
    after: Place | None,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
    seconds: float = SECONDS,
) -> Page:
    """The same of rows that no index finds, looked at from the newest back, slice by slice.

    After `seconds` it ends with what was found until then, which may be nothing: the place is a
    pause then. Nothing is older than `since`, and all is older than `until`.
    """
    first = connection.scalar(select(func.min(of.c.received_at)))
    if first is None:
        return [], None
    rows: list[Row[Any]] = []
    late = time.monotonic() + seconds
    newest = after.received_at if after else connection.scalar(select(func.max(of.c.received_at)))
    for start, end in _slices(min(newest, until or newest), seconds):
        within = statement.where(of.c.received_at >= start)
        if end is not None:
            within = within.where(of.c.received_at < end)
        rows += connection.execute(_ordered(within, of, after, limit - len(rows)))
        if len(rows) > limit or start <= max(first, since or first):
            break
        if time.monotonic() > late:
            return rows, Place(start, 0)
    return _cut(rows, limit)


def _slices(newest: datetime, seconds: float) -> Iterator[tuple[datetime, datetime | None]]:
    """Times from the newest back; each twice as long as the one before while that was quick."""
    end, width = None, FIRST_SLICE
    start = _earlier(newest, width)
    while True:
        begun = time.monotonic()
        yield start, end
        if time.monotonic() - begun < seconds / 4:
            width *= 2
        start, end = _earlier(start, width), start


def _earlier(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment - by
    except OverflowError:  # before the year 1
        return datetime.min.replace(tzinfo=moment.tzinfo)


def _ordered(statement: Select[Any], of: Table, after: Place | None, limit: int) -> Select[Any]:
    if after is not None:
        place = tuple_(of.c.received_at, of.c.id)
        statement = statement.where(place < (after.received_at, after.id))
    return statement.order_by(of.c.received_at.desc(), of.c.id.desc()).limit(limit + 1)


def _cut(rows: list[Row[Any]], limit: int) -> Page:
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Place(last.received_at, last.id)
