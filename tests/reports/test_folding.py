"""Cells that mean the same are read once, and come to what they come to one by one."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion.force import ALWAYS
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.reports.folding import arrived, folded
from skan_receiver.reports.money import Exchange
from skan_receiver.reports.period import zone_named
from skan_receiver.reports.question import INSTALL
from skan_receiver.storage import Store
from skan_receiver.storage.meanings import Arrived, Book, Readings, rest
from skan_receiver.storage.schemas import Version
from tests.conversion.schemas import rules, text
from tests.receiving import Receiver
from tests.reports.paying import received

FIRST = date(2026, 11, 1)
# A second version comes on the second day at noon, and takes a day to reach everybody.
CHANGED = datetime(2026, 11, 2, 12, tzinfo=UTC)
SCHEMA = text(rules("value: 20, lock: true, when: [{event: purchase}]", "value: 0"))


def version(number: int, since: datetime, rollout: int) -> Version:
    return Version(42, number, "", SCHEMA, "", "", "own", since, rollout, since, "")


def book(*, always: bool) -> Book:
    """Of two versions; the first from the beginning on, or from a day before the other."""
    first = ALWAYS if always else CHANGED - timedelta(days=1)
    return Book([version(1, first, 0), version(2, CHANGED, 24)])


def cell(window: int, value: int, at: datetime, n: int) -> dict[str, Any]:
    return {
        "cell_app_id": 42,
        "cell_version": "4.0",
        "cell_window": window,
        "cell_conversion_type": "download",
        "cell_fine_value": value,
        "cell_coarse_value": "",
        "cell_hour": at,
        "n": n,
    }


rows = st.tuples(
    st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 23), st.integers(0, 1),
    st.sampled_from((0, 20)), st.integers(-3, 9),
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(rows, max_size=30),
    st.lists(st.floats(0.1, 10), min_size=6, max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_sums_are_those_of_each_hour_by_itself(
    said: list[tuple[str, int, int, int, int, int]],
    factors: list[float],
    by_day: bool,
    always: bool,
) -> None:
    """However many hours and days a value has, whichever versions were in force in them, also
    where it was taken back in another one: numbers, weights, amounts, and what is uncertain."""

    def rates(day: date | None) -> Exchange:
        factor = factors[(day - FIRST).days] if day else 1.0
        return lambda currency: (currency, factor)

    known, told = book(always=always), []
    for group, into, hour, window, value, n in said:
        on = FIRST + timedelta(days=into)
        at = datetime.combine(on, time(hour), UTC)
        told.append(((group,), on if by_day else None, cell(window, value, at, n)))
    once: defaultdict[Any, float] = defaultdict(float)
    for (group,), day, row in told:
        one = arrived(row)
        _sum(once, (group, one), row["n"], known.read(one), rates(day))
    together: defaultdict[Any, float] = defaultdict(float)
    for of in folded(told, rates, known):
        _sum(together, (*of.group, of.cell), of.n, of.readings, of.exchange)
    for key in {*once, *together}:
        assert together[key] == pytest.approx(once[key], abs=1e-9), key


def _sum(
    sums: defaultdict[Any, float],
    of: tuple[str, Arrived],
    n: int,
    readings: Readings,
    rate: Exchange,
) -> None:
    group, cell = of
    key = (group, cell.window, cell.fine_value)
    possible = tuple(reading.version.number for reading in readings)
    sums[(*key, "n")] += n
    sums[(*key, "of these", possible, bool(rest(readings)))] += n
    for reading in readings:
        sums[(*key, "certain", reading.version.number)] += n if reading.certain else 0
        sums[(*key, reading.version.number)] += n * reading.weight
        sums[(*key, "amount", reading.version.number)] += n * reading.weight * rate("EUR")[1]


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
