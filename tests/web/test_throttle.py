"""How often one may guess, and what that costs us."""

import tracemalloc

from skan_receiver.web.throttle import REMEMBERED, Throttle


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_limit_is_per_source_and_per_window() -> None:
    """Whoever failed too often waits for the oldest failure to grow old; others do not."""
    clock = Clock()
    throttle = Throttle(2, 60, clock)
    for _ in range(2):
        throttle.failed("192.0.2.1", "admin")
        clock.now += 10
    assert throttle.wait("192.0.2.1", "admin") == 40
    assert throttle.wait("192.0.2.1", "ada") == 0
    assert throttle.wait("192.0.2.1admin") == 0
    clock.now += 40
    assert throttle.wait("192.0.2.1", "admin") == 0


def test_what_is_older_than_the_window_is_forgotten() -> None:
    """A scan of an hour ago takes no memory, whether or not somebody guesses again."""
    clock = Clock()
    throttle = Throttle(5, 60, clock)
    for number in range(100):
        throttle.failed("192.0.2.1", str(number))
    assert len(throttle) == 100
    clock.now += 30
    throttle.failed("192.0.2.1", "0")
    clock.now += 30
    assert throttle.wait("192.0.2.1", "1") == 0
    assert len(throttle) == 1


def test_long_names_take_no_more_memory_than_short_ones() -> None:
    """A form may have a megabyte; a thousand of them would be a gigabyte."""
    throttle = Throttle(5, 60)
    tracemalloc.start()
    try:
        for number in range(1_000):
            throttle.failed("192.0.2.1", f"{number}" + "x" * 10_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2_000_000


def test_there_is_a_bound_on_sources() -> None:
    """Within the window too."""
    throttle = Throttle(5, 60, Clock())
    for number in range(REMEMBERED + 10):
        throttle.failed(str(number))
    assert len(throttle) == REMEMBERED
