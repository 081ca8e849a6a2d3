"""Whether the endpoint answers, asked at its address."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from skan_receiver.alerting.endpoint import Endpoint
from skan_receiver.alerting.watch import Watch
from skan_receiver.config import Settings
from skan_receiver.delivery import Transport
from skan_receiver.storage import Store
from skan_receiver.storage.checks import checks_since
from skan_receiver.web import create_app
from tests.alerting.planted import NOW, found
from tests.sink import closed_port
from tests.web.listening import listening


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(allow_private=True, exchange_seconds=2.0)
    yield made
    made.close()


def test_ours_answers(store_url: str, tmp_path: Path, transport: Transport) -> None:
    """As an empty fault; no address, no answer."""
    app = create_app(Settings(var=tmp_path, database_url=store_url))
    with listening(app) as address:
        assert Endpoint(address + "/", transport).fault() == ""
    assert Endpoint("", transport).fault() is None


def test_what_is_in_the_way_is_told(transport: Transport) -> None:
    """Nobody, a proxy that has lost us, somebody else's page."""
    nobody = f"http://127.0.0.1:{closed_port()}"
    assert "refused" in (Endpoint(nobody, transport).fault() or "")
    app = Flask("another")
    app.add_url_rule("/<path:path>", "page", lambda path: "<h1>Welcome</h1>")
    with listening(app) as address:
        told = Endpoint(address, transport).fault()
        assert told == "something else than skan-receiver answers at 127.0.0.1"
    with listening(Flask("empty")) as address:
        assert Endpoint(address, transport).fault() == "127.0.0.1 answers 404"


def test_the_watch_looks_every_minute_and_tells(store: Store, transport: Transport) -> None:
    """Three minutes without an answer are an alert, until there is one."""
    settings = Settings(public_url=f"http://127.0.0.1:{closed_port()}")
    ours = Endpoint(settings.public_url, transport)
    watch = Watch(store, settings, transport, ours, threading.Event(), first=0)
    for minute in range(3):
        watch.step(NOW + timedelta(minutes=minute))
    assert not found(store, "endpoint", NOW + timedelta(minutes=2))
    watch.step(NOW + timedelta(minutes=3))
    [one] = found(store, "endpoint", NOW + timedelta(minutes=3))
    assert "12:30 UTC" in one.message
    assert "refused" in one.message
    assert not found(store, "endpoint", NOW + timedelta(minutes=3), minutes=4)
    with store.read() as connection:
        checks = checks_since(connection, NOW, NOW + timedelta(minutes=3))
    assert checks
    assert (checks.made, checks.failed) == (4, 4)
