"""Click, install and purchase without an MMP: who is told of them, and who is not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from skan_receiver.storage import Attributed, StoredEvent, Touch, networks
from skan_receiver.storage.columns import table
from tests.delivery.eventing import deliver, destination
from tests.delivery.owing import Books
from tests.mmp.told import IDFA
from tests.sink import Sink, sink
from tests.web.site import Site

APP, GAME = 525463029, "com.example.game"
IDFV = "0F7AB11F-DA50-498E-B225-21AC1977A85D"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
CONSENT = {"att": "authorized", "gdpr_applies": False, "country": "US"}
URL = (
    "/pb?event={event}&click={click_id}&idfa={idfa}&value={revenue}&campaign={campaign_id}"
    "&user={customer_user_id}"
)


@dataclass
class Scene:
    """An app, two networks that advertise it, and what each of them is told."""

    site: Site
    sink: Sink
    tokens: dict[str, networks.Tokens]

    def post(self, network: str, **said: Any) -> str:
        """A touch that a network's server tells of; its click id."""
        at = (said.pop("at", NOW - HOUR)).isoformat()
        headers = {"Authorization": f"Bearer {self.tokens[network].server}"}
        body = {"touches": [{"app": str(APP), "at": at, **said}]}
        answer: Any = self.site.client.post("/touch", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json["touches"][0]["click_id"])

    def tell(self, *events: dict[str, Any]) -> list[int]:
        """What the app's server tells, an hour ago unless it says otherwise."""
        told = [{"app_id": APP, "at": NOW.isoformat(), **event} for event in events]
        headers = self.site.key("events")
        answer: Any = self.site.client.post("/api/v1/events", json={"events": told},
                                            headers=headers)  # fmt: skip
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json["results"]]

    def verdict(self, event_id: int) -> Any:
        path = f"/api/v1/events/{event_id}/attribution"
        answer = self.site.client.get(path, headers=self.site.key("read"))
        assert answer.status_code == 200, answer.text
        return answer.json

    def told(self) -> dict[str, list[dict[str, str]]]:
        """What arrived at each network, once all is delivered; nothing promises an order."""
        deliver(self.site.store)
        found: dict[str, list[dict[str, str]]] = {"acme": [], "rival": []}
        for one in self.sink.received:
            at = urlsplit(one.path)
            said = {name: value for name, (value,) in parse_qs(at.query).items()}
            found[at.path.split("/")[2]].append(said)
        return {
            name: sorted(all_, key=lambda one: one["event"], reverse=True)
            for name, all_ in found.items()
        }


@pytest.fixture
def scene(either_site: Site) -> Iterator[Scene]:
    with sink() as place:
        tokens = {}
        for name in ("acme", "rival"):
            tokens[name] = networks.connect(
                either_site.store, name, f"{name}_int", [str(APP), GAME], NOW
            )
        Books(either_site.store).define(
            *(
                destination(
                    f"{place.url}/{name}{URL}",
                    name,
                    partner=name,
                    media_sources=[f"{name}_int"],
                    installs="install",
                    events=["purchase=buy"],
                )
                for name in tokens
            )
        )
        yield Scene(either_site, place, tokens)


INSTALL = {"event_id": "i-1", "kind": "install", "idfv": IDFV, **CONSENT}
PURCHASE = {
    **CONSENT,
    "event_id": "p-1",
    "name": "purchase",
    "idfv": IDFV,
    "customer_user_id": "u-1",
    "revenue": "9.99",
    "currency": "USD",
    "order_id": "T-1",
}


