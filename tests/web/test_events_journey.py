"""What MMPs post comes out as what four platforms document; of who opted out, it names nobody."""

import json
from typing import Any

from skan_receiver.delivery.destinations import ANY_KIND, EventDestination
from skan_receiver.delivery.presets import PRESETS, fill
from skan_receiver.delivery.vault import put_secret
from tests.delivery.event_presets import EVENT_GIVEN
from tests.delivery.eventing import Intake
from tests.delivery.owing import VAULT
from tests.delivery.test_event_presets import head
from tests.mmp.told import IDFA, IDFV, adjust, appsflyer
from tests.sink import Received, Sink, sink
from tests.web.site import Site
from tests.web.test_mmp import connect

PLATFORMS = ("google-app", "meta-app", "tiktok-app", "snap-app")
NAMES = {"media_sources": "examplenet_int,Examplenet"}
IDENTIFIERS = (
    *(IDFA, IDFV, "203.0.113.7", "1700000000000-1234567", "18f0a1b2c3d4e5f60718293a4b5c6d7e"),
    *("CFNetwork", "iPhone17,1", "18.3", "T-77", "c-1", "site-9", "examplenet"),
)


def connected(site: Site, open_: Sink) -> Intake:
    """The four platforms, at the sink."""
    intake = Intake(site.store)
    for name in PLATFORMS:
        definition, secrets = fill(PRESETS[name], name, {**EVENT_GIVEN[name], **NAMES})
        moved = definition["url"].replace(head(definition["url"]), head(open_.url))
        made = ANY_KIND.validate_python({**definition, "url": moved})
        assert isinstance(made, EventDestination)
        intake.define(made)
        for secret, plain in secrets.items():
            put_secret(site.store, VAULT, name, secret, plain)
    return intake


def tell(site: Site, **said: object) -> None:
    """An install by Adjust and a purchase by AppsFlyer, of a user in the United States."""
    purchase = appsflyer(country_code="US", **said)
    answer = site.client.post(connect(site, "appsflyer", name="af"), data=json.dumps(purchase))
    assert answer.status_code == 200
    install = adjust(country="us", att_status="3" if said["att"] == "authorized" else "2")
    answer = site.client.get(connect(site, "adjust", name="aj"), query_string=install)
    assert answer.status_code == 200


def by_platform(open_: Sink) -> dict[str, list[Received]]:
    found: dict[str, list[Received]] = {name: [] for name in PLATFORMS}
    for got in open_.received:
        found[got.id.partition("_")[2]].append(got)
    return found


def test_samples_of_two_mmps_reach_four_platforms(either_site: Site) -> None:
    """Each as its page has it."""
    with sink() as open_:
        intake = connected(either_site, open_)
        tell(either_site, att="authorized")
        intake.deliver()
    sent = by_platform(open_)
    assert {name: len(several) for name, several in sent.items()} == dict.fromkeys(PLATFORMS, 2)
    google = sorted(got.path for got in sent["google-app"])
    assert f"app_event_type=first_open&rdid={IDFA}&id_type=idfa&lat=0" in google[0]
    assert f"app_event_type=in_app_purchase&rdid={IDFA}&id_type=idfa&lat=0" in google[1]
    assert "value=12.34&currency_code=EUR&eea=0" in google[1]
    assert {got.headers["x-forwarded-for"] for got in sent["google-app"]} == {"203.0.113.7"}
    meta = bodies(sent["meta-app"])
    assert meta["Purchase"]["user_data"]["madid"] == IDFA
    assert meta["Purchase"]["custom_data"] == {
        "value": 12.34,
        "currency": "EUR",
        "order_id": "T-77",
    }
    assert meta["install"]["app_data"]["advertiser_tracking_enabled"] == 1
    tiktok = bodies(sent["tiktok-app"], "event")
    assert tiktok["InstallApp"]["user"]["att_status"] == "AUTHORIZED"
    assert tiktok["Purchase"]["properties"] == {"currency": "EUR", "value": 12.34}
    snap = bodies(sent["snap-app"])
    assert snap["PURCHASE"]["user_data"]["madid"] == IDFA


def test_the_opted_out_twin_tells_of_nobody(either_site: Site) -> None:
    """No byte of an identifier, the device or the ad; Google and Snap are sent nothing."""
    with sink() as open_:
        intake = connected(either_site, open_)
        tell(either_site, att="denied")
        intake.deliver()
    sent = by_platform(open_)
    assert {name: len(several) for name, several in sent.items()} == {
        "google-app": 0, "meta-app": 2, "tiktok-app": 2, "snap-app": 0,
    }  # fmt: skip
    for got in open_.received:
        whole = f"{got.path}\n{got.headers}\n{got.body.decode()}".lower()
        assert not [value for value in IDENTIFIERS if value.lower() in whole]
    assert bodies(sent["meta-app"])["Purchase"]["app_data"]["advertiser_tracking_enabled"] == 0
    assert bodies(sent["tiktok-app"], "event")["Purchase"]["user"] == {"att_status": "DENIED"}


def bodies(several: list[Received], name: str = "event_name") -> dict[str, Any]:
    """By the event's name there."""
    told = [json.loads(got.body)["data"][0] for got in several]
    return {one[name]: one for one in told}
