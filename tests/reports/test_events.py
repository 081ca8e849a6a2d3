"""What users did, read from counts."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from skan_receiver.reports import Filters, Period, Question
from skan_receiver.reports.events import Happened, rows
from skan_receiver.storage import CountCell, CountHour, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.meanings import Arrived, Book
from skan_receiver.storage.schemas import Publication, history, publish
from tests.conversion.schemas import rules, text
from tests.counted import write_counts
from tests.receiving import Receiver

CELL, HOURS = table(CountCell), table(CountHour)
START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = Period(START, START + timedelta(days=365))
SCHEMA = text(
    rules(
        "value: 30, when: [{event: purchase, at_least: 2, revenue: {at_least: 9, at_most: 20}}]",
        "value: 20, when: [{event: purchase, exactly: 1}, {revenue: total, at_most: 5}]",
        "value: 5, when: [{event: registration}]",
    ),
    "2:\n  coarse: {model: rules, rules: [{value: high, when: [{event: purchase}]}]}",
)


def events(store: Store, *by: str, **filters: Any) -> list[Happened]:
    with store.read() as connection:
        return rows(connection, Question(period=YEAR, filters=Filters(**filters), by=by))


def by_name(rows: list[Happened]) -> dict[tuple[str, str], Happened]:
    return {(row.what, row.name): row for row in rows}


@pytest.fixture
def receiver(store: Store) -> Receiver:
    receiver = Receiver(store)
    receiver.now = START + timedelta(days=100)
    publish(store, Publication(SCHEMA), receiver.now)
    return receiver


def received(receiver: Receiver, *values: int, app_id: int = 42) -> None:
    sign = receiver.signer.skadnetwork
    receiver.receive(*(sign("4.0", app_id=app_id, conversion_value=value) for value in values))
    receiver.settle()


def test_counts_and_revenue_are_sums_of_bounds(receiver: Receiver) -> None:
    """Two of 30 and one of 20: five purchases at least, and no most, for 30 has none."""
    received(receiver, 30, 30, 20)
    found = by_name(events(receiver.store))

    purchase, worth = found["event", "purchase"], found["event revenue", "purchase"]
    assert (purchase.postbacks, purchase.certain, purchase.least, purchase.most) == (3, 3, 5, None)
    assert (worth.postbacks, worth.least, worth.most, worth.currency) == (2, 18, 40, "USD")
    total = found["revenue", "total"]
    assert (total.postbacks, total.least, total.most) == (1, 0, 5)


def test_what_cannot_be_read_is_a_row_of_its_own(receiver: Receiver) -> None:
    """With the reason: no number is ever quietly smaller."""
    sign = receiver.signer.skadnetwork
    received(receiver, 5, 6)
    received(receiver, 20, app_id=7)
    receiver.receive(sign("4.0", app_id=42))
    receiver.receive(
        sign("4.0", app_id=42, postback_sequence_index=1, coarse_conversion_value="low")
    )
    receiver.receive(sign("4.0", app_id=42, did_win=False), sign("1.0", app_id=42))
    receiver.settle()

    unread = {row.name: row.postbacks for row in events(receiver.store) if row.what == "unread"}
    assert unread == {
        "value not in schema": 1,
        "no schema": 1,
        "no value": 1,
        "window not in schema": 1,
    }


def test_a_report_can_be_split_as_others_can(receiver: Receiver) -> None:
    """Day, network, window: the grain of a meaning is beside it."""
    received(receiver, 20)
    receiver.later(days=1)
    received(receiver, 20, 5)

    rows = [row for row in events(receiver.store, "day") if row.name == "registration"]
    assert [(str(row.day), row.postbacks) for row in rows] == [("2026-04-12", 1)]
    assert events(receiver.store, app_id=7) == []


def test_hours_taken_together_read_as_each_alone(store: Store) -> None:
    """However many changes there were, and however long they took: a random year."""
    random = Random(3)
    for number in range(8):
        event = random.choice(("purchase", "registration", "session"))
        written = text(rules(f"value: 20, when: [{{event: {event}, at_least: {number + 1}}}]"))
        since = None if number == 0 else START + timedelta(hours=random.randrange(24 * 365))
        rollout = random.choice((0, 0, 48, 700))
        wanted = Publication(written.replace("windows:\n", WINDOWS), since, rollout)
        publish(store, wanted, YEAR.start, back_dated=True)
    cells = [_cell(random) for _ in range(3_000)]
    write_counts(store, cells)

    found = {name: row.postbacks for (what, name), row in by_name(events(store)).items()}

    assert found == pytest.approx(_one_by_one(store), rel=1e-6)
    assert len(found) >= 3


WINDOWS = """windows:
  1:
    coarse: {model: rules, rules: [{value: high, when: [{event: tutorial}]}]}
"""


def _cell(random: Random) -> dict[str, Any]:
    window = random.choice((0, 0, 1))
    return {
        "app_id": 42,
        "ad_network_id": f"network-{random.randrange(10**9)}",
        "framework": "skadnetwork",
        "version": random.choice(("3.0", "4.0")) if window == 0 else "4.0",
        "window": window,
        "verdict": "valid",
        "counted": True,
        "conversion_type": "download",
        "did_win": True,
        "fine_value": 20 if window == 0 else -1,
        "coarse_value": "" if window == 0 else "high",
        "hour": START + timedelta(hours=random.randrange(24 * 365)),
        "n": random.randrange(1, 9),
    }


def _one_by_one(store: Store) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    with store.read() as connection:
        book = Book(history(connection))
        hours = select(CELL, HOURS.c.hour, HOURS.c.n).where(CELL.c.id == HOURS.c.cell)
        for cell in connection.execute(hours):
            for reading in book.read(Arrived.of_cell(cell)):
                assert reading.decoded.meaning
                for event in reading.decoded.meaning.events:
                    sums[event.name] += reading.weight * cell.n
    return dict(sums)
