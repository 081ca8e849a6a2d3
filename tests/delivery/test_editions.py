"""What a window of a report says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.delivery.edition import without_small
from skan_receiver.delivery.facts import of_window
from skan_receiver.delivery.window_spans import containing
from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.storage import Store
from tests.delivery.reporting import (
    DAY,
    HOUR,
    all_windows,
    define,
    edition_of,
    issued,
    receive,
    report,
    this_hour,
    values_of,
)
from tests.receiving import NOON, Receiver


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


@pytest.mark.parametrize("by", [("app_id",), ("window", "hour"), ("version",)])
def test_by_arrival_windows_add_up_to_volumes(receiver: Receiver, by: tuple[str, ...]) -> None:
    """What is sent hour by hour is what the report of the whole time says."""
    define(receiver.store, report(report="volumes", length="hour", by=by), ago=8 * HOUR)
    start = this_hour() - 8 * HOUR
    for number in range(8):
        receive(receiver, start + number * HOUR, number)

    told = [dict(zip(said["columns"], row, strict=True)) for said, row in _rows(receiver)]

    with receiver.store.read() as connection:
        (whole,) = REPORTS["volumes"].table(
            connection, Question(period=Period(start, this_hour()), filters=Filters(counted=True))
        )
    for measure in ("postbacks", "installs"):
        assert sum(row[measure] for row in told) == whole[measure] == 28


def _rows(receiver: Receiver) -> list[tuple[dict[str, Any], list[Any]]]:
    made = [of_window(row) for row in all_windows(receiver)]
    return [(said, row) for said in made for row in said["rows"]]


SENT = [name for name, one in REPORTS.items() if one.is_sent and not one.needs_statement]


@pytest.mark.parametrize("name", SENT)
def test_any_report_for_partners_can_be_sent(receiver: Receiver, name: str) -> None:
    """As it is usually split."""
    receive(receiver, NOON, 3)

    said = issued(receiver.store, report(report=name), NOON)

    assert said["columns"] == list(REPORTS[name].columns(REPORTS[name].usually))
    assert said["row_count"] >= 1


def test_a_partner_sees_its_own_networks_only(receiver: Receiver) -> None:
    """Whatever else there is, and whatever does not count."""
    receive(receiver, NOON, 2, ad_network_id="theirs.skadnetwork")
    receive(receiver, NOON, 5, ad_network_id="other.skadnetwork")
    receiver.receive(
        {**receiver.signer.skadnetwork("4.0", ad_network_id="THEIRS.skadnetwork"), "app-id": 1}
    )
    receiver.settle()

    for name in ("volumes", "results"):
        theirs = report(report=name, partner="them", ad_networks=NETWORKS, by=("ad_network_id",))
        said = issued(receiver.store, theirs, NOON)
        assert [row[:2] for row in said["rows"]] == [["theirs.skadnetwork", 2]]


NETWORKS = ("Theirs.skadnetwork",)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"apps": (1, 2)}, 3),
        ({"apps": (2,)}, 2),
        ({"windows": (1, 2)}, 4),
        ({"frameworks": ("adattributionkit",)}, 0),
        ({"frameworks": ("skadnetwork",), "apps": (1,), "windows": (0,)}, 1),
        ({}, 7),
    ],
)
def test_filters_hold_in_both_grains(
    receiver: Receiver, fields: dict[str, Any], count: int
) -> None:
    """Of several values, any."""
    receive(receiver, NOON, 1, app_id=1)
    receive(receiver, NOON, 2, app_id=2)
    receive(receiver, NOON, 4, app_id=3, postback_sequence_index=1)

    for by in (("app_id",), ("country",)):
        said = issued(receiver.store, report(by=by, **fields), NOON)
        assert sum(row[1] for row in said["rows"]) == count


def test_small_rows_are_told_together(receiver: Receiver) -> None:
    """So that the sum stays what it was."""
    for app_id, count in ((1, 1), (2, 2), (3, 5)):
        receive(receiver, NOON, count, app_id=app_id)

    said = issued(receiver.store, report(by=("app_id",), min_count=3), NOON)

    assert [row[:2] for row in said["rows"]] == [[3, 5]]
    assert said["suppressed"] == {"rows": 2, "postbacks": 3}


def test_every_report_says_how_large_its_rows_are() -> None:
    """Else what is small could not be told together."""
    assert all(REPORTS[name].count in REPORTS[name].measures for name in SENT)


def test_installs_are_small_where_few_arrived(receiver: Receiver) -> None:
    """Their count has another name."""
    receive(receiver, NOON, 2, ad_network_id="few")
    receive(receiver, NOON, 5, ad_network_id="many")

    asked = report(report="installs", by=("ad_network_id",), min_count=3)
    said = issued(receiver.store, asked, NOON)

    assert [row[:2] for row in said["rows"]] == [["many", 5]]
    assert said["suppressed"] == {"rows": 1, "postbacks": 2}


counts = st.lists(st.integers(0, 30) | st.floats(0, 30), max_size=30)


@given(counts, st.integers(0, 20))
def test_rows_and_what_was_left_out_are_the_whole(amounts: list[float], least: int) -> None:
    """For any counts, and weights of uncertain versions."""
    rows = [{"postbacks": amount} for amount in amounts]

    kept, suppressed = without_small(rows, "postbacks", least)

    assert all(row["postbacks"] >= least for row in kept)
    told = sum(row["postbacks"] for row in kept) + suppressed["postbacks"]
    assert told == pytest.approx(sum(amounts), abs=1e-5)
    assert len(kept) + suppressed["rows"] == len(rows)


def test_a_window_says_how_complete_it_is(receiver: Receiver) -> None:
    """By install, as far as Apple's delays let one expect; by arrival all of it is there."""
    store, day = receiver.store, containing("day", NOON)
    by_install = edition_of(store, report(basis="install"), day, day.end + 3.5 * DAY)
    by_arrival = edition_of(store, report(windows=(1,)), day, day.end)

    assert values_of(by_install, day)["completeness"] == {"0": 0.875, "1": 0.0, "2": 0.0}
    assert values_of(by_arrival, day)["completeness"] == {"1": 1.0}


def test_the_same_rows_are_the_same_edition(receiver: Receiver) -> None:
    """Whenever they are looked at: that time has passed is no news."""
    receive(receiver, NOON, 3)
    day = containing("day", NOON)

    one, other = (
        edition_of(receiver.store, report(basis="install"), day, day.end + days * DAY)
        for days in (1, 4)
    )

    assert one.hash == other.hash
    assert one.content != other.content


def test_a_day_of_installs_is_revised_as_its_postbacks_come(receiver: Receiver) -> None:
    """The first edition of a day is empty: nobody's postback comes so soon."""
    define(receiver.store, report(basis="install", by=("day", "window")), ago=6 * DAY)
    first = all_windows(receiver)
    assert [of_window(row)["rows"] for row in first] == [[]] * len(first)
    day = first[0].start

    receive(receiver, day + 84 * HOUR + HOUR, 2)
    (row,) = all_windows(receiver)[len(first) :]

    said = of_window(row)
    assert (row.start, row.revision) == (day, 1)
    assert said["date_basis"] == "install"
    assert said["rows"][0][:3] == [day.date().isoformat(), 0, 2]
