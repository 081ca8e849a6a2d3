"""What ads are called, as a network's own program says it; and who partners are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skan_receiver.delivery import registry
from skan_receiver.delivery.destinations.decoded import Decoded
from skan_receiver.storage import apikeys
from tests.web.site import Site

ROW: dict[str, Any] = {
    "ad_network_id": "Example123.skadnetwork",
    "app_id": 42,
    "source_identifier": "5239",
    "starts_on": "2026-11-01",
    "campaign_name": "Autumn",
}


def put(site: Site, *rows: dict[str, Any], scope: str = "write", **more: Any) -> Any:
    body = {"campaigns": rows, **more}
    return site.browser().put("/api/v1/campaigns", json=body, headers=site.key(scope))


def get(site: Site, **query: Any) -> Any:
    headers = site.key("read")
    return site.browser().get("/api/v1/campaigns", query_string=query, headers=headers).json


def test_ads_are_named_and_named_anew(either_site: Site) -> None:
    """The same again changes nothing; other names take the place of the first; one is removed."""
    one = {"removed": 0, "unchanged": 0, "changed": 0}
    assert put(either_site, ROW, dry_run=True).json == {**one, "added": 1}
    assert get(either_site)["campaigns"] == []
    assert put(either_site, ROW).json == {**one, "added": 1}
    assert put(either_site, ROW).json == {**one, "added": 0, "unchanged": 1}
    again = put(either_site, {**ROW, "campaign_name": "Winter"}, {**ROW, "app_id": 0})
    assert again.json == {**one, "added": 1, "changed": 1}

    told = get(either_site)["campaigns"]
    row = next(row for row in told if row["app_id"] == 42)
    assert row == {
        **dict.fromkeys(("campaign_id", "adset_id", "adset_name", "ad_id", "ad_name"), ""),
        **dict.fromkeys(("channel", "tracker", "country"), ""),
        **ROW,
        "id": row["id"],
        "ad_network_id": "example123.skadnetwork",
        "skan_campaign_id": 0,
        "ends_on": None,
        "campaign_name": "Winter",
    }
    replaced = put(either_site, ROW, replace=True).json
    assert replaced == {"added": 0, "changed": 1, "removed": 1, "unchanged": 0}

    (left,) = get(either_site)["campaigns"]
    path, key = f"/api/v1/campaigns/{left['id']}", either_site.key("write")
    assert either_site.browser().delete(path, headers=key).status_code == 204
    assert either_site.browser().delete(path, headers=key).status_code == 404
    assert get(either_site)["campaigns"] == []


def test_a_list_is_of_a_network_an_app_and_a_day(either_site: Site) -> None:
    """The last day included; page by page, each once."""
    put(
        either_site,
        {**ROW, "ends_on": "2026-11-20"},
        {**ROW, "app_id": 0, "source_identifier": "39"},
        {**ROW, "ad_network_id": "b.skadnetwork", "source_identifier": "", "skan_campaign_id": 7},
    )

    def found(**query: Any) -> int:
        return len(get(either_site, **query)["campaigns"])

    assert found() == 3
    assert found(ad_network_id="EXAMPLE123.skadnetwork") == 2
    assert found(app_id=0) == 1
    assert [found(app_id=42, on=f"2026-11-{day}") for day in (20, 21)] == [2, 1]
    assert found(on="2026-10-31") == 0

    pages = either_site.walk("campaigns", either_site.key("read"), limit=2)
    seen = [row["id"] for page in pages for row in page["campaigns"]]
    assert len(seen) == len(set(seen)) == 3


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"ad_network_id": "a b"}, "campaigns.0.ad_network_id"),
        ({"source_identifier": "12345"}, "campaigns.0.source_identifier"),
        ({"source_identifier": ""}, "campaigns.0.source_identifier"),
        ({"skan_campaign_id": 7}, "campaigns.0.source_identifier"),
        ({"source_identifier": "", "skan_campaign_id": 101}, "campaigns.0.skan_campaign_id"),
        ({"starts_on": "soon"}, "campaigns.0.starts_on"),
        ({"ends_on": "2026-10-01"}, "campaigns.0.ends_on"),
        ({"campaign_name": "a\0b"}, "campaigns.0.campaign_name"),
        ({"adset_name": "x" * 201}, "campaigns.0.adset_name"),
        ({"name": "Autumn"}, "campaigns.0.name"),
    ],
)
def test_a_mistake_is_named_by_its_row_and_field(
    site: Site, change: dict[str, Any], where: str
) -> None:
    """And nothing is kept, not even what is right."""
    answer = put(site, ROW | change, {**ROW, "app_id": 7})
    assert answer.status_code == 422
    assert where in [fault["where"] for fault in answer.json["errors"]]
    assert get(site)["campaigns"] == []


def test_one_identifier_has_one_name_on_a_day(site: Site) -> None:
    """Neither in what is sent nor beside what is there."""
    later = {**ROW, "starts_on": "2026-11-10", "campaign_name": "Winter"}
    answer = put(site, ROW, later)
    assert answer.json["errors"][0]["where"] == "campaigns.1.starts_on"
    put(site, ROW)
    answer = put(site, later)
    assert (answer.status_code, answer.json["errors"][0]["where"]) == (422, "campaigns")
    assert "end it before 2026-11-10" in answer.json["detail"]
    assert put(site, {**ROW, "ends_on": "2026-11-09"}, later).status_code == 200


def test_reading_is_not_writing(site: Site) -> None:
    """Each wants its scope."""
    assert put(site, ROW, scope="read").status_code == 403
    assert site.browser().get("/api/v1/campaigns").status_code == 401


def test_partners_are_whom_destinations_and_keys_name(site: Site) -> None:
    """With what each of them reaches; keys that no longer open anything are not told."""
    for name, networks in (("out", ["A.skadnetwork"]), ("more", ["b.skadnetwork"])):
        registry.add(
            site.store,
            Decoded(name=name, url="https://a.example/", partner="Acme", ad_networks=networks),
        )
    registry.add(site.store, Decoded(name="ours", url="https://b.example/", partner="own"))
    now = datetime.now(UTC)
    site.key("partner", partner="Acme")
    site.key("partner", partner="Bee")
    apikeys.create_key(
        site.store, "old", ["partner"], now, partner="Cee", expires_at=now - timedelta(days=1)
    )
    told: Any = site.browser().get("/api/v1/partners", headers=site.key("read")).json
    acme, bee = told["partners"]
    assert (acme["name"], acme["ad_networks"]) == ("Acme", ["a.skadnetwork", "b.skadnetwork"])
    assert [(one["name"], one["kind"]) for one in acme["destinations"]] == [
        ("more", "decoded"),
        ("out", "decoded"),
    ]
    assert [key["name"] for key in acme["keys"]] == ["test"]
    assert (bee["name"], bee["destinations"], len(bee["keys"])) == ("Bee", [], 1)
