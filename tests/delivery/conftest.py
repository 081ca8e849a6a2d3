"""Transports that are closed when the test is over."""

from collections.abc import Callable, Iterator

import pytest

from skan_receiver.delivery.transport import Transport

Make = Callable[..., Transport]


@pytest.fixture
def transport() -> Iterator[Make]:
    """Makes transports."""
    made: list[Transport] = []

    def make(**options: object) -> Transport:
        made.append(Transport(**options))  # type: ignore[arg-type]  # as the test says
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def brisk(transport: Make) -> Make:
    """Makes transports that deliver to 127.0.0.1 and give up after a second."""
    return lambda **options: transport(allow_private=True, exchange_seconds=1.0, **options)
