"""What is not kept for ever goes when its time has come, and nothing else does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from skan_receiver.config import Settings
from skan_receiver.reverify import reverify
from skan_receiver.settle import recount
from skan_receiver.storage import (
    Arrival,
    Attempt,
    Quarantined,
    Seen,
    Store,
    StoredPostback,
    Usage,
    retention,
)
from skan_receiver.storage.columns import table
from skan_receiver.storage.retention import retain
from skan_receiver.testing import Signer
from tests.receiving import Receiver


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def forged(receiver: Receiver) -> dict[str, Any]:
    return {**receiver.signer.skadnetwork("4.0"), "app-id": 1}


def all_of(receiver: Receiver) -> int:
    """Retain until nothing is left to do; how many rows went."""
    total = 0
    while gone := retain(receiver.store, receiver.settings, receiver.now):
        total += gone
    return total


def used(receiver: Receiver) -> dict[str, tuple[int, int]]:
    return {row.kind: (row.rows, row.bytes) for row in receiver.rows(Usage)}


def test_forgeries_go_after_90_days(receiver: Receiver) -> None:
    """With their arrivals and keys, and the room they took; what is genuine stays."""
    old = forged(receiver)
    receiver.receive(old, old, receiver.signer.skadnetwork("4.0"))
    receiver.later(days=60)
    receiver.receive(forged(receiver))
    receiver.settle()
    before = receiver.hours()
    receiver.later(days=29)
    assert all_of(receiver) == 0
    receiver.later(days=2)
    assert all_of(receiver) == 1
    kept = receiver.rows(StoredPostback)
    assert sorted(row.verdict for row in kept) == ["invalid", "valid"]
    assert {row.stored_id for row in receiver.rows(Arrival)} == {row.id for row in kept}
    assert {row.key for row in receiver.rows(Seen)} == {row.identity for row in kept}
    body = next(row.body for row in kept if row.verdict == "invalid")
    assert used(receiver)["invalid"] == (1, len(body))
    assert receiver.hours() == before
    (again,) = receiver.receive(old)
    assert again.outcome == "stored"


def test_the_quarantine_empties_after_30_days(receiver: Receiver) -> None:
    """Whoever has not upgraded by then has no use for it."""
    receiver.receive(b'{"version": "9.0"}')
    receiver.later(days=20)
    receiver.receive(b'{"version": "9.1"}')
    receiver.later(days=11)
    assert all_of(receiver) == 1
    assert [row.body for row in receiver.rows(Quarantined)] == [b'{"version": "9.1"}']
    assert used(receiver)["quarantine"] == (1, len(b'{"version": "9.1"}'))


def test_the_log_of_tries_is_kept_for_30_days(receiver: Receiver) -> None:
    """In pieces: however long it is, nobody waits."""
    old, new = receiver.now - timedelta(days=31), receiver.now - timedelta(days=29)
    rows = [
        {"delivery_id": n, "at": old if n < 1_200 else new, "duration_ms": 1, "error": "",
         "answer": "", "url": ""}
        for n in range(1_500)
    ]  # fmt: skip
    receiver.store.write(lambda connection: connection.execute(insert(table(Attempt)), rows))
    assert retain(receiver.store, receiver.settings, receiver.now) == retention.PIECE
    assert all_of(receiver) == 700
    assert [row.delivery_id for row in receiver.rows(Attempt)] == list(range(1_200, 1_500))


def test_what_replaced_a_withdrawn_key_stays(store: Store) -> None:
    """Were it dropped, the row it replaced would count again."""
    receiver = Receiver(store)
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    receiver.settle()
    reverify(store, Signer(seed=2).keys(production=True))
    receiver.settle()
    assert sorted(row.verdict for row in receiver.rows(StoredPostback)) == ["invalid", "valid"]
    receiver.later(days=400)
    assert all_of(receiver) == 0
    before = receiver.hours()
    recount(store, receiver.settings)
    assert receiver.hours() == before


def test_an_hour_without_anything_past_writes_nothing(store: Store) -> None:
    """It reads, and leaves the writer alone."""
    assert retain(store, Settings(), datetime.now(UTC)) == 0
