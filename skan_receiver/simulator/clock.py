"""The simulated time: real, faster, or as fast as it goes."""

import time
from collections.abc import Callable


class Clock:
    """Maps the moments of a scenario to now. `speed`: simulated seconds a second; 0: no waiting."""

    def __init__(
        self,
        speed: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.speed = speed
        self._monotonic, self._sleep = monotonic, sleep
        self._began: tuple[int, float] | None = None

    def wait(self, at: int) -> None:
        """Until it is `at` (milliseconds since 1970); the first one is now."""
        if not self.speed:
            return
        if self._began is None:
            self._began = at, self._monotonic()
        first, begun = self._began
        ahead = (at - first) / 1000 / self.speed - (self._monotonic() - begun)
        if ahead > 0:
            self._sleep(ahead)
