"""Whether the endpoint answered each time it was asked, kept as runs of checks that ended alike.

Of an endpoint that always answers that is one row, however long. Between two runs, where more than
`GAP` passed, nobody looked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, table, utc

GAP = timedelta(minutes=3)  # it is looked every minute
KEPT_FOR = timedelta(days=400)
MOST_ROWS = 500

UNCHECKED = "nobody asked: no worker ran or could write, or no address was set"


class EndpointCheck(SQLModel, table=True):
    """Checks one after another that ended alike."""

    __tablename__ = "endpoint_check"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = big(primary_key=True, default=None)
    since: datetime = utc()  # the first of them
    until: datetime = utc(index=True)  # the last
    checks: int = big()
    fault: str = Field("")  # what would have kept a postback out; empty: it answered


RUN = table(EndpointCheck)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A time in which it is not known that the endpoint answered."""

    since: datetime
    until: datetime
    fault: str

    @property
    def is_unchecked(self) -> bool:
        """Whether nobody asked."""
        return self.fault == UNCHECKED


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks of a time, whole runs: it may have begun before it was asked for."""

    since: datetime
    until: datetime
    made: int
    failed: int
    troubles: Sequence[Trouble]  # the newest first, of the latest `MOST_ROWS` runs


def note_check(connection: Connection, fault: str, now: datetime) -> None:
    """Write down how a check ended. One process at a time: `alerting.watch` takes turns."""
    last = connection.execute(select(RUN).order_by(RUN.c.id.desc()).limit(1)).first()
    if last and last.fault == fault and now <= last.until + GAP:
        longer = update(RUN).where(RUN.c.id == last.id)
        # Of another worker, whose clock may be ahead.
        until = max(now, last.until)
        connection.execute(longer.values(until=until, checks=RUN.c.checks + 1))
        return
    run = {"since": now, "until": now, "checks": 1, "fault": fault}
    connection.execute(insert(RUN), run)
    connection.execute(delete(RUN).where(RUN.c.until < now - KEPT_FOR))


def checks_since(connection: Connection, since: datetime, now: datetime) -> Checks | None:
    """The checks from `since` on, with those of the same run before it.

    Where there were none, those of the last run before; None: there never was one.
    """
    latest = connection.scalar(select(func.max(RUN.c.until)))
    if latest is None:
        return None
    these = RUN.c.until >= min(since, latest)
    failed = func.sum(case((RUN.c.fault != "", RUN.c.checks), else_=0))
    sums = select(func.min(RUN.c.since), func.max(RUN.c.until), func.sum(RUN.c.checks), failed)
    first, last, made, failed = connection.execute(sums.where(these)).one()
    newest = select(RUN).where(these).order_by(RUN.c.id.desc()).limit(MOST_ROWS)
    runs = connection.execute(newest).all()[::-1]
    troubles = sorted(_troubles(runs, now), key=lambda one: one.since, reverse=True)
    return Checks(first, last, int(made), int(failed), troubles)


def _troubles(runs: Sequence[Row[Any]], now: datetime) -> Iterator[Trouble]:
    for run in runs:
        if run.fault:
            yield Trouble(run.since, run.until, run.fault)
    ends = [*((one.until, other.since) for one, other in pairwise(runs)), (runs[-1].until, now)]
    for end, start in ends:
        if start - end > GAP:
            yield Trouble(end, start, UNCHECKED)


def failing_since(connection: Connection, now: datetime) -> Trouble | None:
    """Since when the endpoint has not answered, and what it said last; None: it did, or nobody
    has looked of late."""
    answered = select(func.coalesce(func.max(RUN.c.id), 0)).where(RUN.c.fault == "")
    failing = select(RUN).where(RUN.c.id > answered.scalar_subquery()).order_by(RUN.c.id)
    runs = connection.execute(failing).all()
    if not runs or runs[-1].until < now - GAP:
        return None
    since = runs[-1].since
    for run, later in pairwise(runs[::-1]):
        # What was before a time in which nobody asked says nothing of that time.
        if run.since - later.until > GAP:
            break
        since = later.since
    return Trouble(since, runs[-1].until, runs[-1].fault)
