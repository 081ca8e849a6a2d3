"""Whether a user has done something before: for mappings that send a partner the first only.

By the identifiers that the event came with, whatever consent says of sending them: they are
compared here and go nowhere. Any of them is enough, since each is of one user or device. What is
remembered are the events themselves, so it ends as they forget whose they were, and an erased
person's is gone with him.
"""

from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, or_, select, text

from skan_receiver.mmp.event import Event
from skan_receiver.mmp.withdrawals import BY
from skan_receiver.storage import EventDecision, StoredDestination, StoredEvent
from skan_receiver.storage.columns import table

EVENT, DECISION = table(StoredEvent), table(EventDecision)
DESTINATION = table(StoredDestination)

OWED, HELD = "owed", "held"

# Of a decision: it was made for the destination that has the name now, and not for one that was
# removed and may have been another partner's. By the database's clock, both of them.
IS_ITS_OWN = exists().where(
    DESTINATION.c.name == DECISION.c.destination, DESTINATION.c.created_at <= DECISION.c.at
)

# Of `pg_advisory_xact_lock`'s two numbers the one that is ours.
LOCKS = 7355610

Key = tuple[Any, ...]


def _is(name: str) -> ColumnElement[bool]:
    """The same identifier, where the event has one: nothing is equal to NULL. An MMP's own name
    for a device means nothing at another."""
    same = EVENT.c[name] == bindparam(name)
    return and_(same, EVENT.c.provider == bindparam("provider")) if name == "mmp_user_id" else same


def _app(name: str) -> ColumnElement[bool]:
    return EVENT.c[name].is_not_distinct_from(bindparam(name, type_=EVENT.c[name].type))


# Built once: making a statement costs more than running it.
BEFORE = (
    select(EVENT.c.id)
    .join(DECISION, DECISION.c.event_id == EVENT.c.id)
    .where(DECISION.c.destination == bindparam("destination"), DECISION.c.outcome == OWED)
    .where(IS_ITS_OWN)
    .where(EVENT.c.id != bindparam("id"), EVENT.c.kind == bindparam("kind"))
    .where(EVENT.c.name == bindparam("name"), _app("app_id"), _app("bundle_id"))
    .where(or_(*map(_is, BY)))
    .limit(1)
)


class Firsts:
    """What users have done, in one transaction: no two may find that they are the first."""

    def __init__(self, connection: Connection, destinations: Collection[str]) -> None:
        self._connection, self._destinations = connection, destinations
        self._sent: set[Key] = set()
        if connection.dialect.name == "postgresql":  # on SQLite nobody else writes meanwhile
            for name in sorted(destinations):
                number = int.from_bytes(blake2b(name.encode(), digest_size=3).digest())
                lock = text("SELECT pg_advisory_xact_lock(:ours, :number)")
                connection.execute(lock, {"ours": LOCKS, "number": number})

    def refuses(self, destination: str, id_: int, event: Event) -> str:
        """Why it is not the first of its user's; empty where it is."""
        keys = list(_keys(destination, event))
        if not keys:
            return "only a user's first is sent, and nothing tells whose this is"
        if self._sent.intersection(keys) or self._before(destination, id_, event):
            return "only a user's first is sent, and this is not the first"
        return ""

    def note(self, destination: str, event: Event) -> None:
        """It is owed: what follows in the same transaction is not the first."""
        if destination in self._destinations:
            self._sent.update(_keys(destination, event))

    def _before(self, destination: str, id_: int, event: Event) -> bool:
        about = {
            "destination": destination,
            "id": id_,
            "kind": event.kind.value,
            **{name: getattr(event, name) for name in ("name", "provider", "app_id", "bundle_id")},
            **{name: getattr(event.person, name) for name in BY},
        }
        return self._connection.execute(BEFORE, about).first() is not None


def _keys(destination: str, event: Event) -> Iterator[Key]:
    for name in BY:
        if (value := getattr(event.person, name)) is not None:
            teller = event.provider if name == "mmp_user_id" else ""
            yield destination, event.name, event.app_id, event.bundle_id, name, teller, value
