"""The destinations as a worker sees them: at most half a second old."""

import threading
import time
from collections.abc import Mapping

import structlog

from skan_receiver.delivery.registry import Entry, readable
from skan_receiver.storage import Store

log = structlog.get_logger("delivery")

OLDEST_SECONDS = 0.5


class Directory:
    """Every destination, read again when what is known is old.

    Only for what is sent: what is owed, and whether a destination is paused, is decided in the
    transaction that writes it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: tuple[Entry, ...] = ()
        self._until = 0.0
        self._told: Mapping[str, str] = {}

    def now(self) -> tuple[Entry, ...]:
        """The destinations, by name."""
        with self._lock:
            if time.monotonic() >= self._until:
                with self._store.read() as connection:
                    self._known, unreadable = readable(connection)
                self._tell(unreadable)
                self._until = time.monotonic() + OLDEST_SECONDS
            return self._known

    def _tell(self, unreadable: Mapping[str, str]) -> None:
        """Of each that cannot be read, once."""
        for name, why in unreadable.items():
            if self._told.get(name) != why:
                log.error("not sent to", destination=name, error=why)
        self._told = unreadable

    def forget(self) -> None:
        """Read them again next time."""
        self._until = 0.0
