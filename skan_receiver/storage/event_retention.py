"""How long users' events are kept, by class: docs/events.md. In pieces, as all that ends.

| what | how long |
|---|---|
| who it was, in an event | SKAN_PERSON_DAYS; the event stays, and is counted as before |
| an event, its decisions, its attribution, its settled deliveries | SKAN_EVENT_DAYS |
| dead letters that were about an event | the same, from when they were given up |
| tombstones | SKAN_TOMBSTONE_DAYS |

From when we were told: what a phone says of its clock must not keep anybody here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, null, select, text, update

from skan_receiver.config import Settings
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, Attempt, Delivery
from skan_receiver.storage.erasure import forget_events
from skan_receiver.storage.events import HAS_PERSON, PERSONAL, StoredEvent
from skan_receiver.storage.outgoing import StoredDestination
from skan_receiver.storage.store import Store
from skan_receiver.storage.tombstones import TOMBSTONE

EVENT, DELIVERY, ATTEMPT = table(StoredEvent), table(Delivery), table(Attempt)
DESTINATION = table(StoredDestination)

PIECE = 500

# Written out as the indexes have them.
_HAS_PERSON = text(f"({HAS_PERSON})")
_DEAD = text(f"delivery.state = '{DEAD}'")


def retain_events(store: Store, settings: Settings, now: datetime) -> int:
    """A piece of each class that is past its time; how many rows. Call until it is 0."""
    before = {
        name: now - timedelta(days=getattr(settings, f"{name}_days"))
        for name in ("person", "event", "tombstone")
    }
    return (
        drop_events(store, before["event"])
        + forget_persons(store, before["person"])
        + drop_dead_letters(store, before["event"])
        + drop_tombstones(store, before["tombstone"])
    )


def drop_events(store: Store, before: datetime) -> int:
    """Events with all that is of them; what is still owed ends as a dead letter, `gone`."""
    past = select(EVENT.c.id).where(EVENT.c.received_at < before).order_by(EVENT.c.received_at)
    ids = [row.id for row in _find(store, past)]
    return store.write(lambda connection: forget_events(connection, ids)["events"]) if ids else 0


def forget_persons(store: Store, before: datetime) -> int:
    """What tells of a user leaves the event."""
    past = select(EVENT.c.id).where(_HAS_PERSON, EVENT.c.received_at < before)
    ids = [row.id for row in _find(store, past.order_by(EVENT.c.received_at))]
    nobody = update(EVENT).where(EVENT.c.id.in_(ids)).values(dict.fromkeys(PERSONAL, null()))
    return store.write(lambda connection: connection.execute(nobody).rowcount) if ids else 0


def drop_dead_letters(store: Store, before: datetime) -> int:
    """Deliveries of events that were given up; those of postbacks go with them."""
    of_events = select(DESTINATION.c.name).where(DESTINATION.c.kind == "event")
    past = select(DELIVERY.c.id).where(
        _DEAD, DELIVERY.c.destination.in_(of_events), DELIVERY.c.settled_at < before
    )
    ids = [row.id for row in _find(store, past)]
    tries = delete(ATTEMPT).where(ATTEMPT.c.delivery_id.in_(ids))
    # Somebody may have it sent again meanwhile.
    gone = delete(DELIVERY).where(DELIVERY.c.id.in_(ids), DELIVERY.c.state == DEAD)

    def work(connection: Any) -> int:
        connection.execute(tries)
        return int(connection.execute(gone).rowcount)

    return store.write(work) if ids else 0


def drop_tombstones(store: Store, before: datetime) -> int:
    """By then nobody tells of that time any more."""
    past = select(TOMBSTONE.c.key).where(TOMBSTONE.c.erased_at < before).order_by(TOMBSTONE.c.key)
    keys = [row.key for row in _find(store, past)]
    # Somebody may be erased anew meanwhile.
    gone = delete(TOMBSTONE).where(TOMBSTONE.c.key.in_(keys), TOMBSTONE.c.erased_at < before)
    return store.write(lambda connection: connection.execute(gone).rowcount) if keys else 0


def _find(store: Store, past: Select[Any]) -> Sequence[Row[Any]]:
    with store.read() as connection:
        return connection.execute(past.limit(PIECE)).all()
