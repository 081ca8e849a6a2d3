"""What is owed is never lost, and never held by two."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skan_receiver.delivery import ledger
from skan_receiver.delivery.ledger import Tried
from skan_receiver.settle import settle
from skan_receiver.storage import Store
from tests.delivery.owing import Books, relay

LEASE = timedelta(seconds=60)
COPY = relay("https://copy.example/in")
OTHER = relay("https://other.example/in", "other", windows=(2,))


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


def tried(row: Any, state: str = "done", again: float = 0) -> Tried:
    attempt = {
        "delivery_id": row.delivery_id, "at": datetime.now(UTC), "status": 200, "duration_ms": 1,
        "error": "", "answer": "", "url": "https://copy.example/in",
    }  # fmt: skip
    return Tried(row.delivery_id, row.claim_id, state, timedelta(seconds=again), attempt)


def test_what_counts_is_owed_once(books: Books) -> None:
    """To each destination that wants it, however often it arrives or is settled."""
    books.owe([COPY, OTHER], 3)
    assert [row.destination for row in books.deliveries()] == ["copy"] * 3
    settle(books.store, books.receiver.settings, [COPY], datetime.now(UTC))
    body = books.receiver.signer.skadnetwork("4.0", conversion_value=1)
    books.receiver.receive(body, endpoint="forwarded:branch")
    settle(books.store, books.receiver.settings, [COPY], datetime.now(UTC))
    books.receiver.receive({**body, "conversion-value": 2})  # closer to Apple: counted anew
    settle(books.store, books.receiver.settings, [COPY], datetime.now(UTC))
    assert books.states() == {"owed": 4}


@pytest.mark.parametrize("wrong", [timedelta(days=-9_000), timedelta(days=9_000)])
def test_a_workers_clock_does_not_say_when_it_is_due(books: Books, wrong: timedelta) -> None:
    """A worker that believes it is another century owes as of now, by the database's clock."""
    books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
    settle(books.store, books.receiver.settings, [COPY], datetime.now(UTC) + wrong)
    (row,) = books.deliveries()
    assert abs(row.next_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert ledger.due(books.store, ["copy"]) == ["copy"]


def test_what_does_not_count_is_not_owed(books: Books) -> None:
    """A forgery is stored, and told to nobody."""
    books.receiver.receive({**books.receiver.signer.skadnetwork("4.0"), "app-id": 1})
    settle(books.store, books.receiver.settings, [COPY], datetime.now(UTC))
    assert books.deliveries() == []


def test_a_claim_holds(books: Books) -> None:
    """Nobody else gets what is leased; and it comes with its postback."""
    bodies = books.owe([COPY], 3)
    first = ledger.claim(books.store, {"copy": 2}, LEASE)
    second = ledger.claim(books.store, {"copy": 2}, LEASE)
    assert sorted(row.body for row in (*first, *second)) == sorted(bodies)
    assert ledger.due(books.store, ["copy"]) == []


def test_a_lease_that_runs_out_makes_due_again(books: Books) -> None:
    """So a worker that was killed loses nothing; if it was only slow, it changes nothing more."""
    books.owe([COPY])
    (slow,) = ledger.claim(books.store, {"copy": 1}, timedelta(0))
    (quick,) = ledger.claim(books.store, {"copy": 1}, LEASE)
    ledger.complete(books.store, [tried(slow, "dead")])
    assert books.states() == {"leased": 1}
    ledger.release(books.store, [(slow.delivery_id, slow.claim_id)])
    assert books.states() == {"leased": 1}
    ledger.complete(books.store, [tried(quick)])
    ledger.complete(books.store, [tried(slow, "owed")])
    (row,) = books.deliveries()
    assert (row.state, row.attempts, row.claim_id) == ("done", 1, None)
    assert row.settled_at is not None
    assert len(books.attempts()) == 3  # each try was made, and is told


def test_a_lease_can_be_renewed(books: Books) -> None:
    """By who holds it, and no other."""
    books.owe([COPY], 2)
    rows = ledger.claim(books.store, {"copy": 2}, timedelta(0))
    ledger.renew(books.store, [(row.delivery_id, "not mine") for row in rows], LEASE)
    assert ledger.due(books.store, ["copy"]) == ["copy"]
    ledger.renew(books.store, [(row.delivery_id, row.claim_id) for row in rows], LEASE)
    assert ledger.due(books.store, ["copy"]) == []


def test_what_was_not_tried_is_given_back(books: Books) -> None:
    """At once, and without having counted as a try."""
    books.owe([COPY])
    (row,) = ledger.claim(books.store, {"copy": 1}, LEASE)
    ledger.release(books.store, [(row.delivery_id, row.claim_id)])
    (again,) = ledger.claim(books.store, {"copy": 1}, LEASE)
    assert again.attempts == 0


def test_what_failed_waits(books: Books) -> None:
    """And is due when it has."""
    books.owe([COPY])
    (row,) = ledger.claim(books.store, {"copy": 1}, LEASE)
    ledger.complete(books.store, [tried(row, "owed", again=30)])
    assert ledger.due(books.store, ["copy"]) == []
    assert 25 < books.waits()[0] <= 30
    books.make_due()
    assert ledger.due(books.store, ["copy"]) == ["copy"]


def test_the_oldest_go_first_and_each_destination_has_its_turn(books: Books) -> None:
    """A backlog to one is no backlog to another."""
    second = relay("https://second.example/", "second")
    books.owe([COPY], 20)
    books.owe([second], 1)
    rows = ledger.claim(books.store, {"copy": 5, "second": 5}, LEASE)
    assert [row.destination for row in rows] == ["copy"] * 5 + ["second"]
    assert [row.delivery_id for row in rows[:5]] == sorted(row.delivery_id for row in rows[:5])


def test_dead_and_done_stay_so(books: Books) -> None:
    """Neither is ever claimed again."""
    books.owe([COPY], 2)
    one, two = ledger.claim(books.store, {"copy": 2}, LEASE)
    ledger.complete(books.store, [tried(one), tried(two, "dead")])
    books.make_due()
    assert ledger.claim(books.store, {"copy": 9}, LEASE) == []
    assert books.states() == {"done": 1, "dead": 1}


def test_refusals_are_told_from_trouble(books: Books) -> None:
    """A 404 is a refusal; a 429, a 500 and no answer are not."""
    books.owe([COPY])
    for status in (404, 429, 500, None, 401):
        (row,) = ledger.claim(books.store, {"copy": 1}, LEASE)
        one = tried(row, "owed")
        ledger.complete(
            books.store,
            [Tried(*(row.delivery_id, row.claim_id), "owed", one.again,
                   {**one.attempt, "status": status})],
        )  # fmt: skip
    assert ledger.refusals(books.store, row.delivery_id) == 2


def test_workers_at_once_never_hold_the_same(books: Books) -> None:
    """Four claim and complete as fast as they can: 400 deliveries, 400 tries."""
    books.owe([COPY], 400)
    held: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while rows := ledger.claim(books.store, {"copy": 7}, LEASE):
            with lock:
                held.extend(row.delivery_id for row in rows)
            ledger.complete(books.store, [tried(row) for row in rows])

    with ThreadPoolExecutor(4) as pool:
        for worker in [pool.submit(work) for _ in range(4)]:
            worker.result()
    while rows := ledger.claim(books.store, {"copy": 7}, LEASE):  # what others had locked
        held.extend(row.delivery_id for row in rows)
        ledger.complete(books.store, [tried(row) for row in rows])
    assert sorted(held) == sorted({row.id for row in books.deliveries()})
    assert books.states() == {"done": 400}
