"""A call that is sent again, since its answer was lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from skan_receiver.storage import access, apikeys
from skan_receiver.storage.idempotency import KEPT, drop_calls
from skan_receiver.testing import encode
from tests.web.site import Site


def test_it_is_carried_out_once_and_answered_the_same(either_site: Site) -> None:
    """Also where a hundred send it at once; another call by that name is refused."""
    site = either_site
    key = site.key("admin") | {"Idempotency-Key": "one"}
    text = "app: 42\nwindows:\n  0:\n    fine: {model: retention, days: [1]}\n"

    def publish(note: str = "") -> TestResponse:
        body = {"text": text, "effective_from": "2026-11-01T00:00:00Z", "note": note}
        return site.browser().post("/api/v1/schemas/42", json=body, headers=key)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: publish(), range(8)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 409}
    again = publish()
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["number"] == 1  # type: ignore[index]
    assert again.headers["ETag"]
    other = publish("another")
    assert other.status_code == 422
    assert "another call" in other.json["detail"]  # type: ignore[index]
    listed: Any = site.client.get("/api/v1/schemas/42", headers=site.key("read")).json
    assert len(listed["versions"]) == 1


def test_bytes_are_read_as_they_were_sent(site: Site) -> None:
    """A named call is remembered by its body; what it is about is judged by the same bytes."""
    key = site.key("read") | {"Idempotency-Key": "one"}
    body = encode(site.signer.skadnetwork())
    answer = site.client.post("/api/v1/verify", data=body, headers=key)
    assert answer.status_code == 200
    assert answer.json["verdict"] == "valid"  # type: ignore[index]


def test_what_was_refused_can_be_mended_and_sent_again(site: Site) -> None:
    """By the same name."""
    key = site.key("admin") | {"Idempotency-Key": "one"}
    for name, status in (("admin", 201), ("ana", 422)):
        body = {"name": name, "role": "viewer"}
        assert site.client.post("/api/v1/users", json=body, headers=key).status_code == status
    wrong = site.client.post(
        "/api/v1/users", json={}, headers=site.key("admin") | {"Idempotency-Key": "ä"}
    )
    assert wrong.status_code == 422


def test_what_is_shown_once_is_not_kept(site: Site) -> None:
    """Not even for who sends the call again."""
    key = site.key("admin") | {"Idempotency-Key": "one"}
    body = {"name": "grafana", "scopes": ["read"]}
    made = site.client.post("/api/v1/keys", json=body, headers=key)
    assert made.status_code == 201
    again = site.client.post("/api/v1/keys", json=body, headers=key)
    assert again.status_code == 409
    assert "done already" in again.json["detail"]  # type: ignore[index]
    assert len(apikeys.keys(site.store)) == 2
    assert access.users(site.store) == []


def test_it_is_forgotten_after_a_day(site: Site) -> None:
    """Then the name is new again."""
    key = site.key("admin") | {"Idempotency-Key": "one"}
    site.client.put("/api/v1/apps/42", json={}, headers=key)
    assert drop_calls(site.store, datetime.now(UTC) - KEPT) == 0
    assert drop_calls(site.store, datetime.now(UTC) + timedelta(seconds=1)) == 1
