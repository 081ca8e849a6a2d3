"""`/api/v1/events`: what an app's own server tells, and what anybody may see of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from skan_receiver.mmp.providers.plain import NAMES
from skan_receiver.storage import StoredEvent, connections
from skan_receiver.web.api.events import Telling
from tests.mmp.told import IDFA, adjust
from tests.web.site import Site

INSTALL: dict[str, Any] = {
    "event_id": "i-1",
    "kind": "install",
    "at": "2026-03-04T10:11:12Z",
    "app_id": 1555000111,
    "idfa": IDFA,
    "ip": "203.0.113.7",
    "media_source": "Examplenet",
    "att": "authorized",
    "country": "de",
}
PURCHASE: dict[str, Any] = {
    **INSTALL,
    "event_id": "p-1",
    "kind": "event",
    "name": "purchase",
    "revenue": "1000000.000001",
    "currency": "eur",
    "order_id": "T-1",
}


def tell(site: Site, *events: dict[str, Any]) -> Any:
    return site.client.post("/api/v1/events", json={"events": events}, headers=site.key("events"))


def got(site: Site, path: str, scope: str = "read") -> Any:
    """The JSON at a path, for a key of this scope."""
    answer = site.client.get(path, headers=site.key(scope))
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_batch_is_kept_and_each_is_answered_for(either_site: Site) -> None:
    """A copy counts once, however often it is sent."""
    site = either_site
    assert [one["outcome"] for one in tell(site, INSTALL, PURCHASE).json["results"]] == [
        "stored",
        "stored",
    ]
    again = tell(site, PURCHASE, {**PURCHASE, "event_id": "p-2"}).json["results"]
    assert [(one["event_id"], one["outcome"]) for one in again] == [
        ("p-1", "duplicate"),
        ("p-2", "stored"),
    ]
    rows = site.receiver.rows(StoredEvent)
    assert [row.id for row in rows][1] == again[0]["id"]
    assert rows[1].revenue_micros == 1_000_000_000_001
    assert {(row.provider, row.connection) for row in rows} == {("own", "api")}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"kind": "party"}, "events.1.kind"),
        ({"revenue": "much"}, "events.1.revenue"),
        ({"revenu": "1"}, "events.1.revenu"),
        ({"at": None}, "events.1.at"),
        ({"event_id": ""}, "events.1.event_id"),
        ({"name": None}, "events.1.name"),
        ({"name": "a\0b"}, "events.1.name"),
        ({"country": "Germany"}, "events.1.country"),
        ({"idfa": "x" * 256}, "events.1.idfa"),
    ],
)
def test_a_mistake_names_the_event_and_the_field_and_nothing_is_kept(
    site: Site, change: dict[str, Any], where: str
) -> None:
    """All of a batch or none: who corrects it sends all of it again."""
    answer = tell(site, INSTALL, {**PURCHASE, **change})
    assert answer.status_code == 422
    assert [fault["where"] for fault in answer.json["errors"]] == [where]
    assert not site.receiver.rows(StoredEvent)


def test_a_batch_has_a_thousand_at_most(site: Site) -> None:
    """And one at least."""
    lean = {"event_id": "e", "name": "x", "at": "2026-03-04T10:11:12Z"}
    many = [{**lean, "event_id": str(number)} for number in range(1001)]
    assert tell(site, *many).status_code == 422
    assert tell(site).status_code == 422
    assert len(tell(site, *many[:1000]).json["results"]) == 1000


def test_only_its_own_scope_may_tell(site: Site) -> None:
    """A key that an app's server holds opens no destinations, and one for dashboards tells
    nothing."""
    body = {"events": [INSTALL]}
    for scope, status in (("read", 403), ("write", 403), ("events", 200), ("admin", 200)):
        answer = site.client.post("/api/v1/events", json=body, headers=site.key(scope))
        assert answer.status_code == status
    assert site.client.post("/api/v1/events", json=body).status_code == 401
    assert site.client.get("/api/v1/events", headers=site.key("events")).status_code == 403


def test_nobody_is_found_by_what_is_shown(site: Site) -> None:
    """Identifiers are masked whatever a key allows: it ends up in dashboards and notebooks."""
    tell(site, INSTALL)
    for scope in ("read", "admin"):
        (listed,) = got(site, "/api/v1/events", scope)["events"]
        shown = got(site, f"/api/v1/events/{listed['id']}", scope)
        for told in (listed, shown):
            assert IDFA not in json.dumps(told)
            assert "203.0.113.7" not in json.dumps(told)
        assert shown["person"] == {"idfa": f"{IDFA[:4]}…", "ip": "…"}
        assert shown["signals"]["att"] == "authorized"
        assert shown["device"]["country"] == "DE"


def test_an_event_tells_what_it_took_back(site: Site) -> None:
    """By the order, and from the other end."""
    refund = {**PURCHASE, "event_id": "f-1", "kind": "refund"}
    purchase, back = (one["id"] for one in tell(site, PURCHASE, refund).json["results"])
    first = got(site, f"/api/v1/events/{purchase}")
    second = got(site, f"/api/v1/events/{back}")
    assert (first["withdrawn_by"], first["takes_back"]) == (back, [])
    assert (second["takes_back"], second["withdraws"]) == ([purchase], "p-1")
    assert (first["revenue"], second["revenue"]) == ("1000000.000001", "-1000000.000001")
    assert site.client.get("/api/v1/events/99", headers=site.key("read")).status_code == 404


def test_events_are_listed_page_by_page_and_narrowed(either_site: Site) -> None:
    """The newest first; a misspelt filter is an error."""
    site = either_site
    token = connections.connect(site.store, "mmp", "adjust", datetime.now(UTC))
    site.client.get(f"/mmp/adjust/{token}", query_string=adjust())
    tell(site, INSTALL, PURCHASE)

    def ids(query: str) -> list[str]:
        return [one["event_id"] for one in got(site, f"/api/v1/events?{query}")["events"]]

    assert ids("connection=api") == ["p-1", "i-1"]
    assert ids("kind=install&provider=own") == ["i-1"]
    assert ids("event_id=p-1") == ["p-1"]
    assert ids("name=purchase&withdrawn=false") == ["p-1"]
    assert ids("withdrawn=true") == ids("until=2020-01-01") == []
    assert len(ids("app_id=1555000111&media_source=Examplenet")) == 3
    first = got(site, "/api/v1/events?limit=2")
    rest = got(site, f"/api/v1/events?cursor={first['next_cursor']}")
    assert (len(first["events"]), len(rest["events"]), rest["next_cursor"]) == (2, 1, None)
    misspelt = site.client.get("/api/v1/events?idfa=x", headers=site.key("read"))
    assert misspelt.status_code == 422


def test_the_api_has_the_names_that_a_generic_mmp_has() -> None:
    """One list of names for JSON, for a query, and for a CSV; and what only an app's server has."""
    assert set(Telling.model_fields) == {*NAMES, "install_referrer", "apple_ads"}


def test_a_telling_in_json_is_documented(site: Site) -> None:
    """With pydantic's own schema."""
    document = got(site, "/api/openapi.json")
    assert "/api/v1/events" in document["paths"]
    assert "event_id" in json.dumps(document["components"]["schemas"]["Telling"])
