"""Rows that are numbered as they come: found by their time without an index of times.

Where there are more than anybody wants to wait for, evenly spread stretches of numbers stand for
all of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    func,
    literal,
    select,
)

from skan_receiver.reports.period import Period

# Rows of a stretch. Short ones are spread over more of the period.
SIZE = 50

# Clocks of several writers differ, and who began first may end last.
LOOSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stretches:
    """Numbers from `first` up to `last`: each `size` of every `step`."""

    first: int
    last: int
    size: int
    step: int

    @property
    def every(self) -> int:
        """For how many each row stands."""
        return self.step // self.size

    def of(self, rows: Table) -> FromClause:
        """The rows with these numbers; what follows the last stretch may be among them."""
        first = select(literal(self.first, BigInteger).label("start"))
        starts = first.cte("stretch", recursive=True)
        following = starts.c.start + self.step
        starts = starts.union_all(select(following).where(following < self.last))
        within = and_(rows.c.id >= starts.c.start, rows.c.id < starts.c.start + self.size)
        return starts.join(rows, within)


def stretches(
    connection: Connection, rows: Table, at: ColumnElement[datetime], period: Period, most: int
) -> Stretches:
    """Where the rows of a period are, and a few more; about `most` of them, if there are more."""
    # One at a time: SQLite reads all to find both.
    lowest, highest = (connection.scalar(select(end(rows.c.id))) for end in (func.min, func.max))
    ends = (lowest or 0, (highest or 0) + 1)
    # Of a table that is small as a whole no order is asked.
    if ends[1] - ends[0] > most:
        moments = (period.start - LOOSE, period.end + LOOSE)
        first, last = (_reaching(connection, rows, at, moment, *ends) for moment in moments)
        ends = (first, max(last, first + 1))
    n = ends[1] - ends[0]
    if n <= most:
        return Stretches(*ends, size=n, step=n)
    return Stretches(*ends, size=SIZE, step=SIZE * -(-n // most))


def _reaching(
    connection: Connection,
    rows: Table,
    at: ColumnElement[datetime],
    moment: datetime,
    low: int,
    high: int,
) -> int:
    """The first number from `low` up to `high` whose row is of that moment or later, by halves."""
    following = select(rows.c.id, at.label("at")).order_by(rows.c.id).limit(1)
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(following.where(rows.c.id >= middle)).one_or_none()
        if row is None or row.at >= moment:
            high = middle
        else:
            low = row.id + 1
    return low
