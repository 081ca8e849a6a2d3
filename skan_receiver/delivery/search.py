"""Looking into the ledger: deliveries and their tries, what waits, and what was given up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, text

from skan_receiver.storage import Attempt, Delivery
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, LEASED, OWED

DELIVERY, ATTEMPT = table(Delivery), table(Attempt)

MOST_ROWS = 1_000

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
        if self.since is not None:
            yield DELIVERY.c.created_at >= self.since
        if self.until is not None:
            yield DELIVERY.c.created_at < self.until


@dataclass(frozen=True, slots=True)
class Story:
    """A delivery, and every try that is still kept."""

    row: Row[Any]
    attempts: Sequence[Row[Any]]


def find(
    connection: Connection, query: Query, *, before: int | None = None, limit: int = 50
) -> tuple[list[Row[Any]], int | None]:
    """Deliveries, the newest first, and where the next page begins; None on the last."""
    some = select(*SHOWN).where(*query.conditions()).order_by(DELIVERY.c.id.desc())
    if before is not None:
        some = some.where(DELIVERY.c.id < before)
    rows = list(connection.execute(some.limit(limit + 1)))
    return (rows, None) if len(rows) <= limit else (rows[:limit], rows[limit - 1].id)


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
