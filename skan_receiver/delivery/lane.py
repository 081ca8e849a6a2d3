"""A destination's lane: what is in hand for it, and the threads that send.

Each destination has its own, so that one that hangs keeps nobody else waiting. A lane begins with
one thread: where answers come at once, more of them only wait for each other. Where they take
their time, or do not come, it gets another, up to the destination's `concurrency`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import Row

from skan_receiver.delivery.gate import Recent
from skan_receiver.delivery.registry import Entry

log = structlog.get_logger("delivery")

# In hand for one destination, so that no thread waits for the next claim.
IN_HAND = 128
# Sent and not yet written down, beyond those being sent: what a kill may repeat.
SPARE = 8
# An answer that takes longer than this is worth another thread; one that is idle so long, ends.
QUICK_SECONDS = 0.005
IDLE_SECONDS = 5.0


@dataclass(slots=True)
class Claim:
    """One claim's lease, on our own clock: nothing is begun that might outlast it."""

    id: str
    until: float

    def lasts(self, seconds: float) -> bool:
        return time.monotonic() + seconds < self.until


@dataclass(frozen=True, slots=True)
class InHand:
    """A claimed delivery: a row of `delivery`, and of what it is about, where that is kept."""

    row: "Row[Any]"
    about: "Row[Any] | None"
    claim: Claim

    @property
    def key(self) -> tuple[int, str]:
        return self.row.id, self.claim.id


Send = Callable[["Lane", Entry, InHand], None]


class Lane:
    """What is in hand for one destination. `low` is called when there is room for more.

    `send` is called in a thread of the lane; each delivery stays in hand until `settled`.
    """

    def __init__(self, name: str, send: Send, low: Callable[[], None]) -> None:
        self.entry: Entry | None = None  # None while nothing may be sent
        self._recent = Recent()
        self._name, self._send, self._low = name, send, low
        self._changed = threading.Condition()
        self._queue: deque[InHand] = deque()
        self._begun: dict[int, InHand] = {}
        self._threads = 0
        self._idle = 0
        self._passed = 0  # how many went by since `step` looked
        self._stopped = False

    def open(self, entry: Entry | None) -> None:
        """Send by this definition from now on; to a paused one, or one that is no more, nothing.

        Called every second or so: where nothing moved since, another thread may help.
        """
        with self._changed:
            self.entry = None if entry is None or entry.paused or self._stopped else entry
            if self._queue and not self._passed and not self._idle:
                self._widen()
            self._passed = 0
            self._changed.notify_all()

    @property
    def room(self) -> int:
        """How many more to claim: none while half is left, so that claims are worth it."""
        held = len(self._queue) + len(self._begun)
        return IN_HAND - held if self.entry is not None and held <= IN_HAND // 2 else 0

    def take(self, deliveries: Iterable[InHand]) -> None:
        """Hold claimed deliveries, and have each sent."""
        with self._changed:
            self._queue.extend(deliveries)
            if not self._threads:
                self._widen()
            self._changed.notify()

    def held(self) -> list[InHand]:
        with self._changed:
            return [*self._begun.values(), *self._queue]

    @property
    def is_empty(self) -> bool:
        return not self._queue and not self._begun

    def withdraw(self) -> list[InHand]:
        """Let go of what was not begun."""
        with self._changed:
            queued = list(self._queue)
            self._queue.clear()
            return queued

    def settled(self, one: InHand) -> None:
        """It is written down, or nobody's any more."""
        with self._changed:
            self._begun.pop(one.row.id, None)
            self._changed.notify()
        if self.room:
            self._low()

    def note(self, *, taken: bool) -> None:
        """A try has ended, so or so."""
        with self._changed:
            self._recent.note(time.monotonic(), taken=taken)

    @property
    def is_bad(self) -> bool:
        """Whether most of what was tried lately failed."""
        with self._changed:
            return self._recent.bad

    def forget(self) -> None:
        """Begin to judge anew."""
        with self._changed:
            self._recent = Recent()

    def stop(self) -> None:
        """Begin nothing new."""
        with self._changed:
            self._stopped, self.entry = True, None
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for what is being sent and written down."""
        with self._changed:
            self._changed.wait_for(lambda: not self._begun, seconds)

    def _widen(self) -> None:
        """Another thread, where the destination allows it. Called with the lock held."""
        if self.entry is not None and self._threads < self.entry.destination.concurrency:
            self._threads += 1
            name = f"deliver-{self._name}"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while (found := self._next()) is not None:
            entry, one = found
            begun = time.monotonic()
            try:
                self._send(self, entry, one)
            except Exception:
                log.exception("not recorded", delivery=one.row.id)
                self.settled(one)
            if time.monotonic() - begun > QUICK_SECONDS:
                with self._changed:
                    if self._queue:
                        self._widen()

    def _next(self) -> tuple[Entry, InHand] | None:
        """What to send next, and by which definition; None for a thread that is not needed."""
        with self._changed:
            self._idle += 1
            found = self._changed.wait_for(self._may_send, IDLE_SECONDS)
            self._idle -= 1
            if not found or self.entry is None:
                self._threads -= 1
                return None
            one = self._queue.popleft()
            self._begun[one.row.id] = one
            self._passed += 1
            return self.entry, one

    def _may_send(self) -> bool:
        if self._stopped:
            return True
        if self.entry is None or not self._queue:
            return False
        at_once = self.entry.destination.concurrency
        return len(self._begun) < at_once + (SPARE if at_once > 1 else 0)
