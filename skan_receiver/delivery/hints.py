"""Telling an engine what is due, where the sending is left to one.

The ledger is the queue of record; what an engine carries are hints: a destination's name and a few
ids. A hint that is lost is told again, and one that comes twice finds nothing to claim. So a broker
that forgets everything costs time, and nothing else.

No more is told than could be claimed now: a chunk for each that a destination takes at once. Who
has sent a chunk tells of the next (`chunk`); the worker begins, once a second, and tells again what
was lost. So a backlog of a million waits in the ledger, not in a broker.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection

from skan_receiver.delivery import ledger, marks
from skan_receiver.delivery.deliver import LEASE
from skan_receiver.delivery.directory import Directory
from skan_receiver.delivery.registry import Entry
from skan_receiver.errors import SkanError
from skan_receiver.storage import Store
from skan_receiver.storage.clock import clock

# Ids in a message: what is sent one after the other, and what a kill may repeat.
CHUNK = 8
# A hint that nothing came of is told again: soon where no message waits, since then it is lost.
HINT_SECONDS = 30.0
LOST_SECONDS = 3.0
# Where so many messages wait, nobody takes them, and more of them would help nobody.
OUTSTANDING = 1_000

Tell = Callable[[str, Sequence[int]], None]


class EngineUnavailable(SkanError):
    """The engine cannot be told: its broker is away. What is due waits in the ledger."""


class Engine(Protocol):
    """What carries hints. Either raises EngineUnavailable, within seconds."""

    def tell(self, destination: str, ids: Sequence[int]) -> None: ...

    def waiting(self) -> int:
        """How many messages nobody has taken yet."""
        ...


def hint(
    store: Store,
    entry: Entry,
    tell: Tell,
    *,
    patience: float = HINT_SECONDS,
    lease: timedelta = LEASE,
) -> int:
    """Tell of what is due to a destination, was not told in the last `patience` seconds, and could
    be claimed now; how many deliveries that were.

    EngineUnavailable as `tell` raises it: then the rest counts as not told.
    """
    with store.read() as connection:
        found = _unknown(connection, entry, patience, lease)
    ours = marks.mark(store, found, patience) if found else set()
    ids = [id_ for id_ in found if id_ in ours]
    told = 0
    try:
        for told in range(0, len(ids), CHUNK):
            tell(entry.name, ids[told : told + CHUNK])
        told = len(ids)
    finally:
        if told < len(ids):
            marks.unmark(store, ids[told:])
    return len(ids)


def _unknown(
    connection: Connection, entry: Entry, patience: float, lease: timedelta
) -> Sequence[int]:
    free = entry.destination.concurrency - ledger.held(connection, entry.name, lease)
    limit = min(_most(connection, entry), free * CHUNK)
    return marks.unknown(connection, entry.name, limit, patience) if limit > 0 else ()


def _most(connection: Connection, entry: Entry) -> int:
    """How many its gate may let through now; more of them would only be turned back."""
    if entry.paused:
        return 0
    if entry.open_until is not None:
        return int(clock(connection) >= entry.open_until)
    rate = entry.destination.rate
    return OUTSTANDING if rate is None else int(rate) + 1


class Hinter:
    """The worker's part in what is owed, where an engine does the sending."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self.wake = threading.Event()  # set when it is worth calling `step` again
        self._store, self._engine = store, engine
        self._directory = Directory(store)

    def step(self) -> bool:
        """Tell what there is to tell; never more at once, since who sends a chunk tells more."""
        if (waiting := self._engine.waiting()) < OUTSTANDING:
            patience = HINT_SECONDS if waiting else LOST_SECONDS
            known = {entry.name: entry for entry in self._directory.now()}
            for name in ledger.due(self._store, known):
                hint(self._store, known[name], self._engine.tell, patience=patience)
        return False

    def finish(self) -> None:
        """Nothing is in hand here."""
