"""What was owed to destinations, and what became of it."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable
from skan_receiver.reports.deliveries import Owing, quantile, rows
from skan_receiver.reports.ledgers import ATTEMPT, DELIVERY
from skan_receiver.reports.numbered import stretches
from skan_receiver.reports.period import zone_named
from skan_receiver.storage import Store
from tests.receiving import NOON
from tests.reports.plans import plan
from tests.reports.test_results import MONTH

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NUMBERS = count(1)


def delivery(
    state: str = "done",
    at: datetime = NOON,
    took: timedelta | None = SECOND,
    to: str = "copy",
    **more: Any,
) -> dict[str, Any]:
    """A row of the ledger."""
    number = next(NUMBERS)
    return {
        "identity": number.to_bytes(16, "big"),
        "stored_id": number,
        "destination": to,
        "state": state,
        "attempts": 1,
        "refusals": 0,
        "replays": 0,
        "created_at": at,
        "next_at": at,
        "settled_at": at + took if took is not None and state in ("done", "dead") else None,
        **more,
    }


def attempt(delivery_id: int, status: int | None = 200, at: datetime = NOON, **more: Any) -> Any:
    """A try of it."""
    known = {"duration_ms": 50, "error_class": "", "error": "", "answer": "", "url": "https://a"}
    return {"delivery_id": delivery_id, "status": status, "at": at, **known, **more}


def keep(store: Store, *deliveries: Any, attempts: Sequence[Any] = ()) -> None:
    """In this order, numbered as they come."""
    for of, some in ((DELIVERY, deliveries), (ATTEMPT, attempts)):
        if some:
            store.write(partial(_insert, of, some))


def _insert(of: Any, some: Any, connection: Connection) -> None:
    connection.execute(of.insert(), some)


def told(store: Store, *by: str, period: Period = MONTH, **more: Any) -> list[Owing]:
    with store.read() as connection:
        return rows(connection, Question(period=period, by=by), **more)


def test_what_was_owed_is_delivered_waits_or_was_given_up(store: Store) -> None:
    """By destination: a lease is a wait, and a retry is what comes after the first try."""
    keep(
        store,
        delivery(took=2 * SECOND),
        delivery(took=4 * SECOND),
        delivery(took=HOUR, attempts=3),
        delivery("owed", attempts=2),
        delivery("leased", attempts=0),
        delivery("dead", attempts=5, took=DAY),
        delivery(to="partner", took=SECOND / 2),
    )

    ours, theirs = told(store, "destination")

    assert (ours.destination, ours.owed, ours.delivered, ours.waiting, ours.given_up) == (
        *("copy", 6, 3, 2, 1),
    )
    assert (ours.attempts, ours.retries) == (1 + 1 + 3 + 2 + 0 + 5, 2 + 1 + 4)
    assert (ours.latency_p50_s, ours.latency_p95_s, ours.every) == (4, 3600, 1)
    assert (theirs.destination, theirs.owed, theirs.latency_p50_s) == ("partner", 1, 0.5)
    assert [(row.state, row.owed) for row in told(store, "state")] == [
        *(("dead", 1), ("done", 4), ("leased", 1), ("owed", 1)),
    ]


def test_a_delivery_that_was_replayed_tells_no_latency(store: Store) -> None:
    """It was owed anew later: since when, nobody wrote down."""
    keep(store, delivery(took=9 * DAY, replays=1))

    (row,) = told(store)

    assert (row.delivered, row.latency_p50_s, row.answer_p50_ms, row.answers) == (1, None, None, ())


def test_tries_are_told_by_how_they_ended(store: Store) -> None:
    """Of the time in which they were made, whenever it was owed."""
    keep(
        store,
        delivery(),
        delivery(to="partner", at=NOON - 60 * DAY),
        attempts=[
            attempt(1, 500, NOON - DAY, duration_ms=40, error_class="broken"),
            attempt(1, None, NOON - DAY, duration_ms=5_000, error_class="timeout"),
            attempt(1, 500, NOON - DAY, duration_ms=70, error_class="broken"),
            attempt(1, 200, duration_ms=33),
            attempt(2, 200, duration_ms=10),
        ],
    )

    before, ours, theirs = told(store, "day", "destination")

    assert (before.day, before.destination, before.owed, before.tries) == (
        *(date(2026, 11, 22), "copy", 0, 3),
    )
    assert before.answers == (
        {"error": "broken", "status": 500, "n": 2},
        {"error": "timeout", "status": None, "n": 1},
    )
    assert (before.answer_p50_ms, before.answer_p95_ms) == (70, 5000)
    assert (ours.day, ours.owed, ours.tries, ours.answer_p50_ms) == (date(2026, 11, 23), 1, 1, 30)
    assert (theirs.destination, theirs.owed, theirs.answers) == (
        *("partner", 0, ({"error": "none", "status": 200, "n": 1},)),
    )


def test_deliveries_are_of_the_days_of_a_zone(store: Store) -> None:
    """And of no other period, also where clocks of workers differ by some minutes."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    times = [start + number * 11 * HOUR for number in range(80)]
    times[10], times[11] = times[11], times[10]
    keep(store, *(delivery(at=at) for at in times))

    for name in ("UTC", "Europe/Berlin", "Asia/Kolkata"):
        period = Period.of("2026-11-03", "2026-11-21", NOON, zone_named(name))
        found = told(store, "day", period=period)
        within = [at.astimezone(period.zone).date() for at in times
                  if period.start <= at < period.end]  # fmt: skip
        assert {row.day: row.owed for row in found} == Counter(within)
        by_hour = told(store, "hour", period=period)
        assert sum(row.owed for row in by_hour) == len(within)


