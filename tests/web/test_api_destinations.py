"""Destinations and deliveries as programs manage them."""

from typing import Any

import pytest

from tests.delivery.owing import Books
from tests.sink import answers, sink
from tests.web.site import Site

ALL = ("read", "write", "replay")
COPY = {"name": "copy", "url": "https://copy.example/in?key=k", "headers": {"X-Key": "k"}}


def call(
    site: Site,
    method: str,
    path: str,
    body: Any = None,
    *,
    scopes: tuple[str, ...] = ALL,
    **headers: str,
) -> Any:
    key = site.key(*scopes)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.browser().open(f"/api/v1{path}", method=method, json=body, headers={**key, **named})


def added(site: Site, **fields: Any) -> Any:
    return call(site, "POST", "/destinations", {"definition": {**COPY, **fields}})


def test_a_destination_is_added_changed_and_removed(either_site: Site) -> None:
    """With an ETag, so that of two who edit at once one is told."""
    site = either_site
    made = added(site)
    assert (made.status_code, made.json["state"], made.get_etag()[0]) == (201, "active", "1")
    assert added(site).status_code == 409
    other = {"definition": {"url": "https://other.example/"}}
    assert call(site, "PUT", "/destinations/copy", other, If_Match='"7"').status_code == 409
    changed = call(site, "PUT", "/destinations/copy", other, If_Match='"1"')
    assert (changed.status_code, changed.json["revision"]) == (200, 2)
    assert changed.json["definition"]["url"] == "https://other.example/"
    assert call(site, "GET", "/destinations").json["destinations"][0]["name"] == "copy"
    assert call(site, "DELETE", "/destinations/copy").json == {"given_up": 0}
    assert call(site, "GET", "/destinations/copy").status_code == 404


@pytest.mark.parametrize(
    ("fields", "where", "what"),
    [
        ({"url": "https://a.example/{idfa}"}, "url", "identifies a device"),
        ({"url": "https://169.254.169.254/"}, "url", "which no destination may be"),
        ({"add": {"ad-network-campaign-name": "{campain_name}"}}, "add.ad-network", "did you mean"),
        ({"windows": [3]}, "windows.0", "less than or equal to 2"),
        ({"kind": "decoded", "partner": "p"}, "ad_networks", "name the partner's own"),
    ],
)
def test_a_bad_definition_is_told_by_field(
    site: Site, fields: dict[str, Any], where: str, what: str
) -> None:
    """And nothing of it is saved."""
    refused = added(site, **fields)
    assert refused.status_code == 422
    (fault,) = refused.json["errors"]
    assert fault["where"].startswith(where)
    assert what in fault["what"]
    assert call(site, "GET", "/destinations").json["destinations"] == []


def test_a_key_that_may_only_read_sees_no_keys(site: Site) -> None:
    """Neither in URLs nor in headers; nor may it change anything."""
    added(site)
    told = call(site, "GET", "/destinations/copy", scopes=("read",))
    assert told.json["definition"]["headers"] == {"X-Key": "•••"}
    assert "key=k" not in told.text
    for method, path in (
        ("POST", "/destinations"), ("PUT", "/destinations/copy"), ("DELETE", "/destinations/copy"),
        ("POST", "/destinations/copy/pause"), ("POST", "/destinations/copy/test"),
        ("PUT", "/destinations/copy/secrets/k"), ("POST", "/deliveries/replay"),
    ):  # fmt: skip
        body = {"value": "v"} if "secrets" in path else {"definition": COPY}
        if path.endswith(("test", "replay")):
            body = {}
        assert call(site, method, path, body, scopes=("read",)).status_code == 403, path


def test_a_secret_is_put_and_not_told(site: Site) -> None:
    """By name only."""
    added(site, url="https://copy.example/?k={secret:k}")
    assert call(site, "PUT", "/destinations/copy/secrets/k", {"value": "s3cret"}).status_code == 204
    told = call(site, "GET", "/destinations/copy")
    assert told.json["secrets"] == ["k"]
    shown = call(site, "POST", "/destinations/copy/test", {})
    assert shown.json["request"]["url"] == "https://copy.example/?k=•••"
    assert "s3cret" not in told.text + shown.text
    assert call(site, "DELETE", "/destinations/copy/secrets/k").status_code == 204
    refused = call(site, "POST", "/destinations/copy/test", {})
    assert (refused.status_code, refused.json["detail"]) == (
        422, "nothing can be sent: the secret 'k' is not set"
    )  # fmt: skip


def test_a_stored_postback_can_be_tried(either_site: Site) -> None:
    """What would be sent is what came; it is in no ledger."""
    site = either_site
    added(site)
    body = site.signer.skadnetwork("4.0")
    site.receiver.receive(body)
    tried = call(site, "POST", "/destinations/copy/test", {"postback": 1})
    assert body["transaction-id"] in tried.json["request"]["body"]
    assert tried.json["sent"] is None
    assert call(site, "GET", "/deliveries").json == {"deliveries": [], "next_cursor": None}
    assert call(site, "POST", "/destinations/copy/test", {"postback": 9}).status_code == 404


def test_deliveries_are_found_and_replayed(either_site: Site) -> None:
    """Page by page; counted before, unless told otherwise."""
    site = either_site
    added(site)
    books = Books(site.store)
    books.owe([], 5)
    first = call(site, "GET", "/deliveries?limit=3&destination=copy").json
    rest = call(site, "GET", f"/deliveries?limit=3&cursor={first['next_cursor']}").json
    ids = [one["id"] for one in (*first["deliveries"], *rest["deliveries"])]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 5
    assert rest["next_cursor"] is None
    story = call(site, "GET", f"/deliveries/{ids[0]}").json
    assert (story["state"], story["tries"]) == ("owed", [])
    call(site, "DELETE", "/destinations/copy")
    gone = call(site, "POST", "/deliveries/replay", {"destination": "copy"})
    assert gone.status_code == 404
    added(site)
    counted = call(site, "POST", "/deliveries/replay", {"destination": "copy"}).json
    assert counted == {"deliveries": 5, "dry_run": True}
    owed = call(site, "POST", "/deliveries/replay", {"destination": "copy", "dry_run": False}).json
    assert owed == {"deliveries": 5, "dry_run": False}
    assert call(site, "POST", "/deliveries/replay", {}).status_code == 422


def test_a_test_send_is_answered_with_the_answer(site: Site) -> None:
    """Where private addresses are allowed; here it says why it was not sent."""
    with sink(answers(200)) as open_:
        refused = added(site, url=open_.url)
        assert refused.status_code == 422
        assert "SKAN_PRIVATE_DESTINATIONS=1 allows it" in refused.json["detail"]
        assert open_.received == []
