"""Revenue of installs, window by window. The numbers are worked out by hand."""

from datetime import UTC, datetime, timedelta
from textwrap import indent
from typing import Any

import pytest

from skan_receiver.conversion.timing import completeness
from skan_receiver.reports import REPORTS, Period, Unanswerable, Written
from skan_receiver.reports.question import ARRIVAL, INSTALL
from skan_receiver.storage import Store
from tests.conversion.schemas import rules
from tests.receiving import NOON, Receiver
from tests.reports.paying import DAY, HOUR, SCHEMA, asked, quoted, received, schema

# By Apple's window: when its postback of an install arrives as a rule.
USUAL = (84 * HOUR, 252 * HOUR, 924 * HOUR)
INSTALL_AT = datetime(2026, 10, 10, 6, tzinfo=UTC)


def later(*counts: str) -> str:
    """The windows 1 and 2, where low is 1 to 3 dollars and high 20 to 40."""
    coarse = rules(
        "value: high, when: [{revenue: total, at_least: 20, at_most: 40}]",
        "value: low, when: [{revenue: total, at_least: 1, at_most: 3}]",
    )
    return "".join(
        f"{window}:\n  counts: {how}\n  coarse:\n{indent(coarse, '    ')}\n"
        for window, how in enumerate(counts, 1)
    )


def counting(*counts: str) -> str:
    return SCHEMA + indent(later(*counts), "  ")


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def arrives(receiver: Receiver, window: int, *values: Any, **members: Any) -> None:
    """Postbacks of installs of one moment, each when it comes as a rule."""
    receiver.now = INSTALL_AT + USUAL[window]
    received(receiver, *values, postback_sequence_index=window, **members)


def told(receiver: Receiver, *by: str, **other: Any) -> list[dict[str, Any]]:
    period = Period(INSTALL_AT - 30 * DAY, INSTALL_AT + 60 * DAY)
    return asked(receiver.store, "windows", *by, **{"basis": INSTALL, "period": period, **other})


