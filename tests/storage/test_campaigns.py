"""Which names a postback gets, where Apple withholds digits and dates."""

from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skan_receiver as skan
from skan_receiver.conversion.timing import advertised
from skan_receiver.storage.campaigns import CampaignBook, Entry, Named
from tests.protocol import apple

ARRIVED = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
# What arrives then was shown between these days, both included.
FIRST, LAST = date(2026, 10, 17), date(2026, 11, 19)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Postback:
    """What the book asks of one."""

    source_identifier: str | None = "5239"
    campaign_id: int | None = None
    app_id: int = 42
    ad_network_id: str = "com.example"
    version: str = "4.0"
    window: int = 0


def row(source: str = "5239", name: str = "A", **other: Any) -> Entry:
    """A row of the table, for any app and for ever."""
    known: dict[str, Any] = {
        "ad_network_id": "com.example",
        "starts_on": date(2026, 1, 1),
        "source_identifier": source,
        "campaign_name": name,
    }
    return Entry(**known | other)


def name(source: str, *rows: Entry, **other: Any) -> str:
    """The campaign's name by a book of these rows."""
    return CampaignBook(rows).names(Postback(source, **other), ARRIVED).campaign_name


def test_the_days_of_these_tests_are_those_of_the_clock() -> None:
    """30 days to the install, 96 hours to the arrival; 24 hours at least."""
    shown = advertised("4.0", 0, ARRIVED.replace(minute=0))

    assert (shown.start.date(), (shown.end - DAY / 24).date()) == (FIRST, LAST)


def test_apples_own_postback_gets_the_names_of_its_row() -> None:
    """By all four digits; ids of networks compare without case."""
    postback = skan.parse(apple.BODIES["4.0 from the web, high tier"])
    book = CampaignBook([row("5239", "Autumn", ad_name="Video", country="US"), row("5238", "B")])

    for spelt in ("com.example", "COM.Example"):
        found = book.names(replace(postback, ad_network_id=spelt), ARRIVED)
        assert found == Named(campaign_name="Autumn", ad_name="Video", country="US")


def test_of_hidden_digits_any_may_be_the_right_ones() -> None:
    """Apple keeps the last ones. What all have in common is named, the rest stays empty."""
    rows = [row("5239", "A", channel="Display"), row("1139", "B", channel="Display"), row("5240")]
    names = CampaignBook(rows).names(Postback("39"), ARRIVED)

    assert names == Named(channel="Display")
    assert name("239", *rows) == "A"
    assert name("41", *rows) == ""


def test_a_short_row_names_whatever_ends_so_and_a_longer_one_knows_better() -> None:
    """Until the postback hides the digits that would tell which of the two it is."""
    rows = [row("39", "the rest"), row("5239", "A")]

    assert [name(source, *rows) for source in ("5239", "1239", "239", "39")] == [
        *("A", "the rest", "", ""),
    ]
    assert name("239", *rows, row("239", "C")) == ""
    assert name("239", rows[0], row("239", "C")) == "C"


def test_a_row_for_the_app_beats_one_for_any() -> None:
    """However short it is: whoever writes the app's own rows knows that app."""
    rows = [row("5239", "any"), row("39", "ours", app_id=42)]

    assert name("5239", *rows) == "ours"
    assert name("5239", *rows, app_id=7) == "any"
    assert name("5239", *rows, app_id=0) == "any"


def test_a_campaign_id_of_old_is_no_source_identifier() -> None:
    """42 and "42" are two things, and one is never the ending of the other."""
    rows = [row("", "old", skan_campaign_id=42), row("42", "new")]

    assert name("42", *rows) == "new"
    assert CampaignBook(rows).names(Postback(None, 42, version="3.0"), ARRIVED).campaign_name == (
        "old"
    )
    assert CampaignBook(rows).names(Postback(None, 2, version="3.0"), ARRIVED) == Named()
    assert CampaignBook(rows).names(Postback(None, None), ARRIVED) == Named()


