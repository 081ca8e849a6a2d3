"""How often one may guess.

Counted per process and by where the guesses come from, so that nobody can lock anybody else out.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

REMEMBERED = 10_000  # sources; the one silent for longest is forgotten first


class Throttle:
    """At most `limit` failures of one source within `seconds`."""

    def __init__(
        self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._failures: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, source: Hashable) -> float:
        """Seconds until `source` may try again; 0 is now."""
        with self._lock:
            failures = self._failures.get(source)
            if failures is None or len(failures) < self._limit:
                return 0.0
            return max(0.0, failures[0] + self._seconds - self._clock())

    def failed(self, source: Hashable) -> None:
        """Remember a wrong guess."""
        with self._lock:
            failures = self._failures.setdefault(source, deque(maxlen=self._limit))
            failures.append(self._clock())
            self._failures.move_to_end(source)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)
