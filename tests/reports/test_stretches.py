"""Hours in which versions change are told by a few of them, and come to the same."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skan_receiver.conversion.force import ALWAYS, bends, in_order
from skan_receiver.conversion.timing import turns, whole_hour
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.reports.moments import nodes, parted
from skan_receiver.reports.stretches import Stretch, stretches
from skan_receiver.storage import CountCell, CountDay, CountHour, CountMonth, CountVolume, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.meanings import Arrived, Book, whole
from skan_receiver.storage.schemas import Publication, Version, publish
from tests.conversion.schemas import rules, text
from tests.counted import write_counts

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 1, tzinfo=UTC)
SCHEMA = text(rules("value: 20, lock: true, when: [{event: purchase}]", "value: 0"))
OTHER = text(rules("value: 20, when: [{event: registration}]", "value: 0"))

effects = st.lists(
    st.tuples(st.integers(0, 10 * 24 * 60), st.sampled_from([0, 1, 24, 100])), max_size=3
)


def versions(said: list[tuple[int, int]], *, always: bool) -> list[Version]:
    """One from the beginning on, where wanted, and one at each of these minutes."""
    since = [(ALWAYS, 0)] if always else []
    since += [(START + timedelta(minutes=minute), rollout) for minute, rollout in said]
    return [
        Version(42, number, "", SCHEMA, "", "", "own", at, rollout, at, "")
        for number, (at, rollout) in enumerate(since, 1)
    ]


@settings(deadline=None, max_examples=200)
@given(effects, st.booleans(), st.integers(0, 2), st.booleans(), st.sampled_from([0, 20]))
def test_between_two_turns_weights_are_parabolas(
    said: list[tuple[int, int]], always: bool, window: int, early: bool, value: int
) -> None:
    """Of the same versions, whatever the version of SKAdNetwork, whether the value locks or not."""
    of = versions(said, always=always)
    book, window = Book(of), 0 if early else window
    arrived = Arrived(42, "3.0" if early else "4.0", window, "download", value, None, START)
    first, last = START - 3 * 24 * HOUR, START + 60 * 24 * HOUR
    all_ = turns(window, bends(in_order(version.effect for version in of)))
    inside = {at for at in all_ if first < at < last}
    for start, end in pairwise(sorted({first, last, *inside})):
        hours = nodes(start, end)
        some = {hour: book.weights(arrived, hour) for hour in hours}
        for t in range(0, (end - start) // HOUR, 5):
            weights = book.weights(arrived, start + t * HOUR)
            assert {number for number, _ in weights} == {n for n, _ in some[hours[0]]}
            assert whole(weights) == whole(some[hours[0]])
            told: defaultdict[int, float] = defaultdict(float)
            row = {"n": 1, "nt": t, "ntt": t * t}
            for hour, n in parted(row, start, hours):
                for number, weight in some[hour]:
                    told[number] += n * weight
            assert told == pytest.approx(dict(weights), abs=1e-9)


@pytest.mark.parametrize("start", [START, START + HOUR / 2])
def test_a_period_is_looked_at_once_and_whole(start: datetime) -> None:
    """Whatever hour it begins in: each hour of each cell in one stretch."""
    of = versions([(1000, 24), (9000, 0)], always=True)
    period = Period(start, start + 40 * 24 * HOUR)
    for by_hour in (True, False):
        found = stretches(of, period, by_hour=by_hour)
        still = [one for one in found if len(one.hours) == 1]
        assert _joined(still) == [(period.start, period.end)]
        if not by_hour:
            assert all(whole_hour(one.period.start) == one.hours[0] for one in found[1:])
            assert max(len(one.hours) for one in found) == 3


def _joined(found: list[Stretch]) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for one in sorted(found, key=lambda one: one.period.start):
        if joined and joined[-1][1] >= one.period.start:
            joined[-1] = (joined[-1][0], max(joined[-1][1], one.period.end))
        else:
            joined.append((one.period.start, one.period.end))
    return joined


def test_of_very_many_changes_hours_are_read_one_by_one() -> None:
    """Rather than asking a thousand times."""
    of = versions([(n * 50 * 24 * 60, 3) for n in range(100)], always=True)
    period = Period(START, START + 100 * 50 * 24 * HOUR)
    assert [one.hours for one in stretches(of, period, by_hour=False)] == [()]


cells = st.lists(
    st.tuples(
        st.integers(0, 20 * 24), st.integers(0, 2), st.sampled_from(["3.0", "4.0"]),
        st.sampled_from([None, 0, 20]), st.integers(1, 5),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells, st.integers(0, 5 * 24 * 60), st.sampled_from([0, 24]), st.booleans())
def test_sums_are_those_of_each_hour(
    store: Store, said: list[tuple[int, int, str, int | None, int]], minute: int, rollout: int,
    always: bool,
) -> None:  # fmt: skip
    """Reports of a whole period, by day, and by hour, on either store, come to the same."""
    _emptied(store)
    for number, version in enumerate(versions([(minute, rollout)], always=always)):
        since = version.effect.effective_from if number or not always else None
        written = SCHEMA if number == 0 else OTHER
        one = Publication(written, effective_from=since, rollout_hours=rollout)
        publish(store, one, START, back_dated=True)
    write_counts(store, [_cell(*one) for one in said])
    whole_ = Period(START, START + 21 * 24 * HOUR)
    for name, summed in (("results", ("postbacks", "with_value")), ("events", ("postbacks",))):
        by_hour = _sums(store, name, whole_, summed, "hour")
        for by in ((), ("day",)):
            assert _sums(store, name, whole_, summed, *by) == pytest.approx(by_hour, abs=1e-4)


def _sums(
    store: Store, name: str, period: Period, summed: tuple[str, ...], *by: str
) -> dict[Any, float]:
    with store.read() as connection:
        rows = REPORTS[name].table(connection, Question(period=period, by=by))
    sums: defaultdict[Any, float] = defaultdict(float)
    for row in rows:
        for column in summed:
            sums[row.get("what"), row.get("name"), column] += row[column]
        for event in row.get("events", ()):
            sums[event["event"], "min"] += event["min"]
        if "certain" in row:
            sums[row["what"], row["name"], "certain"] += row["certain"]
            sums[row["what"], row["name"], "least"] += row["least"] or 0
    return {key: sum_ for key, sum_ in sums.items() if abs(sum_) > 1e-6}


def _cell(hour: int, window: int, version: str, value: int | None, n: int) -> dict[str, Any]:
    return {
        "app_id": 42, "ad_network_id": "a.example", "framework": "skadnetwork",
        "version": version, "window": 0 if version == "3.0" else window, "verdict": "valid",
        "counted": True, "conversion_type": "download", "did_win": True, "fine_value": value,
        "coarse_value": None, "hour": START + hour * HOUR, "n": n,
    }  # fmt: skip


def _emptied(store: Store) -> None:
    names = [
        *(table(one).name for one in (CountHour, CountDay, CountMonth, CountVolume, CountCell)),
        "schema_version",
    ]
    for name in names:
        store.write(lambda connection, n=name: connection.exec_driver_sql(f"DELETE FROM {n}"))  # type: ignore[misc]