@pytest.mark.parametrize(
    ("changed_on", "expected"),
    [
        (FIRST, "B"),  # on the first day that comes into question
        (FIRST + DAY, ""),
        (LAST, ""),
        (LAST + DAY, "A"),
    ],
)
def test_a_recycled_identifier_is_told_by_the_days(changed_on: date, expected: str) -> None:
    """Only where all days on which the ad can have been shown lie on one side."""
    rows = [row(name="A", ends_on=changed_on - DAY), row(name="B", starts_on=changed_on)]

    assert name("5239", *rows) == expected


def test_a_better_row_beats_on_its_own_days_only() -> None:
    """Two of them, one after the other, leave none to the row that names the rest."""
    rest = row("39", "the rest")
    early, late = row(ends_on=LAST - DAY), row(starts_on=LAST)

    assert name("5239", rest, early) == ""
    assert name("5239", rest, early, late) == "A"


digits = st.sampled_from("12")
sources = st.text(digits, min_size=1, max_size=4)
days = st.integers(-5, 40).map(lambda days: FIRST + days * DAY)


@st.composite
def table_rows(draw: st.DrawFn, source: st.SearchStrategy[str], apps: tuple[int, ...]) -> Entry:
    """A row that may or may not fit."""
    first, last = sorted((draw(days), draw(days)))
    return row(
        draw(source),
        draw(st.sampled_from("AB")),
        channel=draw(st.sampled_from(["", "x"])),
        app_id=draw(st.sampled_from(apps)),
        starts_on=first,
        ends_on=draw(st.sampled_from([last, None])),
    )


def followed(rows: list[Entry], source: str) -> set[Entry]:
    """The rows that name an ad, whichever day it was and whichever digits are hidden."""
    hidden = 4 - len(source)
    found: set[Entry] = set()
    for day in (FIRST + n * DAY for n in range((LAST - FIRST).days + 1)):
        running = [row for row in rows if row.starts_on <= day <= row.last]
        for number in range(10**hidden):
            whole = f"{number:0{hidden}}{source}" if hidden else source
            fits = [row for row in running if whole.endswith(row.source_identifier)]
            ranks = [(row.app_id == 42, len(row.source_identifier)) for row in fits]
            found.update(r for r, rank in zip(fits, ranks, strict=True) if rank == max(ranks))
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(table_rows(sources, (0, 42)), max_size=6), st.text(digits, min_size=2, max_size=4))
def test_candidates_are_what_following_each_ad_finds(rows: list[Entry], source: str) -> None:
    """Day by day, digit by digit: no row too many, and none forgotten."""
    assert set(CampaignBook(rows).candidates(Postback(source), ARRIVED)) == followed(rows, source)


@given(
    st.lists(table_rows(sources, (0, 42)), max_size=6),
    st.text(digits, min_size=2, max_size=4),
    st.lists(st.integers(-20, 20), min_size=1, max_size=5),
)
def test_names_are_those_that_the_candidates_have_in_common(
    rows: list[Entry], source: str, arrivals: list[int]
) -> None:
    """On whichever day it arrived, and whatever the book was asked before."""
    book = CampaignBook(rows)
    for shift in arrivals:
        at = ARRIVED + shift * DAY
        said = [one.names for one in book.candidates(Postback(source), at)]
        fields = (set(each) for each in zip(*said, strict=True))
        common = [text if len(each) == 1 else "" for each in fields for text in list(each)[:1]]
        assert book.names(Postback(source), at) == Named(*common)


whole = st.text(digits, min_size=4, max_size=4)


@given(
    st.lists(table_rows(whole, (42,)), max_size=5),
    table_rows(whole, (42,)),
    st.text(digits, min_size=2, max_size=4),
)
def test_one_more_candidate_fills_no_field(rows: list[Entry], more: Entry, source: str) -> None:
    """It can make a name doubtful, never certain."""
    book, grown = CampaignBook(rows), CampaignBook([*rows, more])
    before, after = (astuple(b.names(Postback(source), ARRIVED)) for b in (book, grown))

    assert not book.candidates(Postback(source), ARRIVED) or all(
        now in ("", then) for then, now in zip(before, after, strict=True)
    )
