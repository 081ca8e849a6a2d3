"""To which touch an install is given, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.apple_ads import MEDIA_SOURCE, attribution_of
from skan_receiver.mmp.event import Att, Attribution, Event, Kind, Person, Platform, Signals
from skan_receiver.mmp.touches import (
    APPLE_ADS,
    Attributed,
    Touch,
    TouchKind,
    Windows,
    attribute,
)
from skan_receiver.mmp.touches import given as as_given

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDFA = "9B1C6E1A-7D53-4F0E-8A57-0C3B5D2F1A90"
GAID = "38400000-8cf0-11bd-b23e-10b96e40000d"
WINDOWS = Windows()

INSTALL = Event(
    provider="own",
    event_id="i-1",
    kind=Kind.INSTALL,
    name="install",
    at=NOON,
    installed_at=NOON,
    app_id=7,
    platform=Platform.IOS,
    person=Person(click_id="ours", idfa=IDFA.lower()),
    signals=Signals(att=Att.AUTHORIZED, gdpr_applies=False),
)
ANDROID = replace(
    INSTALL,
    app_id=None,
    bundle_id="com.example.game",
    platform=Platform.ANDROID,
    person=Person(gaid=GAID.upper(), click_id="ours"),
    signals=Signals(limit_ad_tracking=False, gdpr_applies=False),
)


def touch(id_: int = 1, ago: timedelta = HOUR, **fields: Any) -> Touch:
    said: dict[str, Any] = {
        "kind": TouchKind.CLICK,
        "media_source": f"net-{id_}",
        "app_id": 7,
        "idfa": IDFA,
        "partner_click_id": f"theirs-{id_}",
        "campaign_id": f"c-{id_}",
    }
    return Touch(id=id_, at=NOON - ago, **said | fields)


def view(id_: int = 1, ago: timedelta = HOUR, **fields: Any) -> Touch:
    return touch(id_, ago, kind=TouchKind.VIEW, **fields)


def said(**signals: Any) -> Event:
    return replace(INSTALL, signals=replace(INSTALL.signals, **signals))


def judge(*touches: Touch, install: Event = INSTALL) -> Attributed:
    return attribute(install, touches, WINDOWS)


def losers(one: Attributed) -> dict[int, str]:
    return {loser.touch.id: loser.why for loser in one.losers}


def test_the_last_click_wins() -> None:
    """The others are told why they lost."""
    one = judge(touch(1, 3 * HOUR), touch(2, HOUR), touch(3, 2 * HOUR))
    assert one.winner is not None
    assert (one.winner.id, one.by, one.reason) == (
        2,
        "idfa",
        "the last click within 7 days, by idfa",
    )
    assert losers(one) == dict.fromkeys((1, 3), "it is not the last")


def test_a_click_outweighs_a_later_view() -> None:
    """Whoever shows many ads to many would win otherwise."""
    one = judge(view(2, HOUR), touch(1, 6 * DAY))
    assert one.winner is not None
    assert (one.winner.id, losers(one)) == (1, {2: "a click outweighs a view"})


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (touch(ago=-HOUR), "it came after the install"),
        (touch(ago=7 * DAY + timedelta(seconds=1)), "a click counts for 7 days"),
        (view(ago=DAY + timedelta(seconds=1)), "a view counts for 1 day"),
        (touch(app_id=8), "it is of another app"),
        (touch(given_to=3), "install 3 was given to it"),
        (touch(idfa=None), "no identifier that may be used is the same"),
    ],
)
def test_what_does_not_count_says_why(one: Touch, why: str) -> None:
    """And nobody wins."""
    judged = judge(one)
    assert (judged.winner, judged.reason, losers(judged)) == (None, "no touch counts", {1: why})


@pytest.mark.parametrize("ago", [timedelta(), 7 * DAY])
def test_a_window_has_its_ends(ago: timedelta) -> None:
    """At the moment of the install, and as long before as is said."""
    assert judge(touch(ago=ago)).winner is not None


@pytest.mark.parametrize(
    ("signals", "why"),
    [
        ({"att": Att.DENIED}, "App Tracking Transparency: the status is denied, not authorized"),
        ({"att": None}, "App Tracking Transparency: the status is not known, not authorized"),
        ({"gdpr_applies": True}, "GDPR: consent to use data for ads is not known"),
        ({"gdpr_applies": None}, "where the user is is not known, so the GDPR holds: consent to "
                                 "use data for ads is not known"),
        ({"child_directed": True}, "the app is for children: nothing goes to ad networks"),
    ],
)  # fmt: skip
def test_without_consent_nobody_wins_and_no_touch_is_looked_at(
    signals: dict[str, Any], why: str
) -> None:
    """Not even to say that it lost: that would link what may not be linked."""
    one = judge(touch(), touch(2, click_id="ours"), install=said(**signals))
    assert one == Attributed(None, why)


def test_on_android_the_click_id_of_the_referrer_is_enough() -> None:
    """It is of this click, and of no device."""
    fields: dict[str, Any] = {"app_id": None, "bundle_id": "com.example.game", "idfa": None}
    by_click, by_device = touch(1, click_id="ours", **fields), touch(2, gaid=GAID, **fields)
    limits = replace(ANDROID, signals=replace(ANDROID.signals, limit_ad_tracking=True))
    unsaid = replace(ANDROID, signals=replace(ANDROID.signals, limit_ad_tracking=None))
    for install, by in ((ANDROID, "gaid"), (limits, "click_id"), (unsaid, "click_id")):
        one = judge(by_click, replace(by_device, at=NOON), install=install)
        assert one.by == by


def test_an_install_that_has_nothing_to_be_found_by_says_so() -> None:
    """And one by which nothing was found says what was looked for."""
    bare = judge(touch(), install=replace(INSTALL, person=Person(idfv="V", ip="203.0.113.7")))
    assert bare == Attributed(None, "it has no identifier that may be used: click_id, idfa, gaid")
    assert judge().reason == "no touch has its click_id or idfa"


def test_what_the_apps_server_says_itself_stands() -> None:
    """It may know more than we do."""
    for attribution, why in (
        (Attribution(media_source="acme"), "the app's server gives it to acme itself"),
        (Attribution(is_attributed=False), "the app's server says that it is organic"),
    ):
        assert judge(touch(), install=replace(INSTALL, attribution=attribution)) == Attributed(
            None, why
        )


def test_the_winner_is_told_in_its_own_words() -> None:
    """The click id of an event that is given to it is the one that its network knows."""
    event = as_given(INSTALL, judge(touch(adset_id="a", ad_name="Ad")))
    assert event.person == replace(INSTALL.person, click_id="theirs-1")
    assert event.attribution == Attribution(
        is_attributed=True,
        media_source="net-1",
        campaign_id="c-1",
        adset_id="a",
        ad_name="Ad",
        touch_type="click",
        touched_at=NOON - HOUR,
        match_type="idfa",
    )


ANSWER = {
    "attribution": True,
    "orgId": 40669820,
    "campaignId": 542370539,
    "conversionType": "Download",
    "clickDate": "2026-03-14T11:30Z",
    "claimType": "Click",
    "adGroupId": 542317095,
    "countryOrRegion": "US",
    "keywordId": 87675432,
    "adId": 542317136,
}


def apples(**answer: Any) -> Event:
    kept = {name: value for name, value in (ANSWER | answer).items() if value is not None}
    return replace(INSTALL, attribution=Attribution(**attribution_of(kept)))


@pytest.mark.parametrize(
    ("install", "touches", "winner"),
    [
        (apples(), [], MEDIA_SOURCE),
        (apples(), [touch()], MEDIA_SOURCE),
        (apples(), [touch(ago=timedelta(minutes=5))], "net-1"),
        (apples(clickDate="2026-03-14T12:01Z"), [touch()], MEDIA_SOURCE),
        (apples(clickDate="2026-03-01T12:00Z"), [view()], "net-1"),
        (apples(clickDate=None), [touch()], "net-1"),
        (apples(clickDate=None), [view()], MEDIA_SOURCE),
        (apples(clickDate=None, claimType="Impression"), [view()], "net-1"),
        (apples(attribution=False), [touch()], "net-1"),
        (apples(campaignId=1234567890), [], None),
    ],
)
def test_apples_answer_is_a_touch_among_others(
    install: Event, touches: list[Touch], winner: str | None
) -> None:
    """By its time where Apple tells it: only of who lets the app track. What it makes up for apps
    that are no release is no answer."""
    one = judge(*touches, install=install)
    assert (one.winner and one.winner.media_source) == winner
    if winner == MEDIA_SOURCE:
        assert as_given(install, one) == install
        assert one.by == APPLE_ADS


def test_apples_answer_needs_no_permission_to_track() -> None:
    """It tells Apple's ad, and nothing of anybody else's."""
    install = replace(apples(clickDate=None), signals=Signals())
    assert judge(touch(), install=install).by == APPLE_ADS


KNOWN = {"idfa": [None, IDFA, "another"], "click_id": [None, "ours", "another"]}
TOUCHES = st.lists(
    st.builds(
        touch,
        id_=st.integers(1, 50),
        ago=st.integers(-48, 24 * 9).map(lambda hours: hours * HOUR),
        kind=st.sampled_from(TouchKind),
        app_id=st.sampled_from([7, 7, 7, 8, None]),
        given_to=st.sampled_from([None, None, None, 3]),
        **{name: st.sampled_from(values) for name, values in KNOWN.items()},
    ),
    unique_by=lambda one: one.id,
    max_size=8,
)
INSTALLS = st.sampled_from([INSTALL, said(att=Att.DENIED), apples(), apples(clickDate=None)])


@given(INSTALLS, TOUCHES, st.randoms())
def test_the_order_in_which_touches_come_does_not_matter(
    install: Event, touches: list[Touch], dice: Any
) -> None:
    """The database promises none."""
    shuffled = list(touches)
    dice.shuffle(shuffled)
    assert judge(*touches, install=install) == judge(*shuffled, install=install)


@given(INSTALLS, TOUCHES)
def test_who_wins_was_there_in_time(install: Event, touches: list[Touch]) -> None:
    """Of the app, within its window, by an identifier that is the install's too."""
    one = judge(*touches, install=install)
    if one.winner is None or one.by == APPLE_ADS:
        return
    assert install.signals.att is Att.AUTHORIZED
    assert one.winner.at is not None
    assert timedelta() <= NOON - one.winner.at <= WINDOWS.of(one.winner.kind)
    assert (one.winner.app_id, one.winner.given_to) == (7, None)
    theirs = getattr(one.winner, one.by)
    assert theirs.casefold() == getattr(install.person, one.by).casefold()


