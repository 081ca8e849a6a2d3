"""When a value can have been set, and by which version."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.conversion.force import ALWAYS, Effect, in_force
from skan_receiver.conversion.timing import (
    LOOK_BACK,
    RETRIES,
    Interval,
    advertised,
    completeness,
    evaluated,
    installed,
    locks,
    usual_install,
)
from tests.conversion.schemas import Valued, rules, schema

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def before(moment: datetime) -> float:
    """Hours before noon."""
    return (NOON - moment) / HOUR


@pytest.mark.parametrize(
    ("version", "window", "earliest", "latest"),
    [
        ("2.0", 0, 48, 24),  # a timer of 24 hours, then 0 to 24
        ("3.0", 0, 48, 24),
        ("4.0", 0, 96, 24),  # 48 hours open, then 24 to 48
        ("4.0", 1, 264, 24),  # 120 open, then 24 to 144
        ("4.0", 2, 816, 24),  # 672 open, then 24 to 144
        ("", 2, 816, 24),  # AdAttributionKit keeps the same windows
    ],
)
def test_an_interval_is_the_window_and_apples_delay_before_the_arrival(
    version: str, window: int, earliest: float, latest: float
) -> None:
    """Apple documents both, and the arrival is known to the hour."""
    interval = evaluated(version, window, NOON)

    assert (before(interval.start), before(interval.end)) == (earliest, latest - 1)


def test_what_locks_was_set_as_the_window_closed() -> None:
    """The delay alone lies between the value and the arrival."""
    locked = evaluated("4.0", 1, NOON, locked=True)

    assert (before(locked.start), before(locked.end)) == (144, 23)


def test_retries_reach_nine_days_back() -> None:
    """For those who want to be sure, not likely right."""
    sure, usual = evaluated("4.0", 0, NOON, retries=True), evaluated("4.0", 0, NOON)

    assert (usual.start - sure.start, usual.end) == (RETRIES, sure.end)


@pytest.mark.parametrize(
    ("version", "window", "earliest", "latest"),
    [
        ("4.0", 0, 96, 24),  # 48 hours open and up to 48 of delay; locked at once, 24
        ("4.0", 1, 312, 72),  # closes between hours 48 and 168, then 24 to 144
        ("4.0", 2, 984, 192),  # between 168 and 840
        ("", 1, 312, 72),
        ("3.0", 0, 64 * 24 + 24, 24),  # 64 timers of 24 hours, then 0 to 24
        ("1.0", 0, 64 * 24 + 24, 24),
    ],
)
def test_an_install_is_a_whole_window_and_apples_delay_before_the_arrival(
    version: str, window: int, earliest: float, latest: float
) -> None:
    """From the first launch on, whether or not a lock closed the window early."""
    interval = installed(version, window, NOON)

    assert (before(interval.start), before(interval.end)) == (earliest, latest - 1)
    assert installed(version, window, NOON, retries=True).start == interval.start - RETRIES


@pytest.mark.parametrize(("version", "window"), [("2.2", 0), ("4.0", 0), ("", 1), ("4.0", 2)])
def test_the_ad_comes_first_then_the_install_then_the_value(version: str, window: int) -> None:
    """None of the three can lie after the next one; a click is good for 30 days."""
    shown, install, value = (
        when(version, window, NOON) for when in (advertised, installed, evaluated)
    )

    assert (shown.start, shown.end) == (install.start - LOOK_BACK, install.end)
    assert install.start <= value.start
    assert install.end <= value.end


@pytest.mark.parametrize(
    ("version", "window", "hours"),
    [
        *((version, 0, 48) for version in ("1.0", "2.2", "3.0")),
        *(("4.0", window, hours) for window, hours in enumerate((84, 252, 924))),
        *(("", window, hours) for window, hours in enumerate((84, 252, 924))),
    ],
)
def test_an_install_is_usually_so_long_ago(version: str, window: int, hours: int) -> None:
    """AppsFlyer's documented constants, which are Apple's windows and its mean delays."""
    usual, interval = usual_install(version, window), installed(version, window, NOON)

    assert usual == hours * HOUR
    assert interval.start <= NOON - usual < interval.end


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0, 0), (72, 0), (84, 1 / 8), (96, 1 / 2), (108, 7 / 8), (120, 1), (9_999, 1)],
)
def test_a_day_is_complete_when_the_longest_delay_of_its_last_install_is_over(
    hours: int, expected: float
) -> None:
    """By hours since it began: window 0 closes after 48, and 24 to 48 later all have come."""
    day = timedelta(days=1)

    assert completeness(NOON, NOON + day, NOON + hours * HOUR, "4.0", 0) == pytest.approx(expected)


@given(
    st.sampled_from([("3.0", 0), ("4.0", 0), ("", 1), ("4.0", 2)]),
    st.integers(1, 200),
    st.integers(-100, 1_300),
)
def test_completeness_is_a_share_of_postbacks(
    way: tuple[str, int], length: int, passed: int
) -> None:
    """Counted one by one: each install and each delay as likely as the next."""
    end, as_of = NOON + length * HOUR, NOON + passed * HOUR
    usual = usual_install(*way)
    half = (12 if way[1] == 0 else 60) * HOUR
    steps = [(step + 0.5) / 40 for step in range(40)]
    arrived = [
        NOON + install * length * HOUR + usual + (2 * delay - 1) * half <= as_of
        for install in steps
        for delay in steps
    ]

    share = completeness(NOON, end, as_of, *way)

    assert share == pytest.approx(sum(arrived) / len(arrived), abs=0.03)
    assert 0 <= share <= 1


LOCKING = """
  lock: {fine: 20, event: registration}
