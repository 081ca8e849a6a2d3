"""Is it alive, is it ready, how is it doing?"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import request
from flask.testing import FlaskClient
from sqlalchemy import text

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store, migrate
from skan_receiver.testing import Signer, encode
from skan_receiver.web import create_app
from skan_receiver.web.readiness import Readiness
from skan_receiver.web.services import of
from tests.web.site import Site


@contextmanager
def application(folder: Path, **settings: object) -> Iterator[FlaskClient]:
    """A client of an application whose database nobody has made yet."""
    url = f"sqlite:///{folder}/none/skan.sqlite3"
    app = create_app(Settings(var=folder, database_url=url, **settings))  # type: ignore[arg-type]
    yield app.test_client()
    of(app).store.close()


def ready(client: FlaskClient) -> tuple[int, dict[str, Any]]:
    """The answer to whether it is ready."""
    answer = client.get("/readyz")
    return answer.status_code, json.loads(answer.text)


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
def test_a_process_lives_whatever_the_store_does(tmp_path: Path, path: str) -> None:
    """Restarting us would not mend a database."""
    with application(tmp_path) as client:
        assert client.get(path).status_code == 200
    assert not (tmp_path / "none").exists()


def test_ready_means_that_a_postback_would_be_kept(either_site: Site) -> None:
    """Found out by writing; 503 otherwise, without telling strangers where the database is."""
    keys = len(list(either_site.app.extensions["skan"].keys))
    assert ready(either_site.client) == (
        200,
        {"ready": True, "fault": "", "keys": keys, "warnings": []},
    )


def test_a_store_that_takes_no_writes_is_not_ready(either_site: Site) -> None:
    """That it can be read says nothing."""
    site = either_site
    somebody_else = site.store.engine.execution_options(begin="EXCLUSIVE")
    with somebody_else.begin() as connection:
        if not site.store.is_sqlite:
            connection.execute(text("LOCK TABLE usage IN ACCESS EXCLUSIVE MODE"))
        status, said = ready(site.client)
    assert (status, said["fault"]) == (503, "the store takes no writes")


def test_a_database_that_was_not_upgraded_is_not_ready(tmp_path: Path) -> None:
    """The answer says what to do."""
    with application(tmp_path) as client:
        status, said = ready(client)
    assert status == 503
    assert "skan-receiver db upgrade" in said["fault"]


def test_asking_often_does_not_write_often(sqlite_url: str) -> None:
    """Anybody may ask."""
    store = Store(sqlite_url)
    readiness = Readiness(store)
    assert [readiness.fault() for _ in range(100)] == [""] * 100
    with store.read() as connection:
        written = connection.scalar(text("SELECT rows FROM usage WHERE kind = 'readyz'"))
    assert written == 1
    store.close()


def test_what_must_not_be_in_production_is_said(sqlite_url: str, tmp_path: Path) -> None:
    """A sandbox that was forgotten counts what no user did."""
    tests = tmp_path / "tests.json"
    tests.write_text(json.dumps(Signer().test_keys()))
    site = Site(sqlite_url, tmp_path, sandbox=True, test_keys=tests)
    assert [said.split("(")[1] for said in ready(site.client)[1]["warnings"]] == [
        "SKAN_SANDBOX)",
        "SKAN_TEST_KEYS)",
    ]
    site.close()


def test_numbers_are_for_those_who_may_read(site: Site) -> None:
    """How much arrives, and from whom, is a business's secret."""
    assert site.client.get("/metrics").status_code == 401
    assert site.client.get("/metrics", headers=site.key("write")).status_code == 403
    site.client.post("/receive", data=encode(site.signer.skadnetwork()))
    answer = site.client.get("/metrics", headers=site.key("read"))
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert "skan_arrivals_total" in answer.text
    assert "skan_fresh 1.0" in answer.text


def test_numbers_are_there_when_the_store_is_not(site: Site) -> None:
    """They say best what is going wrong; only the store's own are missing."""
    site.sign_in()
    assert "skan_fresh" in site.client.get("/metrics").text
    with closing(sqlite3.connect(str(site.store.url.database))) as connection:
        connection.execute("DROP TABLE fresh")
    assert "skan_arrivals_total" in site.client.get("/metrics").text


def test_a_wrong_file_stops_the_start_and_is_named(tmp_path: Path) -> None:
    """A typing mistake must not open the door, or close it, unnoticed."""
    wrong = tmp_path / "tokens.yaml"
    for content in ("- a\n- b\n", "a: 12345\n", "a: [\n", "1: x\n"):
        wrong.write_text(content)
        with pytest.raises(ConfigurationError, match=r"SKAN_FORWARDER_TOKENS.*tokens\.yaml"):
            application(tmp_path, forwarder_tokens=wrong).__enter__()
    with pytest.raises(ConfigurationError, match=r"SKAN_FORWARDER_TOKENS.*No such file"):
        application(tmp_path, forwarder_tokens=tmp_path / "none").__enter__()


def test_proxies_are_believed_as_far_as_they_are_known(sqlite_url: str, tmp_path: Path) -> None:
    """X-Forwarded-For is anybody's to write; each known proxy adds one entry to it."""
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "https"}
    seen = []
    for hops in (0, 1):
        site = Site(sqlite_url, tmp_path, trusted_proxies=hops)
        site.app.add_url_rule("/who", view_func=lambda: f"{request.remote_addr} {request.scheme}")
        seen.append(site.client.get("/who", headers=headers).text)
        site.close()
    assert seen == ["127.0.0.1 http", "203.0.113.7 https"]


def test_making_the_application_opens_no_connection(tmp_path: Path) -> None:
    """gunicorn forks; a connection must not be shared."""
    with application(tmp_path) as client:
        assert not (tmp_path / "none").exists()
        store = Store(f"sqlite:///{tmp_path}/none/skan.sqlite3")
        migrate.upgrade(store)
        store.close()
        assert ready(client)[0] == 200


def test_whoever_finds_a_weakness_learns_whom_to_tell(tmp_path: Path) -> None:
    """RFC 9116: a contact, and an end within a year; nothing where nobody said whom."""
    path = "/.well-known/security.txt"
    with application(tmp_path) as client:
        assert client.get(path).status_code == 404
    settings = {"security_contact": "security@corp.example", "public_url": "https://skan.example/"}
    with application(tmp_path, **settings) as client:
        answer = client.get(path)
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert answer.content_type == "text/plain; charset=utf-8"
    assert fields["Contact"] == "mailto:security@corp.example"
    assert fields["Canonical"] == f"https://skan.example{path}"
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)
