"""What is remembered of checks of the endpoint."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select

from skan_receiver.storage import Store, checks
from skan_receiver.storage.checks import RUN, UNCHECKED, Trouble, checks_since, failing_since

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
DOWN = "skan.example answers 502"


def minute(n: float) -> datetime:
    return START + timedelta(minutes=n)


def noted(store: Store, ends: Iterable[tuple[float, str]]) -> None:
    """Checks at these minutes, and how they ended."""

    def work(connection: Connection) -> None:
        for at, fault in ends:
            checks.note_check(connection, fault, minute(at))

    store.write(work)


def told(store: Store, since: float, now: float) -> checks.Checks | None:
    with store.read() as connection:
        return checks_since(connection, minute(since), minute(now))


def test_an_endpoint_that_always_answers_is_one_row(store: Store) -> None:
    """However long: two days here."""
    noted(store, ((n, "") for n in range(2 * 24 * 60)))
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(RUN)) == 1
    found = told(store, 100, 2 * 24 * 60)
    assert found
    assert (found.since, found.made, found.failed, found.troubles) == (minute(0), 2880, 0, [])


def test_when_it_did_not_and_when_nobody_looked_is_told(store: Store) -> None:
    """The newest first; a minute that was missed is no news."""
    noted(store, [(0, ""), (1, ""), (2, DOWN), (3, DOWN), (4, ""), (6.5, ""), (30, "")])
    found = told(store, 0, 40)
    assert found
    assert (found.made, found.failed) == (7, 2)
    assert found.troubles == [
        Trouble(minute(30), minute(40), UNCHECKED),
        Trouble(minute(6.5), minute(30), UNCHECKED),
        Trouble(minute(2), minute(3), DOWN),
    ]
    late = told(store, 41, 42)
    assert late
    assert (late.made, late.troubles) == (1, [Trouble(minute(30), minute(42), UNCHECKED)])


def test_nothing_is_told_of_what_never_was(store: Store) -> None:
    """Before the first check."""
    assert told(store, 0, 1) is None


def test_failing_is_from_the_first_failure_on_whatever_it_said(store: Store) -> None:
    """Over as soon as it answers; unknown where nobody looked of late."""

    def since(now: float) -> Trouble | None:
        with store.read() as connection:
            return failing_since(connection, minute(now))

    noted(store, [(0, "")])
    assert since(0) is None
    noted(store, [(1, DOWN), (2, "timed out"), (3, DOWN)])
    assert since(4) == Trouble(minute(1), minute(3), DOWN)
    assert since(20) is None
    noted(store, [(5, "")])
    assert since(5) is None
    noted(store, [(6, DOWN), (480, DOWN), (481, "timed out")])
    assert since(481) == Trouble(minute(480), minute(481), "timed out")


def test_a_clock_that_is_behind_makes_no_second_run(store: Store) -> None:
    """Two workers take turns, and their clocks differ."""
    noted(store, [(1, ""), (0.9, ""), (2, "")])
    found = told(store, 0, 2)
    assert found
    assert (found.made, found.troubles, found.until) == (3, [], minute(2))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ends=st.lists(
        st.tuples(st.integers(1, 8), st.sampled_from(["", DOWN, "timed out"])), min_size=1
    )
)
def test_runs_say_what_the_checks_said(store: Store, ends: list[tuple[int, str]]) -> None:
    """As many, as many failed, and nobody looked as often as there was a pause."""
    store.write(lambda connection: connection.execute(delete(RUN)))
    at, all_ = 0, []
    for pause, fault in ends:
        at += pause
        all_.append((at, fault))
    noted(store, all_)
    found = told(store, 0, at)
    assert found
    assert found.made == len(all_)
    assert found.failed == sum(fault != "" for _, fault in all_)
    gaps = sum(pause > 3 for pause, _ in ends[1:])
    assert sum(one.fault == UNCHECKED for one in found.troubles) == gaps
