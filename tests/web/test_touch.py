"""`/touch`: tracking links that lead to a store and nowhere else, and networks' servers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import Connected, Store, Touch, connections, networks
from tests.mmp.told import IDFA
from tests.web.site import Site

APP, GAME = "525463029", "com.example.game"
PAGE = "https://apps.apple.com/app/id525463029"
GAID = "38400000-8cf0-11bd-b23e-10b96e40000d"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"


def connect(site: Site, name: str = "acme") -> networks.Tokens:
    return networks.connect(site.store, name, f"{name}_int", [APP, GAME], datetime.now(UTC))


def click(site: Site, token: str, **said: str) -> TestResponse:
    headers = {"User-Agent": IPHONE}
    return site.client.get(f"/touch/{token}", query_string={"app": APP, **said}, headers=headers)


def post(site: Site, token: str, *touches: Any, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    said = options or {"json": {"touches": touches}}
    return site.client.post("/touch", headers=headers, **said)


def touches(site: Site) -> Sequence[Any]:
    return site.receiver.rows(Touch)


def counted(kind: str, outcome: str) -> float:
    labels = {"kind": kind, "outcome": outcome}
    return REGISTRY.get_sample_value("skan_touches_total", labels) or 0.0


def test_a_click_is_kept_and_leads_to_the_app(either_site: Site) -> None:
    """With what its network says of it, and a click id that nobody guesses."""
    site = either_site
    answer = click(
        site,
        connect(site).link,
        campaign_id="c-7",
        ad_name="Ad {x}",
        partner_click_id="p-1",
        idfa=IDFA.lower(),
        att="authorized",
        other="thing",
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    (row,) = touches(site)
    assert (row.kind, row.media_source, row.app_id) == ("click", "acme_int", int(APP))
    assert (row.campaign_id, row.ad_name, row.partner_click_id) == ("c-7", "Ad {x}", "p-1")
    assert row.idfa == IDFA
    assert len(row.click_id) == 22
    (network,) = site.receiver.rows(Connected)
    assert network.last_event_at is not None


def test_google_play_hands_the_click_id_on(site: Site) -> None:
    """Once escaped for the address and once for the referrer."""
    answer = click(site, connect(site).link, app=GAME)
    (row,) = touches(site)
    assert (row.app_id, row.bundle_id) == (None, GAME)
    page = f"https://play.google.com/store/apps/details?id={GAME}&referrer=click_id%3D"
    assert answer.headers["Location"] == page + row.click_id


@pytest.mark.parametrize(
    ("said", "idfa", "gaid"),
    [
        ({"idfa": IDFA}, None, None),
        ({"idfa": IDFA, "att": "denied"}, None, None),
        ({"idfa": IDFA, "att": "3"}, IDFA, None),
        ({"idfa": "00000000-0000-0000-0000-000000000000", "att": "3"}, None, None),
        ({"gaid": GAID}, None, None),
        ({"gaid": GAID, "limit_ad_tracking": "1"}, None, None),
        ({"gaid": GAID.upper(), "limit_ad_tracking": "0"}, None, GAID),
        ({"idfa": "{idfa}", "att": "{att}"}, None, None),
    ],
)
def test_a_device_is_known_where_its_network_says_that_it_may_be(
    site: Site, said: dict[str, str], idfa: str | None, gaid: str | None
) -> None:
    """Unknown consent is a no, and nobody's address or browser is ever kept."""
    click(site, connect(site).link, **said, ip="203.0.113.7", user_agent="Mozilla")
    (row,) = touches(site)
    assert (row.idfa, row.gaid) == (idfa, gaid)
    assert not {"203.0.113.7", "127.0.0.1", "Mozilla", IPHONE} & set(map(str, row))


def test_what_cannot_be_read_in_a_link_loses_no_click(site: Site) -> None:
    """Its user is on the way to the store."""
    answer = click(site, connect(site).link, campaign_id="x" * 3000, att="maybe", kind="view")
    assert answer.headers["Location"] == PAGE
    (row,) = touches(site)
    assert (row.kind, row.campaign_id) == ("click", None)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"app": "https://evil.example/"}, 400),
        ({"app": "//evil.example"}, 400),
        ({"app": ""}, 400),
        ({"app": "999999999"}, 403),
        ({"app": "com.evil.game"}, 403),
    ],
)
def test_no_link_leads_elsewhere(site: Site, said: dict[str, str], status: int) -> None:
    """Not even to another app: who sees a link must not make one of his own of it."""
    answer = click(site, connect(site).link, **said, url="https://evil.example/", redirect="x")
    assert answer.status_code == status
    assert "Location" not in answer.headers
    assert not touches(site)


def test_a_link_that_nobody_made_leads_nowhere(site: Site) -> None:
    """Nor does one of an MMP, of a network's server, or of a network that was disconnected."""
    tokens, mmp = connect(site), connections.connect(site.store, "m", "adjust", datetime.now(UTC))
    for token in ("x", tokens.server, mmp):
        assert click(site, token).status_code == 403
    assert site.client.get(f"/mmp/network/{tokens.link}?a=b").status_code == 404
    connections.disconnect(site.store, "acme")
    assert click(site, tokens.link).status_code == 403
    assert post(site, tokens.server, {"app": APP}).status_code == 403


