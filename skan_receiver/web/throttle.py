"""How often one may guess.

Counted per process and by where the guesses come from, so that nobody can lock anybody else out.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import blake2b

REMEMBERED = 10_000  # sources; the one silent for longest is forgotten first


class Throttle:
    """At most `limit` failures of one source within `seconds`."""

    def __init__(
        self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        # In the order of their last failure. The keys are digests: what a source is called, and
        # how long that is, is for strangers to choose.
        self._failures: OrderedDict[bytes, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, *source: str) -> float:
        """Seconds until `source` may try again; 0 is now."""
        with self._lock:
            now = self._forget()
            failures = self._failures.get(_digest(source))
            if failures is None or len(failures) < self._limit:
                return 0.0
            return max(0.0, failures[0] + self._seconds - now)

    def failed(self, *source: str) -> None:
        """Remember a wrong guess."""
        with self._lock:
            now, key = self._forget(), _digest(source)
            failures = self._failures.setdefault(key, deque(maxlen=self._limit))
            failures.append(now)
            self._failures.move_to_end(key)
            if len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def __len__(self) -> int:
        """How many sources are remembered."""
        return len(self._failures)

    def _forget(self) -> float:
        """Drop those whose last failure is older than the window; the time it is."""
        now = self._clock()
        while self._failures:
            oldest = next(iter(self._failures.values()))
            if now - oldest[-1] < self._seconds:
                break
            self._failures.popitem(last=False)
        return now


def _digest(source: tuple[str, ...]) -> bytes:
    return blake2b(repr(source).encode(), digest_size=16).digest()
