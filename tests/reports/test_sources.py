"""Source identifiers as a tree: what Apple let through, and what belongs to it."""

from collections import Counter
from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.reports.period import zone_named
from skan_receiver.reports.question import ARRIVAL, INSTALL
from skan_receiver.reports.sources import CAMPAIGN, SOURCE, Source, chart, rows
from skan_receiver.storage import Store
from skan_receiver.storage.campaign_import import import_campaigns
from skan_receiver.storage.campaigns import Entry
from skan_receiver.storage.schemas import Publication, publish
from tests.receiving import NOON, Receiver
from tests.reports.test_results import DAY, MONTH, SCHEMA, received, results

NUMBERS = count()
NETWORK = "example123.skadnetwork"


@pytest.fixture
def receiver(store: Store) -> Receiver:
    receiver = Receiver(store)
    publish(store, Publication(SCHEMA), NOON - 90 * DAY)
    return receiver


def sources(
    store: Store, *by: str, period: Period = MONTH, basis: str = ARRIVAL, **filters: Any
) -> list[Source]:
    with store.read() as connection:
        asked = Question(period=period, filters=Filters(**filters), by=by, basis=basis)
        return rows(connection, asked)


def test_what_arrived_with_fewer_digits_is_above_what_arrived_with_more(
    receiver: Receiver,
) -> None:
    """5239 is in 239, and that in 39; whether or not anything arrived as 239."""
    received(receiver, 20, 30, source_identifier="5239")
    received(receiver, None, source_identifier="39")
    received(receiver, None, source_identifier="39", redownload=True)
    received(receiver, 5, source_identifier="1139")
    received(receiver, None, source_identifier="40", postback_sequence_index=1)

    found = sources(receiver.store)

    assert [(one.identifier, one.digits, one.depth, one.parent) for one in found] == [
        ("39", 2, 0, None),
        ("139", 3, 1, "39"),
        ("1139", 4, 2, "139"),
        ("239", 3, 1, "39"),
        ("5239", 4, 2, "239"),
        ("40", 2, 0, None),
    ]
    assert [(one.own, one.postbacks, one.installs, one.with_value, one.nulls) for one in found] == [
        (2, 5, 4, 3, 2),
        (0, 1, 1, 1, 0),
        (1, 1, 1, 1, 0),
        (0, 2, 2, 2, 0),
        (2, 2, 2, 2, 0),
        (1, 1, 0, 0, 1),
    ]
    assert [one.null_share for one in found] == [0.4, 0, 0, 0, 0, 1]
    # 0 to 5 and 9 to 20; the value 5 does not speak of revenue.
    assert [one.revenue for one in found] == [17, None, None, 17, 17, None]
    assert (found[0].revenue_min, found[0].revenue_max, found[0].currency) == (9, 25, "USD")


def test_a_campaign_id_of_old_is_no_ending(receiver: Receiver) -> None:
    """Of SKAdNetwork 3 and earlier each stands for itself, by number; 39 is another thing there."""
    skan = receiver.signer.skadnetwork
    receiver.receive(*(skan("3.0", campaign_id=number) for number in (9, 39, 39, 100)))
    receiver.receive(skan("4.0", source_identifier="39"), skan("4.0", source_identifier="139"))
    receiver.settle()

    found = sources(receiver.store)

    assert [(one.kind, one.identifier, one.parent, one.own, one.postbacks) for one in found] == [
        (CAMPAIGN, "9", None, 1, 1),
        (CAMPAIGN, "39", None, 2, 2),
        (CAMPAIGN, "100", None, 1, 1),
        (SOURCE, "39", None, 1, 2),
        (SOURCE, "139", "39", 1, 1),
    ]
    assert {(one.depth, one.digits) for one in found if one.kind == CAMPAIGN} == {(0, None)}


