"""The destinations as a worker sees them: at most half a second old."""

import threading
import time

from skan_receiver.delivery.registry import Entry, readable
from skan_receiver.storage import Store

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

    def now(self) -> tuple[Entry, ...]:
        """The destinations, by name."""
        with self._lock:
            if time.monotonic() >= self._until:
                with self._store.read() as connection:
                    self._known = readable(connection)
                self._until = time.monotonic() + OLDEST_SECONDS
            return self._known

    def forget(self) -> None:
        """Read them again next time."""
        self._until = 0.0