def test_a_click_an_install_and_a_purchase_end_at_the_winning_network_only(scene: Scene) -> None:
    """It hears its own click id; the other one hears nothing at all."""
    scene.post("rival", idfa=IDFA, att="authorized", partner_click_id="r-1", at=NOW - 3 * HOUR)
    link = f"/touch/{scene.tokens['acme'].link}?app={APP}&campaign_id=c-7&partner_click_id=a-1"
    clicked = scene.site.client.get(f"{link}&idfa={IDFA}&att=authorized")
    assert clicked.headers["Location"] == f"https://apps.apple.com/app/id{APP}"
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    ids = scene.tell(
        {**INSTALL, "idfa": IDFA, "at": later},
        {**PURCHASE, "at": (datetime.now(UTC) + HOUR).isoformat()},
    )
    assert scene.told() == {
        "acme": [
            {"event": "install", "click": "a-1", "idfa": IDFA, "campaign": "c-7"},
            {"event": "buy", "click": "a-1", "value": "9.99", "campaign": "c-7", "user": "u-1"},
        ],
        "rival": [],
    }
    verdict = scene.verdict(ids[0])
    assert (verdict["media_source"], verdict["touch"]["campaign_id"]) == ("acme_int", "c-7")
    assert verdict["reason"] == "the last click within 7 days, by idfa"
    assert [(one["media_source"], one["why"]) for one in verdict["losers"]] == [
        ("rival_int", "it is not the last")
    ]
    headers = scene.site.key("read")
    path = f"/api/v1/events/{ids[1]}/attribution"
    assert scene.site.client.get(path, headers=headers).status_code == 404


def test_the_purchase_may_come_alone_and_later(scene: Scene) -> None:
    """By what only the app calls its user; of another app it is another's."""
    scene.post("acme", idfa=IDFA, att="authorized", partner_click_id="a-1")
    scene.tell({**INSTALL, "idfa": IDFA, "customer_user_id": "u-1"})
    scene.tell({**PURCHASE, "idfv": None})
    scene.tell({**PURCHASE, "event_id": "p-2", "app_id": 7})
    scene.tell({**PURCHASE, "event_id": "p-3", "at": (NOW - 9 * HOUR).isoformat()})
    assert [one["event"] for one in scene.told()["acme"]] == ["install", "buy"]


def test_his_last_install_decides_of_what_a_user_does(scene: Scene) -> None:
    """Whoever comes back by himself owes it to no ad."""
    click_id = scene.post("acme", partner_click_id="a-1", at=NOW - 5 * HOUR)
    back = {**INSTALL, "event_id": "i-2", "kind": "reinstall", "at": (NOW - HOUR).isoformat()}
    scene.tell({**INSTALL, "click_id": click_id, "at": (NOW - 4 * HOUR).isoformat()}, back)
    scene.tell(PURCHASE, {**PURCHASE, "event_id": "p-2", "at": (NOW - 2 * HOUR).isoformat()})
    rows = {row.event_id: row.media_source for row in scene.site.receiver.rows(StoredEvent)}
    assert rows == {"i-1": "acme_int", "i-2": None, "p-1": None, "p-2": "acme_int"}


def test_a_click_id_comes_back_by_google_play(scene: Scene) -> None:
    """As its library gives it to the app."""
    page = scene.site.client.get(
        f"/touch/{scene.tokens['acme'].link}?app={GAME}&partner_click_id=a-1"
    )
    (referrer,) = parse_qs(urlsplit(page.headers["Location"]).query)["referrer"]
    android = {
        "app_id": None,
        "bundle_id": GAME,
        "android_id": "9774d56d682e549c",
        "idfv": None,
        "att": None,
        "gdpr_applies": True,
        "ad_user_data": True,
        "ad_personalization": True,
        "at": (datetime.now(UTC) + timedelta(seconds=1)).isoformat(),
    }
    scene.tell({**INSTALL, **android, "install_referrer": referrer}, {**PURCHASE, **android})
    assert [(one["event"], one["click"]) for one in scene.told()["acme"]] == [
        ("install", "a-1"),
        ("buy", "a-1"),
    ]


def test_a_late_click_loses_and_a_view_loses_to_a_click(scene: Scene) -> None:
    """The winner was there before, and was a click."""
    said = {"idfa": IDFA, "att": "authorized"}
    scene.post("rival", **said, kind="view", at=NOW - HOUR)
    scene.post("acme", **said, partner_click_id="a-1", at=NOW - 5 * HOUR)
    scene.post("rival", **said, at=NOW - timedelta(seconds=1))
    (install,) = scene.tell({**INSTALL, "idfa": IDFA, "at": (NOW - HOUR / 2).isoformat()})
    assert [one["click"] for one in scene.told()["acme"]] == ["a-1"]
    assert scene.told()["rival"] == []
    assert [one["why"] for one in scene.verdict(install)["losers"]] == [
        "it came after the install",
        "a click outweighs a view",
    ]


