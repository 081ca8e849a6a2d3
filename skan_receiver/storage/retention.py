"""What is not kept for ever, deleted in small pieces so that nobody waits for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, select, text

from skan_receiver.config import Settings
from skan_receiver.storage import caps, months
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import (
    DEAD,
    DONE,
    LEASED,
    OWED,
    Attempt,
    Delivery,
    ReportWindow,
)
from skan_receiver.storage.event_retention import retain_events
from skan_receiver.storage.events import Touch
from skan_receiver.storage.idempotency import KEPT, drop_calls
from skan_receiver.storage.postbacks import UNVOUCHED, Arrival, Quarantined, Seen, StoredPostback
from skan_receiver.storage.store import Store

POSTBACK, SEEN, ARRIVAL = table(StoredPostback), table(Seen), table(Arrival)
QUARANTINE, ATTEMPT = table(Quarantined), table(Attempt)
DELIVERY, WINDOW = table(Delivery), table(ReportWindow)
TOUCH = table(Touch)

PIECE = 500
ATTEMPT_DAYS = 30
WINDOW_DAYS = 400


def retain(store: Store, settings: Settings, now: datetime) -> int:
    """Delete a piece of each kind that is past its time; how many rows. Call until it is 0.

    What was counted stays counted. Room for the months to come is made here too.
    """
    with store.read() as connection:
        months.ensure_ahead(connection, now)
    return (
        drop_unvouched(store, now - timedelta(days=settings.invalid_days))
        + drop_quarantined(store, now - timedelta(days=settings.quarantine_days))
        + drop_attempts(store, now - timedelta(days=ATTEMPT_DAYS))
        + drop_windows(store, now - timedelta(days=WINDOW_DAYS))
        + retain_events(store, settings, now)
        + drop_calls(store, now - KEPT)
        + drop_touches(store, now - timedelta(days=settings.touch_days))
    )


def drop_unvouched(store: Store, before: datetime) -> int:
    """Postbacks whose signature vouched for nothing, with their arrivals and their key."""
    # A row that replaced another must stay: without it the other would count again.
    past = (
        select(POSTBACK.c.id, POSTBACK.c.identity)
        .where(text(UNVOUCHED), POSTBACK.c.received_at < before, POSTBACK.c.supersedes.is_(None))
        .order_by(POSTBACK.c.received_at)
    )
    rows = _find(store, past)
    ids = [row.id for row in rows]

    def work(connection: Connection) -> int:
        # In the order in which `ingest` takes them.
        for key in sorted(row.identity for row in rows):
            connection.execute(delete(SEEN).where(SEEN.c.key == key))
        connection.execute(delete(ARRIVAL).where(ARRIVAL.c.stored_id.in_(ids)))
        # Owed to who wants what does not count, too; what is still owed ends as a dead letter.
        identities = [row.identity for row in rows]
        mine = (DELIVERY.c.identity.in_(identities), DELIVERY.c.stored_id.in_(ids))
        settled = DELIVERY.c.state.in_((DONE, DEAD))
        connection.execute(delete(DELIVERY).where(*mine, settled))
        gone = delete(POSTBACK).where(POSTBACK.c.id.in_(ids))
        sizes = connection.scalars(gone.returning(func.length(POSTBACK.c.body))).all()
        return _freed(connection, "invalid", sizes)

    return store.write(work) if rows else 0


def drop_quarantined(store: Store, before: datetime) -> int:
    """Bodies that no release since could read."""
    past = select(QUARANTINE.c.id).where(QUARANTINE.c.received_at < before)
    ids = [row.id for row in _find(store, past)]
    gone = delete(QUARANTINE).where(QUARANTINE.c.id.in_(ids))
    counted = [QUARANTINE.c[name] for name in ("endpoint", "body", "verbatim", "claims")]

    def work(connection: Connection) -> int:
        found = connection.execute(gone.returning(*counted)).all()
        return caps.release(connection, [(row[0], caps.size_of(*row[1:])) for row in found])

    return store.write(work) if ids else 0


def drop_attempts(store: Store, before: datetime) -> int:
    """The log of tries. Only its oldest end is looked at: rows are numbered as they come."""
    oldest = select(ATTEMPT.c.id, ATTEMPT.c.at).order_by(ATTEMPT.c.id)
    ids = [row.id for row in _find(store, oldest) if row.at < before]
    gone = delete(ATTEMPT).where(ATTEMPT.c.id.in_(ids))
    return store.write(lambda connection: connection.execute(gone).rowcount) if ids else 0


def drop_windows(store: Store, before: datetime) -> int:
    """Windows of reports, but for those that are still to be delivered."""
    open_ = exists().where(
        DELIVERY.c.identity == WINDOW.c.identity,
        DELIVERY.c.stored_id == WINDOW.c.id,
        DELIVERY.c.state.in_((OWED, LEASED)),
    )
    past = select(WINDOW.c.id).where(WINDOW.c.end < before, ~open_).order_by(WINDOW.c.id)
    ids = [row.id for row in _find(store, past)]
    gone = delete(WINDOW).where(WINDOW.c.id.in_(ids), ~open_)
    return store.write(lambda connection: connection.execute(gone).rowcount) if ids else 0


def drop_touches(store: Store, before: datetime) -> int:
    """Clicks and views; to whom an install was given, and why, stays with the install."""
    past = select(TOUCH.c.id).where(TOUCH.c.at < before).order_by(TOUCH.c.at)
    ids = [row.id for row in _find(store, past)]
    gone = delete(TOUCH).where(TOUCH.c.id.in_(ids))
    return store.write(lambda connection: connection.execute(gone).rowcount) if ids else 0


def _find(store: Store, past: Select[Any]) -> Sequence[Row[Any]]:
    """A piece of what is past its time: a read, so that an hour without any stops nobody."""
    with store.read() as connection:
        return connection.execute(past.limit(PIECE)).all()


def _freed(connection: Connection, kind: str, sizes: Sequence[int]) -> int:
    """Give back the room that deleted rows took under their cap; how many they were."""
    caps.record(connection, kind, sizes, sign=-1)
    return len(sizes)