def test_programs_that_look_at_links_are_no_clicks(site: Site) -> None:
    """They are led on, so that a preview shows the app; a phone called Cubot is a phone."""
    link = f"/touch/{connect(site).link}?app={APP}"
    before = counted("click", "passed")
    assert site.client.head(link).headers["Location"] == PAGE
    for headers in (
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "WhatsApp/2.23.20.0"},
    ):
        assert site.client.get(link, headers=headers).headers["Location"] == PAGE
    assert (len(touches(site)), counted("click", "passed") - before) == (0, 7)
    site.client.get(link, headers={"User-Agent": "Mozilla/5.0 (Linux; Android 9; CUBOT X18)"})
    assert len(touches(site)) == 1


def test_users_reach_the_store_while_ours_is_down(site: Site) -> None:
    """The click is lost, and counted so; what was said of it is not logged."""
    token, before = connect(site).link, counted("click", "lost")
    site.store.write(lambda connection: connection.exec_driver_sql("DROP TABLE touch"))
    with capture_logs() as logs:
        answer = click(site, token, idfa=IDFA, att="3")
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert counted("click", "lost") - before == 1
    (line,) = [line for line in logs if line["event"] == "click lost"]
    assert IDFA not in str(line)


def test_a_store_that_cannot_be_reached_strands_nobody(site: Site) -> None:
    """Nobody can look whose link it is, so its app is believed: it leads to its store."""
    unreachable = Store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable), unreachable.read():
        pass
    services = site.app.extensions["skan"]
    object.__setattr__(services, "store", unreachable)
    assert click(site, "x").headers["Location"] == PAGE
    assert click(site, "x", app="https://evil.example").status_code == 400
    answer = post(site, "x", {"app": APP})
    assert (answer.status_code, answer.headers["Retry-After"]) == (500, "30")


def test_a_networks_server_tells_of_clicks_and_views(either_site: Site) -> None:
    """And gets the click ids, for whoever has a page of his own between ad and store."""
    site, now = either_site, datetime.now(UTC).replace(microsecond=0)
    ago = now - timedelta(hours=2)
    answer = post(
        site,
        connect(site).server,
        {"app": APP, "kind": "view", "at": ago.isoformat(), "campaign_id": 7},
        {"app": GAME, "gaid": GAID, "limit_ad_tracking": False, "at": int(now.timestamp())},
        {"app": int(APP), "partner_click_id": "p-1"},
    )
    assert answer.status_code == 200, answer.text
    rows = {row.click_id: row for row in touches(site)}
    view, gaid, plain = (rows[one["click_id"]] for one in answer.json["touches"])
    assert (view.kind, view.at, view.campaign_id) == ("view", ago, "7")
    assert (gaid.kind, gaid.at, gaid.gaid, gaid.bundle_id) == ("click", now, GAID, GAME)
    assert (plain.partner_click_id, plain.app_id) == ("p-1", int(APP))


def test_a_copy_of_what_a_server_told_counts_once(either_site: Site) -> None:
    """By its network's id of it: a server that got no answer tells again."""
    site = either_site
    acme, other = connect(site), connect(site, "other")
    told = {"app": APP, "partner_click_id": "p-1"}
    first, again = post(site, acme.server, told, told).json, post(site, acme.server, told).json
    ids = {one["click_id"] for one in (*first["touches"], *again["touches"])}
    assert (len(ids), len(touches(site))) == (1, 1)
    post(site, other.server, told)
    post(site, acme.server, {**told, "kind": "view"}, {"app": APP}, {"app": APP})
    assert len({row.click_id for row in touches(site)}) == 5


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"app": None}, "touches.1.app: missing, or nothing: of which app?"),
        ({"app": "999"}, f"touches.1.app: acme advertises {APP}, {GAME}"),
        ({"kind": "look"}, "touches.1.kind: neither click nor view"),
        ({"campain_id": "1"}, "touches.1.campain_id: no such name"),
        ({"ip": "203.0.113.7"}, "touches.1.ip: no such name"),
        ({"at": "2020-01-01"}, "touches.1.at: not within the time for which touches are kept"),
        ({"at": "2100-01-01"}, "touches.1.at: not within the time for which touches are kept"),
        ({"ad_id": ["1"]}, "touches.1.ad_id: expected text or a number"),
    ],
)
def test_a_mistake_of_a_server_names_itself_and_nothing_is_kept(
    site: Site, change: dict[str, Any], fault: str
) -> None:
    """All of a batch or none."""
    answer = post(site, connect(site).server, {"app": APP}, {"app": APP, **change})
    assert (answer.status_code, answer.json["detail"]) == (422, fault)
    assert not touches(site)


def test_a_servers_body_is_a_list_of_a_thousand_at_most(site: Site) -> None:
    """And it shows its own token first: the one in its links opens nothing else."""
    tokens = connect(site)
    assert post(site, tokens.server, *[{"app": APP}] * 1000).status_code == 200
    assert post(site, tokens.server, *[{"app": APP}] * 1001).status_code == 422
    for body, status in (
        (b"{", 400),
        (b"[]", 422),
        (b'{"touches": {}}', 422),
        (b'{"touches": []}', 422),
        (b'{"touches": [1]}', 422),
        (b"[" * 100_000, 400),
        (b" " * 1024 * 1025, 413),
    ):
        assert post(site, tokens.server, data=body).status_code == status
    assert post(site, tokens.link, {"app": APP}).status_code == 403
    answer = site.client.post("/touch", json={"touches": [{"app": APP}]})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
