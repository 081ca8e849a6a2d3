"""Where tracking links lead to."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.errors import Malformed
from skan_receiver.mmp.event import Event, Kind
from skan_receiver.mmp.proofs import with_proofs
from skan_receiver.mmp.providers import values
from skan_receiver.mmp.stores import App
from tests.mmp.test_touches import NOON

INSTALL = Event(provider="own", event_id="i", kind=Kind.INSTALL, name="install", at=NOON)


def test_an_app_has_a_page_in_its_store() -> None:
    """Google Play hands a click id on; the App Store hands on nothing."""
    assert App.of("525463029").page("x y") == "https://apps.apple.com/app/id525463029"
    play = "https://play.google.com/store/apps/details?id=com.example.game"
    assert App.of("com.example.game").page() == play
    assert App.of("com.example.game").page("aB_-9") == f"{play}&referrer=click_id%3DaB_-9"


@pytest.mark.parametrize(
    "said",
    [
        *("", "0", "-1", "https://evil.example", "//evil.example", "evil", "a..b", "1.2", "a.b/c"),
        *("com.example\n", "com.exa mple", "com.example?x=1", "com.example#", "٣", "9" * 20),
        "com." + "a" * 150,
    ],
)
def test_what_is_no_app_leads_nowhere(said: str) -> None:
    """Neither digits alone, nor a package's name."""
    with pytest.raises(ValueError, match="App Store id"):
        App.of(said)


@given(st.text() | st.from_regex(r"[a-zA-Z0-9_.]+"), st.text())
def test_no_page_is_anywhere_else(said: str, click_id: str) -> None:
    """Whatever a link says."""
    try:
        page = App.of(said).page(click_id)
    except ValueError:
        return
    apart = urlsplit(page)
    assert apart.scheme == "https"
    assert apart.netloc in {"apps.apple.com", "play.google.com"}
    assert "\n" not in page


@given(st.text(min_size=1, max_size=50))
def test_the_click_id_that_went_with_the_referrer_comes_back(click_id: str) -> None:
    """As Play hands it on: decoded once."""
    page = urlsplit(App.of("com.example.game").page(click_id))
    (referrer,) = parse_qs(page.query)["referrer"]
    back = with_proofs(INSTALL, referrer=referrer).person.click_id
    kept = None if "\0" in click_id else values.said(click_id)
    assert back == (kept if kept and kept.strip("0-") else None)


def test_a_referrer_of_others_has_no_click_id() -> None:
    """What Play says of who came by itself, and what is nothing at all."""
    for referrer in ("utm_source=google-play&utm_medium=organic", "", "&" * 200, "click_id="):
        assert with_proofs(INSTALL, referrer=referrer) == INSTALL


@pytest.mark.parametrize("value", ["%C3%A9" * 200, "x" * 256, "%00abc", "abc%00", "%7Bclick_id%7D"])
def test_nor_has_one_that_could_not_be_kept(value: str) -> None:
    """Too long for an index, what no database stores, a macro that nobody replaced: the install
    is kept without."""
    assert with_proofs(INSTALL, referrer=f"click_id={value}") == INSTALL


@pytest.mark.parametrize(
    ("answer", "member"),
    [
        ({}, "apple_ads.attribution"),
        ({"attribution": "true"}, "apple_ads.attribution"),
        ({"attribution": True, "claimType": "Guess"}, "apple_ads.claimType"),
        ({"attribution": True, "clickDate": "soon"}, "apple_ads.clickDate"),
        ({"attribution": True, "campaignId": []}, "apple_ads.campaignId"),
    ],
)
def test_an_answer_that_is_not_apples_names_the_member(
    answer: dict[str, object], member: str
) -> None:
    """With what it should be."""
    with pytest.raises(Malformed) as raised:
        with_proofs(INSTALL, apple_ads=answer)
    assert raised.value.member == member