"""


@pytest.mark.parametrize(
    ("value", "expected"), [(30, True), (20, True), (10, True), (5, False), (7, False)]
)
def test_a_value_tells_whether_it_locked(*, value: int, expected: bool) -> None:
    """By its number, or by the event it proves."""
    locking = schema(
        rules(
            "value: 30, when: [{event: purchase, at_least: 2}]",
            "value: 20, when: [{event: purchase}]",
            "value: 10, when: [{event: registration}]",
            "value: 5",
        ),
        LOCKING,
    )

    assert locks(Valued(fine_value=value), locking) is expected
    assert not locks(Valued(fine_value=None), locking)


def test_a_rule_tells_whether_it_locks() -> None:
    """`lock: true` beside the value."""
    locking = schema(rules("value: 9, lock: true, when: [{event: purchase}]", "value: 0"))

    assert [locks(Valued(fine_value=value), locking) for value in (9, 0)] == [True, False]


TEN_DAYS = Interval(NOON, NOON + timedelta(days=10))


def at(number: int, day: float, rollout: float = 0) -> Effect:
    return Effect(number, NOON + timedelta(days=day), timedelta(days=rollout))


FIRST = Effect(1, ALWAYS)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([], {}),
        ([at(1, 20)], {}),  # none was in force yet
        ([FIRST], {1: 1.0}),
        ([FIRST, at(2, -1)], {2: 1.0}),
        ([FIRST, at(2, 10)], {1: 1.0}),  # from the moment the interval ends
        ([FIRST, at(2, 2.5)], {1: 0.25, 2: 0.75}),
        ([at(1, 5)], {1: 0.5}),  # for the other half there was none
        ([FIRST, at(2, 0, rollout=10)], {1: 0.5, 2: 0.5}),  # a ramp: half of it, on average
        ([FIRST, at(2, 5, rollout=10)], {1: 0.875, 2: 0.125}),
        ([FIRST, at(2, -5), at(3, -5)], {3: 1.0}),  # 3 corrects 2
        ([FIRST, at(2, 5), at(3, -30)], {2: 0.5, 3: 0.5}),  # a date later than 3's stays
        # Both reach everybody, the quick one first: nobody goes back to the slow one.
        ([FIRST, at(2, 0, rollout=20), at(3, 2, rollout=2)], {1: 0.28889, 2: 0.01111, 3: 0.7}),
    ],
)
def test_versions_weigh_as_long_as_they_were_in_force(
    versions: list[Effect], expected: dict[int, float]
) -> None:
    """Over an interval of ten days, each moment as likely as the next."""
    weights = dict(in_force(versions, TEN_DAYS))

    assert weights == pytest.approx(expected, abs=1e-5)
    assert (1.0 in weights.values()) == (1.0 in expected.values())  # certain is exactly that


hours = st.integers(-400, 400)
GRID = 60
first = itemgetter(0)


@given(
    st.lists(
        st.tuples(hours, st.integers(0, 400)), min_size=1, max_size=4, unique_by=lambda d: d[0]
    ),
    st.integers(24, 800),
)
def test_weights_are_shares_of_devices(dated: list[tuple[int, int]], length: int) -> None:
    """Followed one by one: each phone takes the newest version that has reached it."""
    versions = [
        FIRST,
        *(Effect(n, NOON + h * HOUR, r * HOUR) for n, (h, r) in enumerate(sorted(dated), start=2)),
    ]
    interval = Interval(NOON, NOON + length * HOUR)

    weights = dict(in_force(versions, interval))

    assert sum(weights.values()) == pytest.approx(1.0)
    held = Counter(
        max(version.number for version in versions if version.reach(moment) > slow / GRID)
        for moment in (NOON + (step + 0.5) / GRID * length * HOUR for step in range(GRID))
        for slow in (number + 0.5 for number in range(GRID))
    )
    for version in versions:
        share = held[version.number] / GRID**2
        assert weights.get(version.number, 0.0) == pytest.approx(share, abs=0.05)