@given(INSTALLS, TOUCHES)
def test_each_touch_wins_or_lost(install: Event, touches: list[Touch]) -> None:
    """But where nobody may look."""
    one = judge(*touches, install=install)
    told = {loser.touch.id for loser in one.losers} | ({one.winner.id} if one.winner else set())
    looked = install.signals.att is Att.AUTHORIZED
    assert told - {0} == ({each.id for each in touches} if looked else set())
    assert all(loser.why for loser in one.losers)


@given(INSTALLS, TOUCHES, st.integers(1, 24 * 9))
def test_an_older_touch_of_its_kind_changes_no_winner(
    install: Event, touches: list[Touch], hours: int
) -> None:
    """Nor does one that does not count."""
    one = judge(*touches, install=install)
    if one.winner is None or one.winner.at is None:
        return
    older = touch(99, NOON - one.winner.at + hours * HOUR, kind=one.winner.kind)
    refused = touch(98, HOUR, given_to=3)
    assert judge(*touches, older, refused, install=install).winner == one.winner


@given(TOUCHES)
def test_without_identifiers_nobody_wins(touches: list[Touch]) -> None:
    """Nothing is guessed."""
    install = replace(INSTALL, person=Person(idfv="V", ip="203.0.113.7", user_agent="Mozilla"))
    assert judge(*touches, install=install).winner is None
