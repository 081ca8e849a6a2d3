"""What of an event may go to whom, over everything that can have been answered."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.consent import PERSONAL, PLAIN, VENDORS, Decision, Vendor, decide, under_gdpr
from skan_receiver.mmp.event import (
    Att,
    Attribution,
    Device,
    Event,
    Kind,
    Person,
    Platform,
    Signals,
)

IOS, ANDROID = Platform.IOS, Platform.ANDROID
YES, NO, UNSAID = True, False, None

EVENT = Event(
    provider="own",
    event_id="1",
    kind=Kind.EVENT,
    name="purchase",
    at=datetime(2026, 11, 23, tzinfo=UTC),
    app_id=1,
    bundle_id="com.example",
    platform=IOS,
    installed_at=datetime(2026, 11, 20, tzinfo=UTC),
    revenue=Decimal("1.5"),
    currency="EUR",
    order_id="o-1",
    person=Person(**{one.name: f"x-{one.name}" for one in fields(Person)}),
    attribution=Attribution(is_attributed=True, media_source="acme", campaign_id="c"),
    device=Device(country="US", model="m", os_version="18"),
)


def event(platform: Platform | None, country: str | None, **said: Any) -> Event:
    device = replace(EVENT.device, country=country)
    return replace(EVENT, platform=platform, device=device, signals=Signals(**said))


def outcome(decision: Decision) -> str:
    """In a word: everything goes, what tells of nobody, or nothing."""
    if not decision.sends:
        return "held"
    return "bare" if decision.withheld else "all"


AUTHORIZED, DENIED = {"att": Att.AUTHORIZED}, {"att": Att.DENIED}
GRANTED = {"ad_user_data": True, "ad_personalization": True}
NOT_PERSONAL = {"ad_user_data": True, "ad_personalization": False}

# What docs/consent.md says: platform, country, what was said, the owner's policy; and what goes to
# Google, Meta, TikTok, Snap and any other network.
CASES: list[tuple[Any, ...]] = [
    (IOS, "US", AUTHORIZED, UNSAID, "all all all all all"),
    (IOS, "US", DENIED, YES, "held bare bare held held"),
    (IOS, "US", {"att": Att.RESTRICTED}, YES, "held bare bare held held"),
    (IOS, "US", {"att": Att.NOT_DETERMINED}, YES, "held bare bare held held"),
    (IOS, "US", {}, YES, "held bare bare held held"),
    (IOS, "US", {**AUTHORIZED, "limit_ad_tracking": True}, YES, "held bare bare held held"),
    (IOS, "DE", {**AUTHORIZED, **GRANTED}, UNSAID, "all all all all all"),
    (IOS, "DE", {**AUTHORIZED, **NOT_PERSONAL}, UNSAID, "all bare bare held held"),
    (IOS, "DE", {**AUTHORIZED, "ad_user_data": True}, YES, "all bare bare held held"),
    (IOS, "DE", {**AUTHORIZED, "ad_user_data": False}, YES, "held held held held held"),
    (IOS, "DE", AUTHORIZED, YES, "held held held held held"),
    (IOS, "DE", {**DENIED, **GRANTED}, YES, "held bare bare held held"),
    (IOS, "GB", AUTHORIZED, YES, "held held held held held"),
    (IOS, "CH", AUTHORIZED, YES, "held held held held held"),
    (IOS, None, AUTHORIZED, YES, "held held held held held"),
    (IOS, None, {**AUTHORIZED, "gdpr_applies": False}, UNSAID, "all all all all all"),
    (IOS, "DE", {**AUTHORIZED, "gdpr_applies": False}, YES, "held held held held held"),
    (IOS, "US", {**AUTHORIZED, "gdpr_applies": True}, YES, "held held held held held"),
    (IOS, "US", {**AUTHORIZED, "limited_data_use": True}, YES, "held all all all held"),
    (IOS, "US", {**AUTHORIZED, "child_directed": True}, YES, "held held held held held"),
    (ANDROID, "US", {}, UNSAID, "held held held held held"),
    (ANDROID, "US", {}, NO, "held held held held held"),
    (ANDROID, "US", {}, YES, "all all all all all"),
    (ANDROID, "US", {"limit_ad_tracking": False}, YES, "all all all all all"),
    (ANDROID, "US", {"limit_ad_tracking": True}, YES, "held bare bare held held"),
    (ANDROID, "FR", GRANTED, UNSAID, "all all all all all"),
    (ANDROID, "FR", {}, YES, "held held held held held"),
    (ANDROID, None, GRANTED, UNSAID, "all all all all all"),
    (ANDROID, "US", {"att": Att.AUTHORIZED}, UNSAID, "held held held held held"),
    (None, "US", {}, YES, "held bare bare held held"),
    (None, "US", {}, UNSAID, "held held held held held"),
    (None, "US", AUTHORIZED, UNSAID, "all all all all all"),
]


@pytest.mark.parametrize(("platform", "country", "said", "policy", "expected"), CASES)
def test_each_documented_case(
    platform: Platform | None, country: str | None, said: Any, policy: bool | None, expected: str
) -> None:
    """As docs/consent.md has it."""
    told = event(platform, country, **said)
    found = [outcome(decide(told, vendor, policy=policy)) for vendor in Vendor]
    assert " ".join(found) == expected


def test_a_contract_may_let_events_go_that_tell_of_nobody() -> None:
    """To a network that has no documents of its own; never more than that."""
    decision = decide(event(IOS, "US", **DENIED), Vendor.NETWORK, policy=True, takes_bare=True)
    assert outcome(decision) == "bare"
    assert set(decision.withheld) == {
        *(one.name for one in fields(Person)),
        *("is_attributed", "media_source", "campaign_id", "country", "model", "os_version"),
        *("installed_at", "order_id"),
    }
    assert set(decision.withheld.values()) == {
        "App Tracking Transparency: the status is denied, not authorized"
    }


@pytest.mark.parametrize("country", ["de", " GB ", "UK", "EL", "RE", "GI", "NO"])
def test_the_gdpr_holds_in_more_than_the_union(country: str) -> None:
    """However the code is written."""
    assert under_gdpr(event(IOS, country)) is True


@pytest.mark.parametrize(
    "country", [None, "", "XX", "ZZ", "EU", "AP", "T1", "A1", "Germany", "276"]
)
def test_a_code_of_no_country_tells_nothing(country: str | None) -> None:
    """So it could be anywhere, and the strictest law holds."""
    assert under_gdpr(event(IOS, country)) is None
    held = decide(event(IOS, country, **AUTHORIZED), Vendor.META, policy=True)
    assert held.reason.startswith("where the user is is not known, so the GDPR holds")


def test_every_field_is_of_one_kind() -> None:
    """Who adds a field to an event has to say whether it tells of somebody."""
    parts = ("person", "attribution", "signals", "device")
    internal = {"provider", "event_id", "is_restricted", "withdraws"}
    of_parts = (Person, Attribution, Signals, Device)
    named = {one.name for part in (Event, *of_parts) for one in fields(part)} - {*parts}
    assert named == {*PERSONAL, *PLAIN, *internal}
    assert not set(PERSONAL) & set(PLAIN)


MAYBE = st.sampled_from([None, True, False])
COUNTRY = st.sampled_from([None, "US", "DE", "GB", "CH", "BR", "XX", "de"])
EVENTS = st.builds(
    event,
    st.sampled_from([None, *Platform]),
    COUNTRY,
    att=st.sampled_from([None, *Att]),
    limit_ad_tracking=MAYBE,
    gdpr_applies=MAYBE,
    ad_user_data=MAYBE,
    ad_personalization=MAYBE,
    limited_data_use=MAYBE,
    child_directed=MAYBE,
)


def may_tell_of_somebody(told: Event, vendor: Vendor, policy: bool | None) -> bool:
    """The rules once more, from the other end: all that must be true for an identifier to leave."""
    said, rules = told.signals, VENDORS[vendor]
    android = told.platform is Platform.ANDROID
    gdpr = under_gdpr(told) is not False
    by_platform = android or said.att is Att.AUTHORIZED
    by_law = not gdpr or (
        said.ad_user_data is True
        and (said.ad_personalization is True or rules.hears_no_personalization)
    )
    by_owner = gdpr or policy is True or (not android and said.att is Att.AUTHORIZED)
    return (
        by_platform
        and by_law
        and by_owner
        and not said.limit_ad_tracking
        and not said.child_directed
        and (not said.limited_data_use or rules.hears_limited_use)
    )


@given(told=EVENTS, vendor=st.sampled_from(Vendor), policy=MAYBE, takes_bare=st.booleans())
def test_no_identifier_leaves_unless_every_rule_allows_it(
    told: Event, vendor: Vendor, policy: bool | None, *, takes_bare: bool
) -> None:
    """Over all combinations; and where all do, nothing is kept back."""
    decision = decide(told, vendor, policy=policy, takes_bare=takes_bare)
    left = told.without(decision.withheld)
    parts = (left, left.person, left.attribution, left.device)
    tells = any(getattr(part, name, None) is not None for part in parts for name in PERSONAL)
    allowed = may_tell_of_somebody(told, vendor, policy)
    if decision.sends:
        assert tells is allowed
    if allowed:
        assert decision == Decision(sends=True)


@given(told=EVENTS, vendor=st.sampled_from(Vendor), policy=MAYBE, takes_bare=st.booleans())
def test_every_no_has_its_reason(
    told: Event, vendor: Vendor, policy: bool | None, *, takes_bare: bool
) -> None:
    """Of a delivery and of each field; and what was said of consent is never held back."""
    decision = decide(told, vendor, policy=policy, takes_bare=takes_bare)
    assert decision.sends is not bool(decision.reason)
    assert all(decision.withheld.values())
    assert set(decision.withheld) <= set(PERSONAL)
    left = told.without(decision.withheld)
    assert (left.name, left.at, left.revenue, left.signals) == (
        told.name, told.at, told.revenue, told.signals,
    )  # fmt: skip


@given(told=EVENTS, vendor=st.sampled_from(Vendor), policy=MAYBE)
def test_less_said_never_lets_more_out(told: Event, vendor: Vendor, policy: bool | None) -> None:
    """Whatever consent is forgotten on the way, no identifier leaves that would not have."""
    before = decide(told, vendor, policy=policy)
    consents = {"att": None, "ad_user_data": None, "ad_personalization": None}
    less = replace(told, signals=replace(told.signals, **consents))
    after = decide(less, vendor, policy=policy)
    # Android's own answer is in no consent that could be forgotten here.
    if told.platform is not Platform.ANDROID or under_gdpr(told) is not False:
        assert outcome(after) != "all"
    if outcome(before) == "held":
        assert outcome(after) != "all"
