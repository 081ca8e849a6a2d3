"""Events without an id of the MMP's: a copy is one, two users' are two. And values that are odd."""

import json
from collections.abc import Mapping

import pytest

from skan_receiver.errors import Malformed
from skan_receiver.mmp.event import Event
from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.generic import OWN
from skan_receiver.mmp.providers.request import take
from tests.mmp.told import IDFA, appsflyer

APPSFLYER, GENERIC = PROVIDERS["appsflyer"], PROVIDERS["generic"]
BARE = {"kind": "event", "name": "seen", "at": "1700000000", "app_id": "7"}


def read(**said: object) -> Event:
    (event,) = APPSFLYER.read((), json.dumps(appsflyer(**said)).encode())
    return event


def bare(**said: str) -> Event:
    return GENERIC.event({**BARE, **said})


@pytest.mark.parametrize(
    "again",
    [
        {"event_revenue": "12.340"},
        {"event_revenue": "12.3400000001"},
        {"event_time": "2026-03-04 10:11:12"},
        {"event_time": "2026-03-04 11:11:12.999+0100"},
        {"idfa": IDFA.lower()},
        {"event_revenue_currency": "eur"},
    ],
    ids=lambda again: " ".join(again.values()),
)
def test_the_same_in_other_letters_is_a_copy(again: Mapping[str, str]) -> None:
    """An export has other digits, no milliseconds and other capitals than what was pushed."""
    assert read(**again).identity == read().identity


@pytest.mark.parametrize(
    "other",
    [
        {"event_revenue": "12.35"},
        {"event_time": "2026-03-04 10:11:13"},
        {"idfa": IDFA[:-1] + "0"},
        {"customer_user_id": "u-1"},
    ],
)
def test_what_is_not_the_same_is_none(other: Mapping[str, str]) -> None:
    """Another amount, second, device or user."""
    assert read(**other).identity != read().identity


@pytest.mark.parametrize("name", ["click_id", "ip", "user_agent"])
def test_two_whom_nothing_names_are_two(name: str) -> None:
    """As far as an address tells; Singular's macros have no more."""
    assert bare(**{name: "198.51.100.1"}).identity != bare(**{name: "198.51.100.2"}).identity
    named = bare(idfv="V-1", **{name: "198.51.100.1"})
    assert named.identity == bare(idfv="V-1", **{name: "198.51.100.2"}).identity


def test_a_made_id_says_so() -> None:
    """It goes to nobody as it is."""
    assert bare().is_id_made
    assert not bare(event_id="e-1").is_id_made


def test_the_reason_for_a_kind_that_is_none_does_not_repeat_it() -> None:
    """An identifier may have come in its place, and reasons are logged."""
    with pytest.raises(Malformed) as caught:
        bare(kind=IDFA)
    assert caught.value.member == "kind"
    assert "rejected_install" in str(caught.value)
    assert IDFA.lower() not in str(caught.value).lower()


ODD = {
    "country_code": "USA",
    "user_agent": "x" * 3_000,
    "ip": "x" * 300,
    "att": "asked_later",
    "campaign": "x" * 3_000,
    "attributed_touch_time": "lately",
    "ad_user_data_enabled": "perhaps",
    "is_retargeting": "perhaps",
    "os_version": "18\0",
}


@pytest.mark.parametrize("name", ODD)
def test_an_event_is_taken_without_what_is_odd_in_it(name: str) -> None:
    """As if that had not been said."""
    body = json.dumps(appsflyer(**{name: ODD[name]})).encode()
    assert take(APPSFLYER, (), body).events == [read(**{name: None})]


@pytest.mark.parametrize(
    ("name", "field"),
    [("is_lat", "limit_ad_tracking"), ("gdpr_applies", "gdpr_applies")],
)
def test_a_refusal_that_nobody_understands_is_one(name: str, field: str) -> None:
    """To pass over it would let out what was not to go."""
    assert getattr(read(**{name: "maybe"}).signals, field) is True
    for other in ("limited_data_use", "child_directed"):
        assert getattr(bare(**{other: "maybe"}).signals, other) is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_time", "lately"),
        ("event_revenue", "much"),
        ("event_revenue_currency", "US$"),
        ("app_id", "id" + "x" * 300),
        ("idfa", "x" * 300),
        ("media_source", "x" * 3_000),
    ],
)
def test_what_makes_an_event_what_it_is_must_be_read(name: str, value: str) -> None:
    """Or it waits in the quarantine, with the member's name."""
    (unread,) = take(APPSFLYER, (), json.dumps(appsflyer(**{name: value})).encode()).unread
    assert unread.fault.member == name
    assert value not in str(unread.fault)


def test_nor_may_what_says_that_it_goes_to_nobody_be_passed_over() -> None:
    """A network's terms, which we do not understand."""
    with pytest.raises(Malformed, match="is_restricted: neither true nor false"):
        bare(is_restricted="maybe")


def test_an_apps_own_server_is_told_of_each() -> None:
    """It can put it right, and is answered."""
    with pytest.raises(Malformed, match="country: not a country of two letters"):
        OWN.event({**BARE, "event_id": "e-1", "country": "USA"})
