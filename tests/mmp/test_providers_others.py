"""Adjust, Branch, Singular, Kochava and Airbridge, field by field."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from skan_receiver.mmp.event import Att, Event, Kind, Platform
from skan_receiver.mmp.providers import PROVIDERS
from tests.mmp.told import GAID, IDFA, IDFV, adjust, branch

ADJUST, BRANCH = PROVIDERS["adjust"], PROVIDERS["branch"]


def from_adjust(**said: str) -> Event:
    (event,) = ADJUST.read(adjust(**said).items(), b"")
    return event


def test_an_adjust_install_has_everything_it_says() -> None:
    """In a query, in a form, or half and half: one event."""
    event = from_adjust()
    assert (event.kind, event.name) == (Kind.INSTALL, "install")
    assert event.at == event.installed_at == datetime.fromtimestamp(1772618000, UTC)
    assert (event.app_id, event.platform) == (1555000111, Platform.IOS)
    assert event.person.named() == {
        "idfa": IDFA,
        "idfv": IDFV,
        "mmp_user_id": "18f0a1b2c3d4e5f60718293a4b5c6d7e",
        "ip": "203.0.113.7",
    }
    assert event.attribution.is_attributed is True
    assert event.attribution.media_source == "Examplenet"
    assert event.attribution.touched_at == datetime.fromtimestamp(1772617700, UTC)
    assert (event.signals.att, event.device.country) == (Att.AUTHORIZED, "DE")
    said = list(adjust().items())
    assert ADJUST.read((), urlencode(said).encode()) == [event]
    assert ADJUST.read(said[:5], urlencode(said[5:]).encode()) == [event]


def test_an_adjust_callback_may_say_little() -> None:
    """Somebody else's choice of placeholders: a time and a name are enough."""
    said = {"gps_adid": GAID, "adid": "ad", "created_at": "1404214665", "event_name": "Click"}
    (event,) = ADJUST.read({**said, "tracker_name": "Net::Spring", "custom": "x"}.items(), b"")
    assert (event.kind, event.name, event.platform) == (Kind.EVENT, "Click", Platform.ANDROID)
    assert event.attribution.media_source == "Net"
    assert (event.app_id, event.revenue) == (None, None)


@pytest.mark.parametrize(
    ("activity", "kind", "name"),
    [
        ("install", Kind.INSTALL, "install"),
        ("reinstall", Kind.REINSTALL, "reinstall"),
        ("reattribution", Kind.REENGAGEMENT, "re-engagement"),
        ("reattribution_reinstall", Kind.REINSTALL, "reinstall"),
        ("rejected_install", Kind.REJECTED, "rejected install"),
        ("rejected install", Kind.REJECTED, "rejected install"),
        ("rejected_reattribution", Kind.REJECTED, "rejected install"),
        ("session", Kind.EVENT, "session"),
        ("uninstall", Kind.EVENT, "uninstall"),
    ],
)
def test_adjusts_kinds_of_activity(activity: str, kind: Kind, name: str) -> None:
    """What has no kind of ours is an event of that name."""
    event = from_adjust(activity_kind=activity)
    assert (event.kind, event.name) == (kind, name)


def test_adjust_revenue_is_in_whole_units() -> None:
    """{revenue} is in cents and is not read; what Adjust converted stands in."""
    event = from_adjust(activity_kind="event", event_name="buy", revenue="499",
                        revenue_float="4.99", currency="usd")  # fmt: skip
    assert (event.revenue, event.currency) == (Decimal("4.99"), "USD")
    converted = from_adjust(activity_kind="event", event_name="buy", reporting_revenue="4.50",
                            reporting_currency="eur")  # fmt: skip
    assert (converted.revenue, converted.currency) == (Decimal("4.50"), "EUR")


def test_an_organic_adjust_install_is_nobodys() -> None:
    """By the network's name, or by what it says of it."""
    for said in ({"network_name": "Organic"}, {"network_name": "", "tracker_name": "Organic"}):
        event = from_adjust(**said)
        assert (event.attribution.is_attributed, event.attribution.media_source) == (False, None)
    event = from_adjust(network_name="", tracker_name="", is_organic="1")
    assert event.attribution.is_attributed is False


def from_branch(**said: object) -> Event:
    (event,) = BRANCH.read((), json.dumps(branch(**said)).encode())
    return event


