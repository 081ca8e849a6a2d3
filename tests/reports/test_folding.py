"""Cells that mean the same are read once, and come to what they come to one by one."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.reports.folding import folded
from skan_receiver.reports.money import Exchange
from skan_receiver.reports.period import zone_named
from skan_receiver.reports.question import INSTALL
from skan_receiver.storage import Store
from skan_receiver.storage.columns import hour_of
from tests.receiving import NOON, Receiver
from tests.reports.paying import received

FIRST = date(2026, 11, 1)
HOUR = hour_of(NOON)


def cell(window: int, n: int) -> dict[str, Any]:
    return {
        "cell_app_id": 42,
        "cell_version": "4.0",
        "cell_window": window,
        "cell_conversion_type": "download",
        "cell_fine_value": 20,
        "cell_coarse_value": "",
        "cell_hour": HOUR,
        "n": n,
    }


rows = st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 2), st.integers(-3, 9))


@given(st.lists(rows, max_size=30), st.lists(st.floats(0.1, 10), min_size=6, max_size=6))
def test_amounts_are_those_of_their_days(
    said: list[tuple[str, int, int, int]], factors: list[float]
) -> None:
    """However many days a meaning has, also where it was taken back on another one."""

    def rates(day: date | None) -> Exchange:
        assert day is not None
        return lambda currency: (currency, factors[(day - FIRST).days])

    found = folded(
        (
            ((group,), FIRST + timedelta(days=day), cell(window, n))
            for group, day, window, n in said
        ),
        rates,
    )
    numbers: Counter[tuple[Any, ...]] = Counter()
    amounts: dict[tuple[Any, ...], float] = {}
    for group, arrived, n, exchange in found:
        key = (*group, arrived.window)
        numbers[key] += n
        amounts[key] = amounts.get(key, 0.0) + n * exchange("EUR")[1]

    for key in {(group, window) for group, _, window, _ in said}:
        of = [(day, n) for group, day, window, n in said if (group, window) == key]
        assert numbers[key] == sum(n for _, n in of)
        assert amounts.get(key, 0.0) == pytest.approx(sum(n * factors[day] for day, n in of))


ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Auckland"]


@pytest.mark.parametrize("zone", ZONES)
def test_days_of_installs_are_those_of_their_hours(store: Store, zone: str) -> None:
    """Whichever zone they are of: also where its clocks change between install and arrival."""
    receiver = Receiver(store)
    start = datetime(2026, 10, 24, tzinfo=UTC)
    for n in range(0, 8 * 24, 5):
        receiver.now = start + timedelta(hours=n, minutes=30)
        received(receiver, None)
    period = Period(start - timedelta(days=5), start + timedelta(days=9), zone_named(zone))

    def found(*by: str) -> list[dict[str, Any]]:
        question = Question(period=period, by=by, basis=INSTALL)
        with store.read() as connection:
            return REPORTS["results"].table(connection, question)

    by_hour = Counter[date]()
    for row in found("hour"):
        by_hour[row["hour"].date()] += row["installs"]
    assert {row["day"]: row["installs"] for row in found("day")} == by_hour
    assert by_hour.total() == 39
