"""Amounts in the currency that was asked for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skan_receiver.reports import REPORTS, Unanswerable, Written
from skan_receiver.reports.period import Period
from skan_receiver.reports.question import ARRIVAL, INSTALL
from skan_receiver.storage import Store
from tests.receiving import NOON, Receiver
from tests.reports.paying import DAY, MONTH, SCHEMA, asked, quoted, received, schema

FRIDAY = NOON.date() - 3 * DAY
EVENTS = SCHEMA.replace(
    "{event: purchase, exactly: 1}",
    "{event: purchase, exactly: 1, revenue: {at_least: 4, at_most: 6}}",
)


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """A postback of 4 to 6 dollars on Monday, one of 10 to 20 on Wednesday."""
    receiver = Receiver(store)
    schema(store, EVENTS)
    received(receiver, 20)
    receiver.later(days=2)
    received(receiver, 30)
    return receiver


def total(rows: list[dict[str, Any]], name: str = "revenue") -> float:
    return float(sum(row[name] for row in rows if row[name] is not None))


def test_each_amount_is_converted_by_the_rate_of_its_day(receiver: Receiver) -> None:
    """Monday's by the one of Friday, which is the last before it."""
    quoted(receiver.store, {FRIDAY: 2.0, NOON.date() + 2 * DAY: 4.0})

    (row,) = asked(receiver.store, "results", currency="EUR")

    assert (row["revenue_min"], row["revenue"], row["revenue_max"]) == (4.5, 6.25, 8)
    assert (row["currency"], row["currencies"], row["postbacks"]) == ("EUR", (), 2)
    by_hour = asked(receiver.store, "results", "hour", currency="EUR")
    assert [one["revenue"] for one in by_hour] == [2.5, 3.75]


@pytest.mark.parametrize(
    "by", [("day",), ("window", "day"), ("country",), ("campaign_name", "day")]
)
@pytest.mark.parametrize("basis", [ARRIVAL, INSTALL])
def test_however_rows_are_split_they_come_to_the_same(
    receiver: Receiver, by: tuple[str, ...], basis: str
) -> None:
    """In either grain of the counts."""
    rates = {FRIDAY + n * DAY: 2.0 + n for n in range(-7, 7)}
    quoted(receiver.store, rates)

    (whole,) = asked(receiver.store, "results", basis=basis, currency="EUR")
    parts = asked(receiver.store, "results", *by, basis=basis, currency="EUR")

    assert total(parts) == pytest.approx(whole["revenue"])
    assert sum(row["postbacks"] for row in parts) == 2
    assert all(set(by) <= row.keys() for row in parts)


def test_by_install_the_rate_is_that_of_the_install(receiver: Receiver) -> None:
    """84 hours before the arrival, as a rule."""
    quoted(receiver.store, {NOON.date() - 3 * DAY: 2.0, NOON.date() - DAY: 4.0})

    by_day = asked(receiver.store, "results", "day", basis=INSTALL, currency="EUR")

    assert [(row["day"], row["revenue"]) for row in by_day] == [
        (NOON.date() - 3 * DAY, 2.5),
        (NOON.date() - DAY, 3.75),
    ]


def test_a_day_is_one_of_the_reports_zone(receiver: Receiver) -> None:
    """In Auckland, Monday's postback came on Tuesday."""
    quoted(receiver.store, {FRIDAY: 2.0, NOON.date() + DAY: 4.0})

    def revenue(zone: str) -> float:
        return total(asked(receiver.store, "results", currency="EUR", zone=zone))

    assert revenue("UTC") == 2.5 + 3.75
    assert revenue("Pacific/Auckland") == 1.25 + 3.75


def test_events_and_their_revenue_are_converted_and_counts_are_not(receiver: Receiver) -> None:
    """What happened twice happened twice in any currency."""
    quoted(receiver.store, {FRIDAY: 2.0})

    rows = {
        (row["what"], row["name"]): (row["least"], row["most"], row["currency"])
        for row in asked(receiver.store, "events", currency="EUR")
    }

    assert rows == {
        ("event", "purchase"): (3, None, None),
        ("event revenue", "purchase"): (2, 3, "EUR"),
        ("revenue", "total"): (7, 13, "EUR"),
    }


@pytest.mark.parametrize("name", ["results", "events", "windows", "roas"])
def test_without_a_rate_nothing_is_told_but_what_to_import(receiver: Receiver, name: str) -> None:
    """A sum without some of its amounts would look like one."""
    quoted(receiver.store, {NOON.date() + DAY: 2.0})
    why = f"no rate of USD for {NOON.date()} .*skan-receiver rates import FILE"
    with pytest.raises(Unanswerable, match=why) as caught:
        asked(receiver.store, name, currency="EUR")
    assert caught.value.field == "currency"

    in_dollars = asked(receiver.store, name, currency="USD")
    assert {row["currency"] for row in in_dollars} <= {"USD", None}


def test_a_report_without_amounts_has_no_currency() -> None:
    """It says so; others say that they have."""
    with pytest.raises(Unanswerable, match="it has no amounts"):
        REPORTS["volumes"].asked(Written(currency="EUR").read(NOON))
    for name in ("results", "events", "windows", "roas", "sources"):
        assert REPORTS[name].has_amounts
        assert REPORTS[name].asked(Written(currency="eur").read(NOON)).currency == "EUR"


def test_sources_are_told_in_one_currency_too(receiver: Receiver) -> None:
    """Each node of a tree."""
    quoted(receiver.store, {FRIDAY: 2.0, NOON.date() + 2 * DAY: 4.0})

    rows = asked(receiver.store, "sources", "app_id", currency="EUR")

    assert {(row["revenue"], row["currency"]) for row in rows} == {(6.25, "EUR")}
    assert len(rows) > 1


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Receiver]:
    """Two postbacks on each of four days."""
    receiver = Receiver(Store(sqlite_url))
    schema(receiver.store)
    for _ in range(4):
        received(receiver, 20, 30)
        receiver.later(days=1)
    yield receiver
    receiver.store.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0.01, 100), min_size=4, max_size=4), st.integers(0, 4))
def test_periods_that_touch_add_up_in_any_currency(
    one: Receiver, worths: list[float], days: int
) -> None:
    """Whatever the rates: no amount is converted otherwise in another period."""
    quoted(one.store, {NOON.date() + n * DAY: worth for n, worth in enumerate(worths)})
    middle = NOON.replace(hour=0, minute=0) + timedelta(days=days)
    halves = Period(MONTH.start, middle), Period(middle, MONTH.end)

    def revenue(period: Period) -> float:
        return total(asked(one.store, "results", period=period, currency="EUR"))

    assert sum(map(revenue, halves)) == pytest.approx(revenue(MONTH))
