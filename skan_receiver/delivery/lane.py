"""A destination's lane: what is in hand for it, and the threads that send.

Each destination has its own, so that one that hangs keeps nobody else waiting.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row

from skan_receiver.delivery.destinations import Destination

log = structlog.get_logger("delivery")

# At once to one destination; and in hand, so that no thread waits for the next claim.
AT_ONCE = 8
IN_HAND = 64


@dataclass(slots=True)
class Claim:
    """One claim's lease, on our own clock: nothing is begun that might outlast it."""

    id: str
    until: float

    def lasts(self, seconds: float) -> bool:
        return time.monotonic() + seconds < self.until


@dataclass(frozen=True, slots=True)
class InHand:
    """A claimed delivery: its postback's columns and `delivery_id`, `destination`, `attempts`."""

    row: Row[Any]
    claim: Claim

    @property
    def key(self) -> tuple[int, str]:
        return self.row.delivery_id, self.claim.id


class Lane:
    """What is in hand for one destination. `low` is called when there is room for more."""

    def __init__(self, name: str, low: Callable[[], None]) -> None:
        self.destination: Destination | None = None  # None while nothing may be sent
        self._gone: Destination | None = None
        self._low = low
        self._lock = threading.Lock()
        self._held: dict[int, tuple[InHand, Future[None]]] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, f"deliver-{name}")

    def open(self, destination: Destination | None) -> None:
        """Send by this definition from now on; a paused one, or one that is gone, not at all."""
        shut = destination is None or destination.paused or destination == self._gone
        self.destination = None if shut else destination

    def gone(self, destination: Destination) -> bool:
        """The other side said 410. Closed until its definition changes; whether that is news."""
        news, self._gone = self._gone != destination, destination
        if self.destination == destination:
            self.destination = None
        return news

    @property
    def room(self) -> int:
        """How many more to claim: none while half is left, so that claims are worth it."""
        held = len(self._held)
        return IN_HAND - held if self.destination is not None and held <= IN_HAND // 2 else 0

    def take(self, deliveries: Iterable[InHand], send: Callable[["Lane", InHand], None]) -> None:
        """Hold claimed deliveries, and have each sent."""
        with self._lock:
            for one in deliveries:
                future = self._threads.submit(self._run, send, one)
                self._held[one.row.delivery_id] = one, future

    def held(self) -> list[InHand]:
        with self._lock:
            return [one for one, _ in self._held.values()]

    def stop(self) -> None:
        """Begin nothing new."""
        self.destination = None
        self._threads.shutdown(wait=False, cancel_futures=True)

    def wait(self, seconds: float) -> None:
        """Wait for what is being sent."""
        with self._lock:
            sending = [future for _, future in self._held.values() if not future.cancelled()]
        wait_for(sending, timeout=seconds)

    def _run(self, send: Callable[["Lane", InHand], None], one: InHand) -> None:
        try:
            send(self, one)
        except Exception:
            log.exception("not recorded", delivery=one.row.delivery_id)
        finally:
            with self._lock:
                del self._held[one.row.delivery_id]
            if self.room:
                self._low()
