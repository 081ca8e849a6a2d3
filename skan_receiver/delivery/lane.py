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
from typing import Any

import structlog
from sqlalchemy import Row

from skan_receiver.delivery.gate import Recent
from skan_receiver.delivery.registry import Entry

log = structlog.get_logger("delivery")

# In hand for one destination, so that no thread waits for the next claim.
IN_HAND = 128
# Begun and not yet written down: what a kill may repeat. More only where more are sent at once.
UNRECORDED = 16
# Answers that take longer than this are worth another thread. Where each thread's share of the
# time is shorter than that, threads mostly wait for each other, and one may go.
SLOW_SECONDS = 0.003
SHARE_SECONDS = 0.0006
LATEST = 0.1  # the weight of the latest answer in the average
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
        self._begun: dict[tuple[int, str], InHand] = {}
        self._threads = 0
        self._idle = 0
        self._takes = 0.0  # seconds an answer takes, on average
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
        """How many more to claim: none while half is left, so that claims are worth it.

        Of one with a rate no more than a second's worth: what gathered here in a slow moment
        would go out at once in a quick one.
        """
        if self.entry is None:
            return 0
        rate = self.entry.destination.rate
        most = IN_HAND if rate is None else min(IN_HAND, int(rate) + 1)
        held = len(self._queue) + len(self._begun)
        return most - held if held <= most // 2 else 0

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
            self._begun.pop(one.key, None)
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
            if not self._is_needed(time.monotonic() - begun):
                return

    def _is_needed(self, took: float) -> bool:
        """Whether the thread that just sent is to go on; another may join it."""
        with self._changed:
            self._takes += LATEST * (took - self._takes)
            if self._takes > SLOW_SECONDS and self._queue and not self._idle:
                self._widen()
            if self._threads == 1 or self._takes > SHARE_SECONDS * self._threads:
                return True
            self._threads -= 1
            return False

    def _next(self) -> tuple[Entry, InHand] | None:
        """What to send next, and by which definition; None for a thread that is not needed."""
        with self._changed:
            self._idle += 1
            found = self._changed.wait_for(self._may_send, IDLE_SECONDS)
            self._idle -= 1
            entry = self.entry
            if not found or entry is None or self._threads > entry.destination.concurrency:
                self._threads -= 1
                self._changed.notify()  # it may have been called in another's place
                return None
            one = self._queue.popleft()
            self._begun[one.key] = one
            self._passed += 1
            return entry, one

    def _may_send(self) -> bool:
        if self._stopped:
            return True
        if self.entry is None or not self._queue:
            return False
        at_once = self.entry.destination.concurrency
        # One at a time means in order: the next is begun when the one before it is recorded.
        return len(self._begun) < (max(UNRECORDED, at_once) if at_once > 1 else 1)