def column(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def four_installs(receiver: Receiver) -> None:
    """Window 0: 4 to 6 twice, 10 to 20, and none. Then 1 to 3; at last 20 to 40 and none."""
    arrives(receiver, 0, 20, 20, 30, None)
    arrives(receiver, 1, "low", None)
    arrives(receiver, 2, "high", None)


REVENUES = ("window", "revenue_min", "revenue", "revenue_max")
SUMS = ("window", "cumulative_min", "cumulative", "cumulative_max")


def test_revenue_of_windows_adds_up(receiver: Receiver) -> None:
    """Where each value speaks of its own window."""
    schema(receiver.store, counting("in_window", "in_window"))
    four_installs(receiver)

    rows = told(receiver)

    assert column(rows, "window", "installs", "postbacks", "null_share") == [
        (0, 4, 4, 0.25),
        (1, 4, 2, 0.5),
        (2, 4, 2, 0.5),
    ]
    assert column(rows, *REVENUES) == [(0, 18, 25, 32), (1, 1, 2, 3), (2, 20, 30, 40)]
    assert column(rows, *SUMS) == [(0, 18, 25, 32), (1, 19, 27, 35), (2, 39, 57, 75)]
    assert column(rows, "per_install", "since_install", "currency") == [
        (6.25, False, "USD"),
        (6.75, False, "USD"),
        (14.25, False, "USD"),
    ]


def test_what_counts_since_the_install_has_the_earlier_windows_in_it(receiver: Receiver) -> None:
    """To add those would be to count them twice."""
    schema(receiver.store, counting("since_install", "since_install"))
    four_installs(receiver)

    rows = told(receiver)

    assert column(rows, *SUMS) == [(0, 18, 25, 32), (1, 1, 2, 3), (2, 20, 30, 40)]
    assert column(rows, *REVENUES) == column(rows, *SUMS)
    assert [row["since_install"] for row in rows] == [False, True, True]


@pytest.mark.parametrize(
    ("counts", "cumulative"),
    [
        (("in_window", "since_install"), [25, 27, 30]),
        (("since_install", "in_window"), [25, 2, 32]),
    ],
)
def test_each_window_counts_in_its_own_way(
    receiver: Receiver, counts: tuple[str, str], cumulative: list[float]
) -> None:
    """A schema may have both."""
    schema(receiver.store, counting(*counts))
    four_installs(receiver)

    assert [row["cumulative"] for row in told(receiver)] == cumulative


def test_apps_that_count_in_both_ways_are_added_each_by_its_own(receiver: Receiver) -> None:
    """A row of two apps is the sum of their rows."""
    schema(receiver.store, counting("in_window", "in_window"))
    schema(
        receiver.store,
        counting("since_install", "since_install").replace("app: 42", "app: 43"),
    )
    four_installs(receiver)
    for window, value in enumerate((20, "low", "high")):
        arrives(receiver, window, value, app_id=43)

    whole, parts = told(receiver), told(receiver, "app_id")

    assert [row["cumulative"] for row in parts] == [25, 27, 57, 5, 2, 30]
    assert [row["cumulative"] for row in whole] == [30, 29, 87]
    assert [row["installs"] for row in whole] == [5, 5, 5]


def test_installs_are_downloads_and_so_is_their_revenue(receiver: Receiver) -> None:
    """Redownloads, losers and other people's apps have no part in it."""
    schema(receiver.store)
    arrives(receiver, 0, 20)
    arrives(receiver, 0, 30, redownload=True)
    arrives(receiver, 0, None, did_win=False)

    assert column(told(receiver), "window", "installs", "postbacks", "cumulative") == [
        (0, 1, 1, 5),
        (1, 1, 0, 5),
        (2, 1, 0, 5),
    ]


def test_early_versions_have_one_window(receiver: Receiver) -> None:
    """Beside later ones their revenue is a part of every sum."""
    schema(receiver.store, counting("since_install", "in_window"))
    receiver.now = INSTALL_AT + 48 * HOUR
    body = receiver.signer.skadnetwork("3.0", app_id=42, conversion_value=30)
    receiver.receive(body)
    receiver.settle()
    assert column(told(receiver), "window", "cumulative") == [(0, 15)]

    arrives(receiver, 0, 20)
    arrives(receiver, 1, "low")
    assert [row["cumulative"] for row in told(receiver)] == [20, 17, 17]
    by_version = column(told(receiver, "version"), "version", "window", "cumulative")
    assert by_version == [("3.0", 0, 15), ("4.0", 0, 5), ("4.0", 1, 2), ("4.0", 2, 2)]


def test_a_filter_of_windows_leaves_sums_what_they_are(receiver: Receiver) -> None:
    """It chooses rows."""
    schema(receiver.store, counting("in_window", "in_window"))
    four_installs(receiver)
    rows = told(receiver)

    assert told(receiver, filters={"window": 1}) == rows[1:2]
    assert told(receiver, filters={"window": (0, 2)}) == [rows[0], rows[2]]


def test_installs_of_a_day_are_followed_through_its_windows(receiver: Receiver) -> None:
    """Each day's postbacks come over six weeks; by arrival they are of three days."""
    schema(receiver.store, counting("in_window", "in_window"))
    four_installs(receiver)

    by_install = told(receiver, "day")
    assert {row["day"] for row in by_install} == {INSTALL_AT.date()}
    assert [row["installs"] for row in by_install] == [4, 4, 4]
    by_arrival = told(receiver, "day", basis=ARRIVAL)
    assert column(by_arrival, "installs", "postbacks")[3:6] == [(0, 0), (0, 2), (0, 0)]
    assert {row["complete"] for row in by_arrival} == {1.0}


def test_it_says_how_much_can_have_arrived(receiver: Receiver) -> None:
    """Of a day's installs, or of the whole period's; when nobody says as of when, nothing."""
    schema(receiver.store)
    arrives(receiver, 0, 20)
    start = INSTALL_AT.replace(hour=0)

    def complete(as_of: datetime, *by: str) -> list[float]:
        period = Period(start, start + 2 * DAY)
        return [row["complete"] for row in told(receiver, *by, as_of=as_of, period=period)]

    assert complete(start + timedelta(hours=72)) == [0.0, 0.0, 0.0]
    assert complete(start + 60 * DAY) == [1.0, 1.0, 1.0]
    # From the midday of the day of the install to the end of the fourth day after it.
    assert complete(start + 4.5 * DAY, "day") == [0.875, 0.0, 0.0]
    assert complete(start + 4.5 * DAY)[0] == round(
        completeness(start, start + 2 * DAY, start + 4.5 * DAY, "", 0), 4
    )
    assert [row["complete"] for row in told(receiver)] == [None] * 3


def test_currencies_meet_at_the_rate_of_the_day_of_the_install(receiver: Receiver) -> None:
    """Not at that of the arrival, weeks later: one install, one rate."""
    schema(receiver.store, counting("in_window", "in_window"))
    euros = counting("in_window", "in_window").replace("app: 42", "app: 43")
    schema(receiver.store, euros.replace("currency: USD", "currency: EUR"))
    for app_id in (42, 43):
        for window, value in enumerate((20, "low", "high")):
            arrives(receiver, window, value, app_id=app_id)
    quoted(receiver.store, {INSTALL_AT.date(): 2.0, (INSTALL_AT + USUAL[2]).date(): 9.0})

    apart = told(receiver)[1]
    assert (apart["currency"], apart["cumulative"], apart["per_install"]) == (None, None, None)
    assert [(of["currency"], of["revenue"], of["cumulative"]) for of in apart["currencies"]] == [
        ("EUR", 2, 7),
        ("USD", 2, 7),
    ]
    together = told(receiver, currency="EUR")
    assert [row["cumulative"] for row in together] == [7.5, 10.5, 55.5]
    assert {row["currency"] for row in together} == {"EUR"}
    with pytest.raises(Unanswerable, match="no rate of GBP"):
        told(receiver, currency="GBP")


def test_it_is_dated_by_install_unless_asked_otherwise() -> None:
    """Windows of one arrival are of installs that lie weeks apart."""
    report = REPORTS["windows"]
    question = report.asked(Written().read(NOON))
    assert (question.basis, question.as_of) == (INSTALL, NOON)
    assert "verdict" not in report.dimensions


def test_its_chart_is_of_revenue_since_the_install(receiver: Receiver) -> None:
    """By window, or over days a line for each."""
    schema(receiver.store, counting("in_window", "in_window"))
    four_installs(receiver)
    report = REPORTS["windows"]

    for by, first in (("app_id",), "42, window 0"), (("day",), "2026-10-10"):
        values = report.chart(told(receiver, *by), by)["data"]["values"]
        assert [(value["low"], value["middle"], value["high"]) for value in values] == [
            *((18, 25, 32), (19, 27, 35), (39, 57, 75))
        ]
        assert values[0]["x"] == first
