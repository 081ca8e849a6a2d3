"""Brokers that live as long as the session, and are empty when a test begins."""

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engine.brokers import Broker

# Celery is an extra, which `make test` does without.
collect_ignore_glob = [] if find_spec("celery") else ["test_*.py"]


@pytest.fixture(scope="session")
def started() -> "Iterator[dict[str, Broker]]":
    """Those that were needed so far, by kind."""
    with ExitStack() as running:
        yield _Started(running)


class _Started(dict[str, "Broker"]):
    def __init__(self, running: ExitStack) -> None:
        super().__init__()
        self._running = running

    def __missing__(self, kind: str) -> "Broker":
        from tests.engine import brokers

        if not brokers.available(kind):
            pytest.skip(f"needs Debian's {kind}-server")
        self[kind] = self._running.enter_context(brokers.running(kind))
        return self[kind]


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, started: "dict[str, Broker]") -> "Broker":
    """The test runs once with each broker."""
    found = started[request.param]
    found.empty()
    return found