def test_of_very_many_stretches_stand_for_all(store: Store) -> None:
    """But for what was given up: that is counted in full."""
    keep(
        store,
        *(
            delivery("dead" if n % 500 == 0 else "done", MONTH.start + n * 5 * timedelta(minutes=1))
            for n in range(6_000)
        ),
        attempts=[attempt(1, at=MONTH.start + n * HOUR / 10) for n in range(3_000)],
    )

    (row,) = told(store, most=1_500)
    assert (row.every, row.given_up) == (4, 12)
    assert row.owed == pytest.approx(6_000, rel=0.1)
    assert row.tries == pytest.approx(3_000, rel=0.15)
    by_day = told(store, "day", most=1_500)
    assert sum(one.owed for one in by_day) == row.owed
    (exact,) = told(store)
    assert (exact.every, exact.owed, exact.tries) == (1, 6_000, 3_000)


@pytest.mark.parametrize("dimension", REPORTS["deliveries"].dimensions)
def test_the_parts_are_the_whole(store: Store, dimension: str) -> None:
    """However deliveries are split; and the chart has each once."""
    states = ("done", "owed", "dead", "leased")
    keep(
        store,
        *(delivery(states[n % 4], NOON + n * HOUR, to="ab"[n % 2]) for n in range(20)),
        attempts=[attempt(n + 1, at=NOON + n * HOUR) for n in range(20)],
    )
    report, by = REPORTS["deliveries"], (dimension,)

    with store.read() as connection:
        table = report.table(connection, Question(period=MONTH, by=by))

    assert sum(row["owed"] for row in table) == sum(row["tries"] for row in table) == 20
    assert all(row["owed"] == row["delivered"] + row["waiting"] + row["given_up"] for row in table)
    assert sum(one["n"] for one in report.chart(table, by)["data"]["values"]) == 20


def test_it_is_asked_of_destinations_only(store: Store) -> None:
    """A delivery may be of a window of a report: it has no app."""
    asked = Question(period=MONTH, filters=Filters(app_id=42))
    with (
        store.read() as connection,
        pytest.raises(Unanswerable, match="app_id: it is told"),
    ):
        rows(connection, asked)
    assert told(store) == []


def test_no_statement_reads_all_deliveries(store: Store) -> None:
    """By their numbers, and what was given up by its index."""
    keep(store, delivery(), attempts=[attempt(1)])

    found = plan(store, "deliveries", Question(period=MONTH))

    assert "ix_delivery_dead" in found
    assert "SCAN attempt" not in found
    assert "SCAN delivery" not in found.replace("SCAN delivery USING INDEX ix_delivery_dead", "")
    assert "Seq Scan on delivery" not in found
    assert "Seq Scan on attempt" not in found


sums = st.dictionaries(st.integers(0, 50), st.integers(1, 5), min_size=1)


@given(sums, st.floats(0.01, 1))
def test_a_quantile_is_the_least_that_enough_do_not_exceed(
    of: dict[int, int], share: float
) -> None:
    """As of a list of them all."""
    all_ = sorted(value for value, n in of.items() for _ in range(n))
    found = quantile(of, share)

    assert found is not None
    assert sum(value <= found for value in all_) >= share * len(all_)
    assert sum(value < found for value in all_) < share * len(all_)


def test_a_period_is_found_by_halves(store: Store) -> None:
    """Whichever it is, and where numbers are missing."""
    times = [MONTH.start + n * 3 * HOUR for n in range(100)]
    keep(store, *(delivery(at=at) for at in times))
    gone = DELIVERY.c.id.between(20, 40)
    store.write(lambda connection: connection.execute(DELIVERY.delete().where(gone)))
    left = {n: at for n, at in enumerate(times, 1) if not 20 <= n <= 40}

    with store.read() as connection:
        for first in range(-3, 300, 7):
            period = Period(MONTH.start + first * HOUR, MONTH.start + (first + 24) * HOUR)
            where = stretches(connection, DELIVERY, DELIVERY.c.created_at, period, most=50)
            within = {n for n, at in left.items() if period.start <= at < period.end}
            assert within <= set(range(where.first, where.last))
            assert where.every == 1
            assert where.last - where.first <= 32
