"""What ads cost, as a program states it every night."""

from typing import Any

import pytest

from skan_receiver.web.api.paging import MOST_ROWS
from tests.web.site import Site

ROW: dict[str, Any] = {
    "day": "2026-11-20",
    "zone": "Europe/Berlin",
    "ad_network_id": "Example123.skadnetwork",
    "app_id": 42,
    "campaign_id": "c-7",
    "campaign_name": "Autumn",
    "cost": "12.50",
    "currency": "eur",
    "impressions": 1_000,
}


def put(site: Site, *rows: dict[str, Any], scope: str = "write") -> Any:
    return site.browser().put("/api/v1/costs", json={"costs": rows}, headers=site.key(scope))


def get(site: Site, **query: Any) -> Any:
    return site.browser().get("/api/v1/costs", query_string=query, headers=site.key("read")).json


def test_costs_are_stated_and_stated_again(either_site: Site) -> None:
    """The same row again changes nothing; another amount takes the place of the first."""
    assert put(either_site, ROW).json == {"added": 1, "changed": 0, "unchanged": 0}
    assert put(either_site, ROW).json == {"added": 0, "changed": 0, "unchanged": 1}
    again = put(either_site, {**ROW, "cost": 13.1}, {**ROW, "country": "de"})
    assert again.json == {"added": 1, "changed": 1, "unchanged": 0}

    first, second = get(either_site)["costs"]
    assert first == {
        **ROW,
        "id": first["id"],
        "account": "",
        "ad_network_id": "example123.skadnetwork",
        "country": "",
        "cost": "13.10",
        "currency": "EUR",
        "clicks": None,
        "installs": None,
    }
    assert (second["country"], second["cost"]) == ("DE", "12.50")


def test_they_are_in_the_report_at_once(site: Site) -> None:
    """Nothing has to be counted first."""
    put(site, ROW)
    of_the_day = {"from": "2026-11-20", "to": "2026-11-20", "tz": "Europe/Berlin"}

    def report(**more: str) -> Any:
        query = of_the_day | more
        path = "/api/v1/reports/roas"
        return site.browser().get(path, query_string=query, headers=site.key("read")).json

    told = report()
    (row,) = told["rows"]
    assert (row["cost"], row["currency"], row["cost_zone"]) == (12.5, "EUR", "Europe/Berlin")
    assert told["basis"] == "install"
    missing = report(currency="USD")
    assert (missing["status"], missing["errors"][0]["where"]) == (422, "currency")
    assert "no rate of EUR for 2026-11-20" in missing["detail"]


def test_a_thousand_at_once_and_page_by_page(either_site: Site) -> None:
    """No more, and all of them or none."""
    rows = [{**ROW, "campaign_id": f"{n}"} for n in range(MOST_ROWS)]
    assert put(either_site, *rows, ROW).status_code == 422
    assert put(either_site, *rows[1:], {**ROW, "cost": -1}).status_code == 422
    assert get(either_site)["costs"] == []
    assert put(either_site, *rows).json["added"] == MOST_ROWS

    pages = either_site.walk("costs", either_site.key("read"), limit=400)
    seen = [row["campaign_id"] for page in pages for row in page["costs"]]
    assert sorted(seen, key=int) == [row["campaign_id"] for row in rows]


def test_a_list_is_of_an_account_an_app_a_network_and_days(site: Site) -> None:
    """Days included, ids of networks in either case."""
    put(site, ROW, {**ROW, "account": "us", "day": "2026-11-21"}, {**ROW, "app_id": 7})

    def found(**query: Any) -> int:
        return len(get(site, **query)["costs"])

    assert found(account="us") == 1
    assert found(account="") == 2
    assert found(app_id=42) == 2
    assert found(ad_network_id="EXAMPLE123.skadnetwork") == 3
    assert found(since="2026-11-21") == found(until="2026-11-21", account="us") == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"day": "20.11.2026"}, "costs.0.day"),
        ({"day": "0001-01-01"}, "costs.0.day"),
        ({"zone": "Berlin"}, "costs.0.zone"),
        ({"currency": "€"}, "costs.0.currency"),
        ({"country": "DEU"}, "costs.0.country"),
        ({"ad_network_id": "a b"}, "costs.0.ad_network_id"),
        ({"app_id": 2**63}, "costs.0.app_id"),
        ({"cost": -1}, "costs.0.cost"),
        ({"cost": "0.0000001"}, "costs.0.cost"),
        ({"cost": 1e11}, "costs.0.cost"),
        ({"cost": "NaN"}, "costs.0.cost"),
        ({"clicks": 1.5}, "costs.0.clicks"),
        ({"campaign_name": "a\0b"}, "costs.0.campaign_name"),
        ({"campaign_id": ""}, "costs.0.campaign_id"),
        ({"spend": 1}, "costs.0.spend"),
    ],
)
def test_a_mistake_is_named_by_its_row_and_field(
    site: Site, change: dict[str, Any], where: str
) -> None:
    """And nothing is kept, not even what is right."""
    answer = put(site, ROW | change, {**ROW, "country": "US"})
    assert answer.status_code == 422
    assert where in [fault["where"] for fault in answer.json["errors"]]
    assert get(site)["costs"] == []


def test_the_same_row_twice_is_a_mistake(site: Site) -> None:
    """Which of the two was meant, nobody knows."""
    answer = put(site, ROW, {**ROW, "cost": 1, "ad_network_id": "EXAMPLE123.skadnetwork"})
    assert answer.json["errors"] == [
        {
            "where": "costs.1.day",
            "what": "costs.0 is of the same account, day, network, app, campaign and country; "
            "add them up, or name their accounts",
        }
    ]


def test_reading_is_not_writing(site: Site) -> None:
    """Each wants its scope."""
    assert put(site, ROW, scope="read").status_code == 403
    assert site.browser().get("/api/v1/costs").status_code == 401


def test_nothing_stated_is_nothing_changed(site: Site) -> None:
    """An empty night."""
    assert put(site).json == {"added": 0, "changed": 0, "unchanged": 0}
