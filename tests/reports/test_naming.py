"""What the campaign table says of counted cells."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.reports import Question
from skan_receiver.reports.cells import WIDE, N, sums, total
from skan_receiver.reports.naming import CALLED, NAMED, Counted, Naming, columns, load_naming
from skan_receiver.reports.period import Period
from skan_receiver.storage import Store
from skan_receiver.storage.campaign_import import import_campaigns
from skan_receiver.storage.campaigns import CampaignBook, Entry
from tests.receiving import NOON, Receiver

DAY = date(2026, 11, 20)
# What arrives on that day in window 0 was shown from this day on.
FIRST = date(2026, 10, 17)
ONE = timedelta(days=1)


def row(source: str = "5239", name: str = "A", **other: Any) -> Entry:
    """A row of the table, for any app and for ever."""
    known: dict[str, Any] = {
        "ad_network_id": "com.example",
        "starts_on": date(2026, 1, 1),
        "source_identifier": source,
        "campaign_name": name,
    }
    return Entry(**known | other)


def cell(identifier: str = "5239", **other: Any) -> Counted:
    """A cell of what arrived on the day."""
    known: dict[str, Any] = {
        "ad_network_id": "com.example",
        "app_id": 42,
        "version": "4.0",
        "window": 0,
        "country": "",
        "day": DAY,
    }
    return Counted(identifier=identifier, **known | other)


def named(asked: Counted, *rows: Entry) -> dict[str, str]:
    """What is known of a cell."""
    found = Naming(CampaignBook(rows)).of(asked)
    assert tuple(found) == NAMED
    return {name: text for name, text in found.items() if text is not None}


def test_a_cell_is_called_what_the_network_calls_its_ads() -> None:
    """Source identifiers by their ending; before SKAdNetwork 4 campaign ids as they are."""
    rows = row(campaign_id="c-7", ad_name="Video"), row("", "B", skan_campaign_id=9)

    for digits in ("5239", "239", "39"):
        assert named(cell(digits), *rows) == {
            "campaign_id": "c-7",
            "campaign_name": "A",
            "ad_name": "Video",
        }
    assert named(cell("9", version="3.0"), *rows) == {"campaign_name": "B"}
    assert named(cell("9", version="4.0"), row("", "B", skan_campaign_id=9)) == {}
    assert named(cell("", version="3.0"), *rows) == {}


def test_a_recycled_identifier_names_no_one_where_both_may_be_meant() -> None:
    """Of each cell the days are looked at on which its ads can have been shown: of no cell, what
    runs now or ran when it arrived."""
    old, new = row(ends_on=FIRST), row(name="B", starts_on=FIRST + ONE)

    assert named(cell(), old, new) == {}
    assert named(cell(day=DAY + ONE), old, new) == {"campaign_name": "B"}
    assert named(cell(day=DAY - 40 * ONE), old, new) == {"campaign_name": "A"}


def test_a_targeted_country_stands_in_for_an_absent_one_and_is_labelled() -> None:
    """What the postback says comes first, and nobody's country is nobody's."""
    us = row(country="US")
    target = {"country_or_target": "US", "country_from": "campaign", "campaign_name": "A"}
    said = {"country_or_target": "DE", "country_from": "postback", "campaign_name": "A"}

    assert named(cell(), us) == target
    assert named(cell(country="DE"), us) == said
    assert named(cell(country="DE")) == {"country_or_target": "DE", "country_from": "postback"}
    assert named(cell("39"), us, row("1139", country="CA")) == {"campaign_name": "A"}


spans = st.integers(-60, 5).flatmap(
    lambda first: st.tuples(st.just(first), st.none() | st.integers(first, 10))
)
entries = st.builds(
    lambda source, name, span: row(
        source,
        name,
        starts_on=DAY + span[0] * ONE,
        ends_on=None if span[1] is None else DAY + span[1] * ONE,
    ),
    st.sampled_from(["5239", "1239", "239", "39"]),
    st.sampled_from("AB"),
    spans,
)


@given(st.lists(entries, max_size=5), st.sampled_from(["5239", "239", "39"]), st.integers(0, 2))
def test_no_postback_of_a_cell_is_called_otherwise(
    rows: list[Entry], identifier: str, window: int
) -> None:
    """The name of a cell is that of each postback in it, as far as those have one."""
    asked = cell(identifier, window=window)
    book = CampaignBook(rows)
    found = Naming(book).of(asked)

    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    each = [book.names(asked, midnight + timedelta(hours=hour)) for hour in range(24)]

    for name in CALLED:
        said = {getattr(one, name) for one in each} - {""}
        assert found[name] is None or said == {found[name]}


@given(
    st.lists(entries, max_size=5),
    st.lists(
        st.tuples(st.sampled_from(["5239", "39"]), st.integers(0, 2), st.integers(-90, 90)),
        max_size=9,
    ),
)
def test_what_is_remembered_is_what_would_be_found(
    rows: list[Entry], asked: list[tuple[str, int, int]]
) -> None:
    """A day between two changes is called as the other days there, and no other."""
    remembering = Naming(CampaignBook(rows))

    for identifier, window, days in asked:
        one = cell(identifier, window=window, day=DAY + days * ONE)
        assert remembering.of(one) == Naming(CampaignBook(rows)).of(one)


def test_cells_of_the_counts_are_named(store: Store) -> None:
    """By the table as it is now: also where it has just changed."""
    receiver = Receiver(store)
    sign = receiver.signer.skadnetwork
    receiver.receive(sign("4.0", source_identifier="5239"), sign("3.0", campaign_id=9))
    receiver.settle()
    names = []
    for name in ("A", "B"):
        entry = row(name=name, ad_network_id="example123.skadnetwork", country="FR")
        import_campaigns(store, [entry], replace=True)
        with store.read() as connection:
            naming, asked = load_naming(connection), Question(period=MONTH)
            amounts = [total(N, "n")]
            found = sums(connection, asked, also=columns(), amounts=amounts, grain=WIDE)
        names.append([tuple(naming.of_row(row).values()) for row in found])

    some = ("campaign_name", "country_or_target", "country_from")
    at = [NAMED.index(name) for name in some]
    assert [{tuple(one[i] for i in at) for one in each} for each in names] == [
        {("A", "FR", "campaign"), (None, None, None)},
        {("B", "FR", "campaign"), (None, None, None)},
    ]


MONTH = Period(NOON.replace(day=1, hour=0, minute=0), NOON.replace(day=30, hour=0, minute=0))
