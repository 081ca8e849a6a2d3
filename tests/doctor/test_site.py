"""The public address: what is between a device and us."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from skan_receiver.config import Settings
from skan_receiver.doctor import Finding, State, look_at_site
from skan_receiver.storage import Quarantined, Store, StoredPostback
from skan_receiver.web import create_app
from tests.delivery.test_transport import certificate
from tests.receiving import Receiver
from tests.sink import answers, closed_port, sink

NOW = datetime.now(UTC)


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[str]:
    """The receiver itself."""
    settings = Settings(database_url=sqlite_url, var=tmp_path, secret_key="test")
    app = create_app(settings)
    server = make_server("127.0.0.1", closed_port(), app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["skan"].store.close()


def states(findings: list[Finding]) -> set[State]:
    return {one.state for one in findings if one.what != "certificate"}


def test_our_receiver_is_good_and_keeps_nothing_of_it(served: str, sqlite_url: str) -> None:
    """Four paths, with a body of 15 KiB too; the store stays empty."""
    findings = look_at_site(served, datetime.now(UTC))
    assert states(findings) == {State.GOOD}
    assert len([one for one in findings if one.what.startswith("/.well-known")]) == 4
    store = Store(sqlite_url)
    receiver = Receiver(store)
    assert receiver.rows(StoredPostback) == receiver.rows(Quarantined) == []
    store.close()


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (301, {"Location": "https://elsewhere.example/"}, "redirects to https://elsewhere"),
        (403, {"Content-Type": "text/html"}, "bot challenge"),
        (200, {"Content-Type": "text/html"}, "web page"),
        (404, {}, "not reached"),
        (202, {}, "is this skan-receiver?"),
    ],
)
def test_what_stands_in_the_way_is_named(status: int, headers: dict[str, Any], said: str) -> None:
    """Redirects, challenges, other servers."""
    with sink(answers(status, **headers)) as place:
        findings = look_at_site(place.url, NOW)
    assert all(said in one.said for one in findings if one.what.startswith("/.well"))
    assert State.GOOD not in states(findings)


def test_nobody_there() -> None:
    """A line each, no traceback."""
    assert states(look_at_site(f"http://127.0.0.1:{closed_port()}", NOW)) == {State.BAD}
    assert states(look_at_site("example.com", NOW)) == {State.BAD}


def test_clocks_that_differ_are_named(served: str) -> None:
    """A minute matters where hours are counted."""
    findings = look_at_site(served, NOW + timedelta(hours=2))
    assert [one.state for one in findings if one.what == "clock"] == [State.WARNING]


def test_a_certificate_that_devices_refuse(tmp_path: Path) -> None:
    """Made by nobody they know."""
    tls, _ = certificate(tmp_path, "127.0.0.1")
    with sink(tls=tls) as place:
        (first, *_) = look_at_site(place.url, NOW)
    assert first.state is State.BAD
    assert "devices will not accept it" in first.said