def test_a_branch_webhook_has_everything_it_says() -> None:
    """Members within members, and an id of Branch's own."""
    event = from_branch()
    assert (event.event_id, event.kind, event.name) == ("br-0001", Kind.EVENT, "PURCHASE")
    assert event.at == datetime(2026, 3, 4, 9, 53, 20, 123_000, UTC)
    assert (event.revenue, event.currency, event.order_id) == (Decimal("9.9"), "EUR", "T-78")
    assert event.person.named() == {"gaid": GAID, "ip": "203.0.113.7"}
    assert event.platform is Platform.ANDROID
    assert event.attribution.is_attributed is True
    assert (event.attribution.media_source, event.attribution.campaign_id) == ("Examplenet", "c-1")
    assert (event.signals.limit_ad_tracking, event.device.country) == (False, "FR")
    assert event.is_restricted is False


def test_branch_by_macros_says_the_same() -> None:
    """A macro is the path of the member."""
    flat = [
        ("id", "br-0001"),
        ("name", "PURCHASE"),
        ("event_timestamp", "1772618000123"),
        ("attributed", "1"),
        ("last_attributed_touch_type", "CLICK"),
        ("last_attributed_touch_timestamp", "1772610000000"),
        ("last_attributed_touch_data.~advertising_partner_name", "Examplenet"),
        ("last_attributed_touch_data.~campaign", "Spring"),
        ("last_attributed_touch_data.~campaign_id", "c-1"),
        ("last_attributed_touch_data.dollar_fb_data_terms_not_signed", "0"),
        ("user_data.os", "Android"),
        ("user_data.aaid", GAID),
        ("user_data.idfa", ""),
        ("user_data.ip", "203.0.113.7"),
        ("user_data.limit_ad_tracking", "0"),
        ("user_data.geo_country_code", "FR"),
        ("event_data.revenue", "9.9"),
        ("event_data.currency", "EUR"),
        ("event_data.transaction_id", "T-78"),
    ]
    assert BRANCH.read(flat, b"") == [from_branch()]


@pytest.mark.parametrize(
    "terms",
    [{"$fb_data_terms_not_signed": True}, {"$twitter_data_sharing_allowed": False}],
)
def test_branch_says_whose_data_goes_to_nobody_else(terms: dict[str, bool]) -> None:
    """Facebook's and Twitter's terms."""
    assert from_branch(last_attributed_touch_data=terms).is_restricted is True


@pytest.mark.parametrize(
    ("event", "more", "kind"),
    [
        ("__START__", {}, Kind.INSTALL),
        ("__START__", {"is_re_eng": "1"}, Kind.REENGAGEMENT),
        ("__iap__", {"amount": "2.5", "currency": "USD"}, Kind.EVENT),
        ("__iap__", {"amount": "-2.5", "currency": "USD"}, Kind.REFUND),
        ("__SESSION__", {"is_re_eng": "1"}, Kind.EVENT),
    ],
)
def test_singulars_own_events(event: str, more: dict[str, str], kind: Kind) -> None:
    """By its macros, or as JSON under the same names."""
    said = {"event": event, "timestamp": "1772618000123", "app_id": "1555000111", "idfa": IDFA}
    (found,) = PROVIDERS["singular"].read({**said, **more}.items(), b"")
    assert found.kind is kind
    assert PROVIDERS["singular"].read((), json.dumps({**said, **more}).encode()) == [found]


def test_kochava_calls_an_install_by_a_name_of_its_own() -> None:
    """Whatever the address says besides."""
    said = {"name": "_install", "at": "1772618000", "idfa": IDFA}
    for more in ({}, {"kind": "install"}):
        (event,) = PROVIDERS["kochava"].read({**said, **more}.items(), b"")
        assert (event.kind, event.name) == (Kind.INSTALL, "install")


def test_airbridge_may_use_our_names_or_its_own() -> None:
    """Its fields are named in its dashboard; left alone, some have the names of its API."""
    body = {
        "eventUUID": "7e2b",
        "eventTimestamp": 1772618000123,
        "eventName": "App Install",
        "device": {"ifa": IDFA, "deviceUUID": "dev-1"},
        "country": "KR",
    }
    (event,) = PROVIDERS["airbridge"].read((), json.dumps(body).encode())
    assert (event.kind, event.event_id) == (Kind.INSTALL, "7e2b")
    assert (event.person.idfa, event.person.mmp_user_id) == (IDFA, "dev-1")
    assert event.device.country == "KR"