@pytest.mark.parametrize(
    "consent",
    [
        {"att": "denied"},
        {"att": None},
        {"gdpr_applies": None, "country": None},
        {"country": "DE", "gdpr_applies": None},
        {"child_directed": True},
    ],
)
def test_without_consent_an_install_is_nobodys_and_nothing_leaves(
    scene: Scene, consent: dict[str, Any]
) -> None:
    """Whatever identifiers it came with: why is written down."""
    click_id = scene.post("acme", idfa=IDFA, att="authorized")
    install, purchase = scene.tell(
        {**INSTALL, "idfa": IDFA, "click_id": click_id, **consent}, {**PURCHASE, **consent}
    )
    assert scene.told() == {"acme": [], "rival": []}
    verdict = scene.verdict(install)
    assert (verdict["media_source"], verdict["touch"], verdict["losers"]) == (None, None, [])
    assert verdict["reason"]
    rows = {row.id: row for row in scene.site.receiver.rows(StoredEvent)}
    assert [rows[id_].media_source for id_ in (install, purchase)] == [None, None]
    assert rows[install].is_attributed is None


def test_one_click_leads_to_one_install(scene: Scene) -> None:
    """In one batch or later: the second install by it is nobody's."""
    click_id = scene.post("acme", partner_click_id="a-1")
    told = {**INSTALL, "click_id": click_id}
    first, second = scene.tell(told, {**told, "event_id": "i-2"})
    (third,) = scene.tell({**told, "event_id": "i-3"})
    assert [one["event"] for one in scene.told()["acme"]] == ["install"]
    for id_ in (second, third):
        assert scene.verdict(id_)["losers"][0]["why"] == f"install {first} was given to it"
    assert [row.touch_id for row in scene.site.receiver.rows(Attributed)] == [1, None, None]


def test_what_was_rejected_gives_nothing_on(scene: Scene) -> None:
    """A fraud's purchases are nobody's; who was told of the install hears that it is taken back."""
    click_id = scene.post("acme", partner_click_id="a-1")
    scene.tell({**INSTALL, "click_id": click_id})
    rejected = {**INSTALL, "event_id": "x-1", "kind": "rejected_install", "withdraws": "i-1"}
    scene.tell(rejected, PURCHASE)
    rows = {row.event_id: row for row in scene.site.receiver.rows(StoredEvent)}
    assert (rows["x-1"].media_source, rows["x-1"].click_id) == ("acme_int", "a-1")
    assert rows["p-1"].media_source is None


def test_apples_answer_gives_an_install_to_apple_ads(scene: Scene) -> None:
    """And to nobody else, permission to track or not."""
    scene.post("acme", idfa=IDFA, att="authorized")
    answer = {"attribution": True, "campaignId": 542370539, "claimType": "Click"}
    (install,) = scene.tell({**INSTALL, "att": "denied", "apple_ads": answer, "idfa": IDFA})
    verdict = scene.verdict(install)
    assert (verdict["media_source"], verdict["touch"]) == ("Apple Ads", None)
    (row,) = scene.site.receiver.rows(StoredEvent)
    assert (row.media_source, row.campaign_id) == ("Apple Ads", "542370539")
    assert scene.told() == {"acme": [], "rival": []}


def test_nothing_of_who_it_was_is_written_beside_the_verdict(scene: Scene) -> None:
    """It stays while its touches end."""
    said = {"idfa": IDFA, "att": "authorized", "partner_click_id": "a-1"}
    scene.post("acme", **said)
    scene.post("rival", **said, kind="view")
    scene.tell({**INSTALL, "idfa": IDFA})
    with scene.site.store.read() as connection:
        (row,) = connection.execute(select(table(Attributed))).all()
        (click_id, _) = connection.scalars(select(table(Touch).c.click_id)).all()
    assert not {IDFA, "a-1", click_id} & set(json.dumps(list(map(str, row))).split('"'))
