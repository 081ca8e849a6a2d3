"""Looking into the ledger: deliveries and their tries, what waits, and what was given up."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, text, union_all

from skan_receiver.storage import Attempt, Delivery, ReportWindow, StoredEvent, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, LEASED, OWED
from skan_receiver.storage.newest import SECONDS

DELIVERY, ATTEMPT = table(Delivery), table(Attempt)
ABOUT = table(StoredPostback), table(ReportWindow), table(StoredEvent)

MOST_ROWS = 1_000
FIRST_SLICE = 1_000  # numbers that are looked at together

# Numbers are given as a transaction writes, times as it began: none takes longer than this.
LONGEST = timedelta(hours=1)

# The encrypted address of a device is nobody's to look at; what an engine was told, nobody asks.
HIDDEN = ("sealed_ip", "claim_id", "hinted_at")
SHOWN = tuple(column for column in DELIVERY.c if column.name not in HIDDEN)


@dataclass(frozen=True, slots=True)
class Query:
    """Which deliveries; None does not narrow."""

    destination: str | None = None
    state: str | None = None
    stored_id: int | None = None
    since: datetime | None = None  # when they were owed
    until: datetime | None = None  # left out itself

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """One for each that narrows."""
        for name in ("destination", "state", "stored_id"):
            if (value := getattr(self, name)) is not None:
                yield DELIVERY.c[name] == value
        if self.stored_id is not None:
            # What the index begins with.
            of = (select(about.c.identity).where(about.c.id == self.stored_id) for about in ABOUT)
            yield DELIVERY.c.identity.in_(union_all(*of))
        if self.since is not None:
            yield DELIVERY.c.created_at >= self.since
        if self.until is not None:
            yield DELIVERY.c.created_at < self.until

    @property
    def is_indexed(self) -> bool:
        """Whether what it narrows to is found at once."""
        return self.stored_id is not None or self == Query()


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries, the newest first."""

    rows: Sequence[Row[Any]]
    before: int | None = None  # where the next page begins; None on the last
    looked_to: datetime | None = None  # time was up there: what is older was not looked at


@dataclass(frozen=True, slots=True)
class Story:
    """A delivery, and every try that is still kept."""

    row: Row[Any]
    attempts: Sequence[Row[Any]]


def find(
    connection: Connection,
    query: Query,
    *,
    before: int | None = None,
    limit: int = 50,
    seconds: float = SECONDS,
    width: int = FIRST_SLICE,
) -> Page:
    """Deliveries, the newest first.

    What no index finds is looked for from the newest back, for `seconds`: `width` of them at
    first, and twice as many while that is quick.
    """
    some = select(*SHOWN).where(*query.conditions()).order_by(DELIVERY.c.id.desc())
    if not query.is_indexed:
        first, end = _bounds(connection, query)
        span = first, min(end, before or end)
        return _walk(connection, some, span, limit, seconds, width)
    if before is not None:
        some = some.where(DELIVERY.c.id < before)
    return _cut(list(connection.execute(some.limit(limit + 1))), limit)


def _walk(
    connection: Connection,
    some: Select[Any],
    span: tuple[int, int],
    limit: int,
    seconds: float,
    width: int,
) -> Page:
    rows: list[Row[Any]] = []
    first, end = span
    late = time.monotonic() + seconds
    while end > first:
        begun, start = time.monotonic(), max(first, end - width)
        within = some.where(DELIVERY.c.id >= start, DELIVERY.c.id < end)
        rows += connection.execute(within.limit(limit + 1 - len(rows)))
        if len(rows) > limit:
            break
        now = time.monotonic()
        if now > late and start > first:
            return Page(rows, start, _owed_at(connection, start))
        if now - begun < seconds / 4:
            width *= 2
        end = start
    return _cut(rows, limit)


def _cut(rows: list[Row[Any]], limit: int) -> Page:
    return Page(rows) if len(rows) <= limit else Page(rows[:limit], rows[limit - 1].id)


def _bounds(connection: Connection, query: Query) -> tuple[int, int]:
    """Between which numbers there can be any; the last left out."""
    least, most = connection.execute(select(func.min(DELIVERY.c.id), func.max(DELIVERY.c.id))).one()
    if most is None:
        return 0, 0
    first, end = least, most + 1
    if query.since is not None:
        first = _number_at(connection, first, end, query.since - LONGEST)
    if query.until is not None:
        end = _number_at(connection, first, end, query.until + LONGEST)
    return first, end


def _number_at(connection: Connection, first: int, end: int, moment: datetime) -> int:
    """About the number of what was owed first from then on: numbers rise as time goes on."""
    while first < end:
        middle = (first + end) // 2
        owed_at = _owed_at(connection, middle)
        if owed_at is None or owed_at >= moment:
            end = middle
        else:
            first = middle + 1
    return first


def _owed_at(connection: Connection, number: int) -> datetime | None:
    """When the delivery of this number, or the next one there is, was first owed."""
    following = select(DELIVERY.c.created_at).where(DELIVERY.c.id >= number)
    return connection.scalar(following.order_by(DELIVERY.c.id).limit(1))


def story(connection: Connection, delivery_id: int) -> Story | None:
    """One delivery; None where there is none."""
    row = connection.execute(select(*SHOWN).where(DELIVERY.c.id == delivery_id)).first()
    if row is None:
        return None
    tries = select(ATTEMPT).where(ATTEMPT.c.delivery_id == delivery_id).order_by(ATTEMPT.c.id)
    return Story(row, connection.execute(tries.limit(MOST_ROWS)).all())


# Written out as the indexes of these few rows have it: what was delivered is never counted here.
_WAITING = text(f"delivery.state IN ('{OWED}', '{LEASED}')")
_DEAD = text(f"delivery.state = '{DEAD}'")


def tallies(connection: Connection) -> dict[str, dict[str, int]]:
    """How many deliveries each destination has that are owed, leased or dead."""
    told: dict[str, dict[str, int]] = {}
    for some in (_WAITING, _DEAD):
        columns = DELIVERY.c.destination, DELIVERY.c.state
        counted = select(*columns, func.count()).where(some).group_by(*columns)
        for destination, state, n in connection.execute(counted):
            told.setdefault(destination, {})[state] = n
    return told
