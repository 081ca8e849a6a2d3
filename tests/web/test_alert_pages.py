"""Alerts in the browser and by the API: what is not well, from when on, and who is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from skan_receiver.alerting.watch import check
from skan_receiver.delivery import registry
from tests.alerting.planted import daily, plant
from tests.delivery.owing import relay
from tests.sink import answers, sink
from tests.web.site import Site, token_of


def asked(site: Site, path: str, key: dict[str, str]) -> Any:
    return site.client.get(f"/api/v1/alerts{path}", headers=key).json


def post(site: Site, path: str, **fields: Any) -> Any:
    token = token_of(site.client.get("/settings/apps"))
    return site.client.post(path, data={"csrf_token": token, **fields})


def look(site: Site, later: timedelta = timedelta()) -> None:
    check(site.store, site.settings, datetime.now(UTC) + later)


def trouble(site: Site) -> None:
    """A destination that was shut, a network that is silent."""
    registry.add(site.store, relay("https://203.0.114.1/in", "mmp"))
    registry.pause(site.store, "mmp", "it answers 410")
    days = (datetime.now(UTC) - datetime(2026, 11, 23, tzinfo=UTC)).days
    plant(site.store, *daily(range(5 - days, 30 - days), 5))


def test_the_page_says_what_is_not_well_and_where_to_go(site: Site) -> None:
    """So does the dashboard, and a scrape."""
    site.sign_in()
    assert "Nobody has looked yet" in site.client.get("/alerts").text
    look(site)
    assert "All is well" in site.client.get("/alerts").text

    trouble(site)
    look(site)
    page = site.client.get("/alerts").text
    assert "Deliveries fail" in page
    assert "it answers 410" in page
    assert 'href="/destinations/mmp"' in page
    assert "/postbacks?ad_network_id=a.example" in page
    assert "Tell somebody" in page
    site.receiver.receive(site.signer.skadnetwork())
    dashboard = site.client.get("/").text
    assert "it answers 410" in dashboard
    assert 'skan_alerts{rule="delivery_failing"} 1.0' in site.client.get("/metrics").text

    registry.resume(site.store, "mmp")
    for minutes in (1, 40):
        look(site, timedelta(minutes=minutes))
    past = site.client.get("/alerts").text.partition("What was")[2]
    assert "Deliveries fail" in past
    assert "silent" not in past


def test_a_rule_is_changed_by_form(site: Site) -> None:
    """And what makes no sense is said at its field, with what was typed."""
    site.sign_in()
    limits = {"points": "20", "postbacks": "100"}
    assert post(site, "/alerts/rules/null_rate", is_on="yes", **limits).status_code == 303
    assert 'name="points" inputmode="decimal" required value="20"' in _rules(site)
    wrong = post(site, "/alerts/rules/null_rate", is_on="yes", **limits | {"points": "many"})
    assert wrong.status_code == 422
    assert "must be a number from 1 to 100" in wrong.text
    assert 'value="many"' in wrong.text
    assert post(site, "/alerts/rules/caps", full="90").status_code == 303
    assert ">off</span>" in _rules(site)
    assert post(site, "/alerts/rules/weather").status_code == 404
    told = [(row.action, row.subject) for row in site.deeds()]
    assert told == [("alert.rule", "caps"), ("alert.rule", "null_rate")]


def _rules(site: Site) -> str:
    return site.client.get("/alerts/rules").text


@pytest.fixture
def private(sqlite_url: str, tmp_path: Path) -> Any:
    """A site that may send to 127.0.0.1."""
    site = Site(sqlite_url, tmp_path, private_destinations=True)
    yield site
    site.close()


def test_a_channel_is_added_tried_and_removed(private: Site) -> None:
    """Its address is shown nowhere."""
    private.sign_in()
    with sink() as heard:
        added = post(private, "/alerts/channels", name="ops", kind="slack", url=heard.url)
        assert added.status_code == 303
        page = private.client.get("/alerts/channels").text
        assert "127.0.0.1" in page
        assert heard.url not in page
        post(private, "/alerts/channels/ops", do="test")
        assert b"This is a test" in heard.received[0].body
        heard.behaviour = answers(404)
        post(private, "/alerts/channels/ops", do="test")
        assert "it answered 404" in private.client.get("/alerts/channels").text
    wrong = post(private, "/alerts/channels", name="ops 2", kind="email", to="ana")
    assert wrong.status_code == 422
    assert "no address" in wrong.text
    assert "small letters" in wrong.text
    assert post(private, "/alerts/channels/ops", do="remove").status_code == 303
    assert post(private, "/alerts/channels/ops", do="remove").status_code == 404


def test_the_api_does_the_same(private: Site) -> None:
    """Channels are for admins."""
    trouble(private)
    look(private)
    key, admin = private.key("read", "write"), private.key("read", "admin")
    told = asked(private, "", key)
    assert {one["rule"] for one in told["alerts"]} == {"delivery_failing", "silent_network"}
    assert told["checked_at"]
    assert asked(private, "?state=resolved", key)["alerts"] == []

    rule = "/api/v1/alerts/rules/silent_network"
    assert private.client.put(rule, headers=key, json={"limits": {"days": 0}}).status_code == 422
    assert private.client.put(rule, headers=key, json={"limits": {"hours": 48}}).status_code == 200
    silent = asked(private, "/rules/silent_network", key)
    assert silent["limits"] == {"hours": 48, "days": 10}
    assert silent["usual"]["hours"] == 24

    with sink() as heard:
        channel, said = "/api/v1/alerts/channels/ops", {"kind": "webhook", "url": heard.url}
        assert private.client.put(channel, headers=key, json=said).status_code == 403
        assert private.client.put(channel, headers=admin, json=said).status_code == 200
        assert asked(private, "/channels/ops", key)["where"] == "127.0.0.1"
        tried: Any = private.client.post(f"{channel}/test", headers=admin).json
        assert tried["taken"]
        assert len(heard.received) == 1
    assert private.client.delete(channel, headers=admin).status_code == 204
    assert private.client.get(channel, headers=key).status_code == 404
