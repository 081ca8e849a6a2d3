"""Users' events end by class: first who it was, then the event, last the hash of who was erased."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select, text, update

from skan_receiver.config import Settings
from skan_receiver.storage import (
    Attempt,
    Delivery,
    EventDecision,
    Store,
    StoredEvent,
    Tombstone,
    event_retention,
)
from skan_receiver.storage.columns import table
from skan_receiver.storage.event_retention import forget_persons
from skan_receiver.storage.events import HAS_PERSON, PERSONAL
from skan_receiver.storage.retention import retain
from tests.delivery.eventing import Intake, destination, purchase
from tests.receiving import NOON

EVENT, DELIVERY = table(StoredEvent), table(Delivery)


def rows(store: Store, model: Any) -> Sequence[Any]:
    found = table(model)
    with store.read() as connection:
        return connection.execute(select(found).order_by(*found.primary_key)).all()


def all_of(store: Store, *, days: float) -> int:
    """What goes so many days later."""
    total = 0
    while gone := retain(store, Settings(), NOON + timedelta(days=days)):
        total += gone
    return total


@pytest.fixture
def intake(store: Store) -> Intake:
    """Two events, owed to somebody."""
    intake = Intake(store)
    intake.define(destination("https://acme.example/?id={idfa}"))
    intake.take(purchase("one"), purchase("other"))
    return intake


def test_after_90_days_an_event_is_nobodys(intake: Intake) -> None:
    """It is counted as before: its app, its ad, its country, its money stay."""
    before = rows(intake.store, StoredEvent)
    assert all_of(intake.store, days=89.9) == 0
    assert all_of(intake.store, days=90.1) == 2
    after = rows(intake.store, StoredEvent)
    for was, is_ in zip(before, after, strict=True):
        assert {name for name, value in was._mapping.items() if is_._mapping[name] != value} == {
            name for name in PERSONAL if was._mapping[name] is not None
        }
        assert not [name for name in PERSONAL if is_._mapping[name] is not None]
    assert len(rows(intake.store, Delivery)) == 2


def test_after_two_years_the_event_goes_with_all_that_is_of_it(intake: Intake) -> None:
    """But for a delivery that is still owed: that ends as a dead letter, and goes later."""
    store = intake.store
    done = update(DELIVERY).where(DELIVERY.c.id == 1)
    store.write(lambda connection: connection.execute(done.values(state="done")))
    assert all_of(store, days=729) == 2
    assert len(rows(store, StoredEvent)) == 2
    assert all_of(store, days=731) == 2
    assert rows(store, StoredEvent) == rows(store, EventDecision) == []
    (owed,) = rows(store, Delivery)
    assert owed.state == "owed"
    dead = update(DELIVERY).values(state="dead", settled_at=NOON + timedelta(days=731))
    tried = {"delivery_id": owed.id, "at": NOON + timedelta(days=1461), "duration_ms": 0,
             "error": "", "error_class": "gone", "answer": "", "url": ""}  # fmt: skip

    def gone(connection: Any) -> None:
        connection.execute(dead)
        connection.execute(insert(table(Attempt)), tried)

    store.write(gone)
    assert all_of(store, days=1460) == 0
    assert all_of(store, days=1462) == 1
    assert rows(store, Delivery) == rows(store, Attempt) == []


def test_tombstones_lie_for_three_years(store: Store) -> None:
    """As long as somebody may tell of the time before."""
    laid = [{"key": bytes([n]) * 16, "erased_at": NOON + timedelta(days=n)} for n in range(3)]
    store.write(lambda connection: connection.execute(insert(table(Tombstone)), laid))
    assert all_of(store, days=1094) == 0
    assert all_of(store, days=1096.5) == 2
    assert [row.key[0] for row in rows(store, Tombstone)] == [2]


def test_it_goes_in_pieces(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, nobody waits for all of them."""
    monkeypatch.setattr(event_retention, "PIECE", 1)
    before = NOON + timedelta(days=1)
    assert [forget_persons(intake.store, before) for _ in range(3)] == [1, 1, 0]


def test_it_is_looked_for_by_an_index(store: Store) -> None:
    """An hour in which nothing ends reads nothing of what was there before."""
    explain = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
    asked = f"{explain} SELECT id FROM event WHERE ({HAS_PERSON}) AND received_at < :at"
    asked += " ORDER BY received_at LIMIT 500"
    with store.read() as connection:
        if not store.is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
        plan = str(connection.execute(text(asked), {"at": str(NOON)}).all())
    assert "ix_event_personal" in plan


@pytest.mark.parametrize(
    "said", [{"person_days": 800}, {"event_days": 60}, {"tombstone_days": 700}]
)
def test_what_contradicts_itself_is_refused(said: dict[str, int]) -> None:
    """An event ends after who it was, and a tombstone after both."""
    with pytest.raises(ValidationError, match="at least"):
        Settings(**said)  # type: ignore[arg-type]  # pydantic checks them
