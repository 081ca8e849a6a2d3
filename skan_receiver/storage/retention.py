"""What is not kept for ever, deleted in small pieces so that nobody waits for it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from skan_receiver.config import Settings
from skan_receiver.storage import caps
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import Attempt
from skan_receiver.storage.postbacks import Arrival, Quarantined, Seen, StoredPostback
from skan_receiver.storage.predicate import VOUCHED
from skan_receiver.storage.store import Store

POSTBACK, SEEN, ARRIVAL = table(StoredPostback), table(Seen), table(Arrival)
QUARANTINE, ATTEMPT = table(Quarantined), table(Attempt)

PIECE = 500
ATTEMPT_DAYS = 30


def retain(store: Store, settings: Settings, now: datetime) -> int:
    """Delete what is past its time; how many rows. Counts of what was stay as they are."""
    invalid = now - timedelta(days=settings.invalid_days)
    quarantine = now - timedelta(days=settings.quarantine_days)
    attempts = now - timedelta(days=ATTEMPT_DAYS)
    unvouched = POSTBACK.c.verdict.not_in(VOUCHED), POSTBACK.c.received_at < invalid
    return (
        _all(store, lambda connection: _postbacks(connection, *unvouched))
        + _all(store, lambda connection: _quarantined(connection, quarantine))
        + _all(store, lambda c: _piece(c, ATTEMPT, ATTEMPT.c.at < attempts).rowcount)
    )


def _all(store: Store, piece: Any) -> int:
    total = 0
    while gone := store.write(piece):
        total += gone
    return total


def _postbacks(connection: Connection, *past: ColumnElement[bool]) -> int:
    size = func.length(POSTBACK.c.body).label("size")
    some = select(POSTBACK.c.id, POSTBACK.c.identity, size).where(*past).limit(PIECE)
    rows = connection.execute(some).all()
    ids = [row.id for row in rows]
    connection.execute(delete(ARRIVAL).where(ARRIVAL.c.stored_id.in_(ids)))
    connection.execute(delete(SEEN).where(SEEN.c.key.in_([row.identity for row in rows])))
    connection.execute(delete(POSTBACK).where(POSTBACK.c.id.in_(ids)))
    caps.record(connection, "invalid", (row.size for row in rows), sign=-1)
    return len(rows)


def _quarantined(connection: Connection, before: datetime) -> int:
    gone = _piece(
        connection,
        QUARANTINE,
        QUARANTINE.c.received_at < before,
        func.length(QUARANTINE.c.body).label("size"),
    ).all()
    caps.record(connection, "quarantine", (row.size for row in gone), sign=-1)
    return len(gone)


def _piece(connection: Connection, of: Table, past: ColumnElement[bool], *returning: Any) -> Any:
    ids = select(of.c.id).where(past).order_by(of.c.id).limit(PIECE)
    statement = delete(of).where(of.c.id.in_(ids.scalar_subquery()))
    return connection.execute(statement.returning(*returning) if returning else statement)
