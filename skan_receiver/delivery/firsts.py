"""Whether a user has done something before: for mappings that send a partner the first only.

By the identifiers that the event came with, whatever consent says of sending them: they are
compared here and go nowhere. Any of them is enough, since each is of one user or device. What is
remembered are the events themselves, so it ends with their retention, and an erased person's is
gone with him.
"""

from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, text

from skan_receiver.mmp.event import Event
from skan_receiver.mmp.withdrawals import BY
from skan_receiver.storage import EventDecision, StoredEvent
from skan_receiver.storage.columns import table

EVENT, DECISION = table(StoredEvent), table(EventDecision)

OWED, HELD = "owed", "held"

# Of `pg_advisory_xact_lock`'s two numbers the one that is ours.
LOCKS = 7355610

Key = tuple[Any, ...]


class Firsts:
    """What users have done, in one transaction: no two may find that they are the first."""

    def __init__(self, connection: Connection, destinations: Collection[str]) -> None:
        self._connection = connection
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
        self._sent.update(_keys(destination, event))

    def _before(self, destination: str, id_: int, event: Event) -> bool:
        mine = and_(DECISION.c.event_id == EVENT.c.id, DECISION.c.destination == destination)
        found = (
            select(EVENT.c.id)
            .join(DECISION, mine)
            .where(DECISION.c.outcome == OWED, EVENT.c.id != id_)
            .where(EVENT.c.kind == event.kind.value, EVENT.c.name == event.name)
            .where(EVENT.c.app_id.is_not_distinct_from(event.app_id))
            .where(EVENT.c.bundle_id.is_not_distinct_from(event.bundle_id))
            .where(or_(*_same_user(event)))
            .limit(1)
        )
        return self._connection.execute(found).first() is not None


def _named(event: Event) -> dict[str, str]:
    return {name: value for name, value in event.person.named().items() if name in BY}


def _keys(destination: str, event: Event) -> Iterator[Key]:
    for name, value in _named(event).items():
        teller = event.provider if name == "mmp_user_id" else ""
        yield destination, event.name, event.app_id, event.bundle_id, name, teller, value


def _same_user(event: Event) -> Iterator[ColumnElement[bool]]:
    for name, value in _named(event).items():
        same = EVENT.c[name] == value
        # An MMP's own name for a device means nothing at another.
        yield and_(same, EVENT.c.provider == event.provider) if name == "mmp_user_id" else same
