"""AppsFlyer's Push API, field by field."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from skan_receiver.mmp.event import Att, Event, Kind, Platform
from skan_receiver.mmp.providers import PROVIDERS
from tests.mmp.told import IDFA, IDFV, appsflyer, appsflyer_first_version

APPSFLYER = PROVIDERS["appsflyer"]


def read(**said: object) -> Event:
    (event,) = APPSFLYER.read((), json.dumps(appsflyer(**said)).encode())
    return event


def test_an_in_app_event_has_everything_it_says() -> None:
    """Each under our name; whatever it does not say is absent, not empty."""
    event = read()
    assert (event.kind, event.name) == (Kind.EVENT, "af_purchase")
    assert event.at == datetime(2026, 3, 4, 10, 11, 12, 345_000, UTC)
    assert event.installed_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert (event.app_id, event.bundle_id) == (1555000111, "com.example.teahouse")
    assert event.platform is Platform.IOS
    assert (event.revenue, event.currency, event.order_id) == (Decimal("12.34"), "EUR", "T-77")
    assert event.person.named() == {
        "idfa": IDFA,
        "idfv": IDFV,
        "mmp_user_id": "1700000000000-1234567",
        "ip": "203.0.113.7",
        "user_agent": "TeaHouse/3.2.0 CFNetwork Darwin",
    }
    assert event.attribution.is_attributed is True
    assert event.attribution.media_source == "examplenet_int"
    assert (event.attribution.campaign_id, event.attribution.campaign_name) == ("c-1", "Spring")
    assert (event.attribution.adset_id, event.attribution.adset_name) == ("a-1", None)
    assert event.attribution.touched_at == datetime(2026, 3, 1, 8, 55, tzinfo=UTC)
    assert event.signals.att is Att.AUTHORIZED
    assert (event.signals.gdpr_applies, event.signals.limit_ad_tracking) == (None, None)
    assert (event.device.country, event.device.region) == ("GB", None)
    assert (event.is_restricted, event.withdraws) == (False, None)


def test_a_query_says_the_same_as_json() -> None:
    """Push by GET has the same names, and everything is text."""
    said = {name: value for name, value in appsflyer().items() if value is not None}
    query = [(name, str(value)) for name, value in said.items()]
    assert APPSFLYER.read(query, b"") == [read()]


def test_an_amount_is_what_was_written() -> None:
    """Not what a binary number makes of it."""
    body = json.dumps(appsflyer()).replace(": 12.34", ": 1000000.000001").encode()
    assert APPSFLYER.read((), body)[0].revenue == Decimal("1000000.000001")


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ("install", Kind.INSTALL),
        ("reinstall", Kind.REINSTALL),
        ("re-attribution", Kind.REINSTALL),
        ("re-engagement", Kind.REENGAGEMENT),
        ("af_purchase", Kind.EVENT),
    ],
)
def test_kinds_are_event_names(named: str, kind: Kind) -> None:
    """An install is an event of that name."""
    event = read(event_name=named, event_revenue=None, event_revenue_usd=None)
    assert event.kind is kind
    assert event.name == (named if kind is Kind.EVENT else kind.value)


@pytest.mark.parametrize(
    ("source", "attributed", "kept", "restricted"),
    [
        ("organic", False, None, False),
        ("Organic", False, None, False),
        ("examplenet_int", True, "examplenet_int", False),
        # A network whose rules let its data go to nobody else: somebody's, and no more is said.
        ("restricted", True, None, True),
        (None, None, None, False),
    ],
)
def test_organic_attributed_and_restricted_are_told_apart(
    source: str | None, attributed: bool | None, kept: str | None, restricted: bool
) -> None:
    """What was not said is not organic."""
    event = read(media_source=source)
    assert event.attribution.is_attributed is attributed
    assert event.attribution.media_source == kept
    assert event.is_restricted is restricted


def test_revenue_in_dollars_stands_in_for_one_that_is_absent() -> None:
    """With its currency; without any, there is none."""
    dollars = read(event_revenue=None)
    assert (dollars.revenue, dollars.currency) == (Decimal("13.01"), "USD")
    bare = read(event_revenue_currency=None)
    assert (bare.revenue, bare.currency) == (Decimal("12.34"), None)


def test_revenue_below_nothing_is_a_refund() -> None:
    """It has the order it takes back."""
    refund = read(event_name="af_refund", event_revenue=-12.34)
    assert (refund.kind, refund.revenue, refund.order_id) == (
        Kind.REFUND,
        Decimal("-12.34"),
        "T-77",
    )


def test_a_blocked_install_takes_back_an_install() -> None:
    """Whatever it is called: the reason it was blocked for says it."""
    blocked = read(event_name="install", blocked_reason="bots", event_revenue=None)
    assert (blocked.kind, blocked.name) == (Kind.REJECTED, "rejected install")
    assert blocked.event_id != read(event_name="install", event_revenue=None).event_id


def test_a_blocked_event_takes_back_that_event() -> None:
    """By the id that we made of what it says."""
    blocked = read(blocked_reason="bots")
    assert (blocked.kind, blocked.withdraws) == (Kind.REJECTED, read().event_id)


def test_a_copy_is_one_event_whatever_changes_on_the_way() -> None:
    """The address may, and so may the media source: AppsFlyer tells an event within a
    re-engagement window once for each of two."""
    assert read().identity == read(ip="203.0.113.8", media_source="other_int").identity
    assert read().identity != read(event_time="2026-03-04 10:11:13.345").identity
    assert read().identity != read(event_revenue=12.35).identity
    assert read().identity != read(appsflyer_id="2").identity


def test_the_first_version_is_still_read() -> None:
    """An install of 2015: no event time but the install's, and Facebook's names."""
    (event,) = APPSFLYER.read((), json.dumps(appsflyer_first_version()).encode())
    assert event.kind is Kind.INSTALL
    assert event.at == event.installed_at == datetime(2015, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert (event.app_id, event.bundle_id) == (None, "com.example.teahouse")
    assert event.platform is Platform.ANDROID
    assert event.person.mmp_user_id == "1430895600000-99"
    assert (event.attribution.campaign_name, event.attribution.adset_id) == ("Tea", "222")
    assert event.attribution.agency == "example agency"


def test_who_opted_out_has_no_identifier_left() -> None:
    """Zeros and nulls: what a phone says that may not say more."""
    zeros = "00000000-0000-0000-0000-000000000000"
    event = read(idfa=zeros, idfv=None, att="denied", ip=None, user_agent="None")
    assert event.person.named() == {"mmp_user_id": "1700000000000-1234567"}
    assert event.signals.att is Att.DENIED