def test_a_node_has_the_names_that_all_of_it_has_in_common(receiver: Receiver) -> None:
    """Of 39 it is not known which of the two it was, but that both are in one channel."""
    entries = [
        Entry(
            ad_network_id=NETWORK,
            source_identifier=source,
            starts_on=date(2026, 1, 1),
            campaign_name=name,
            channel="Display",
        )
        for source, name in (("5239", "A"), ("1139", "B"))
    ]
    import_campaigns(receiver.store, entries, replace=True)
    received(receiver, 20, source_identifier="5239")
    received(receiver, 20, source_identifier="1139")
    received(receiver, 20, source_identifier="40")

    found = {one.identifier: (one.campaign_name, one.channel) for one in sources(receiver.store)}

    assert found == {
        "39": (None, "Display"),
        "139": ("B", "Display"),
        "1139": ("B", "Display"),
        "239": ("A", "Display"),
        "5239": ("A", "Display"),
        "40": (None, None),
    }


def test_each_app_and_network_has_trees_of_its_own(receiver: Receiver) -> None:
    """By days of a zone, and by either date; filters leave the rest out."""
    received(receiver, 20, source_identifier="5239", app_id=42)
    received(receiver, 20, source_identifier="1139", app_id=43)
    received(receiver, 20, source_identifier="39", ad_network_id="other.skadnetwork")

    found = sources(receiver.store, *REPORTS["sources"].usually)

    tops = [one for one in found if one.depth == 0]
    assert [(one.app_id, one.ad_network_id, one.postbacks) for one in tops] == [
        (42, NETWORK, 1),
        (42, "other.skadnetwork", 1),
        (43, NETWORK, 1),
    ]
    assert [one.own for one in sources(receiver.store, app_id=43)] == [0, 0, 1]
    berlin = Period.of("2026-11-23", "2026-11-23", NOON, zone_named("Europe/Berlin"))
    assert sources(receiver.store, "day", period=berlin)[0].day == NOON.date()
    before = Period(MONTH.start - 60 * DAY, MONTH.start)
    assert sources(receiver.store, period=before) == []
    by_install = Period(NOON - 4 * DAY, NOON - 3 * DAY)
    assert sources(receiver.store, period=by_install, basis=INSTALL)[0].postbacks == 3


postbacks = st.tuples(
    st.sampled_from(["39", "139", "239", "1239", "5239", "40", "1140", "07", "007"]),
    st.sampled_from([None, 5, 20, 30]),
    st.booleans(),
)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.lists(postbacks, max_size=12))
def test_a_node_is_its_own_and_its_children(
    receiver: Receiver, crowd: list[tuple[str, int | None, bool]]
) -> None:
    """Whatever came: and all trees together are what `results` says of it."""
    network = f"network{next(NUMBERS)}.skadnetwork"
    for source, value, redownload in crowd:
        members = {"redownload": redownload, "ad_network_id": network}
        received(receiver, value, source_identifier=source, **members)

    found = sources(receiver.store, ad_network_id=network)

    children: Counter[str] = Counter()
    for one in found:
        children[one.parent or ""] += one.postbacks
    assert all(one.postbacks == one.own + children[str(one.identifier)] for one in found)
    whole = results(receiver.store, ad_network_id=network)
    assert children[""] == sum(one.own for one in found) == sum(row.postbacks for row in whole)
    tops = [one for one in found if one.parent is None]
    for measure in ("installs", "with_value", "nulls", "revenue_min"):
        known = [getattr(one, measure) or 0 for one in tops]
        assert sum(known) == sum(getattr(row, measure) or 0 for row in whole)


def test_its_chart_has_a_bar_for_each_tree(receiver: Receiver) -> None:
    """Of the postbacks by how many digits arrived: each once."""
    received(receiver, 20, 20, source_identifier="5239")
    received(receiver, 20, source_identifier="39")
    receiver.receive(receiver.signer.skadnetwork("3.0", campaign_id=9))
    receiver.settle()
    with receiver.store.read() as connection:
        table = REPORTS["sources"].table(connection, Question(period=MONTH))

    values = chart(table, ())["data"]["values"]

    assert {(one["x"], one["group"], one["n"]) for one in values} == {
        ("9", "campaign id", 1),
        ("…39", "2 digits", 1),
        ("…39", "4 digits", 2),
    }
