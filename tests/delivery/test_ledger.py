"""What is owed is never lost, and never held by two."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skan_receiver.delivery import ledger
from skan_receiver.delivery.gate import Ask
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


def claim(books: Books, wanted: dict[str, int], lease: timedelta) -> list[Any]:
    return ledger.claim(books.store, [Ask(name, limit) for name, limit in wanted.items()], lease)


def tried(row: Any, state: str = "done", again: float = 0) -> Tried:
    attempt = {
        "delivery_id": row.id, "at": datetime.now(UTC), "status": 200, "duration_ms": 1,
        "error_class": "", "error": "", "answer": "", "url": "https://copy.example/in",
    }  # fmt: skip
    return Tried(row.id, row.claim_id, state, timedelta(seconds=again), attempt)


def test_what_counts_is_owed_once(books: Books) -> None:
    """To each destination that wants it, however often it arrives or is settled."""
    books.owe([COPY, OTHER], 3)
    assert [row.destination for row in books.deliveries()] == ["copy"] * 3
    books.settle()
    body = books.receiver.signer.skadnetwork("4.0", conversion_value=1)
    books.receiver.receive(body, endpoint="forwarded:branch")
    books.settle()
    books.receiver.receive({**body, "conversion-value": 2})  # closer to Apple: counted anew
    books.settle()
    assert books.states() == {"owed": 4}


@pytest.mark.parametrize("wrong", [timedelta(days=-9_000), timedelta(days=9_000)])
def test_a_workers_clock_does_not_say_when_it_is_due(books: Books, wrong: timedelta) -> None:
    """A worker that believes it is another century owes as of now, by the database's clock."""
    books.define(COPY)
    books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
    settle(books.store, books.receiver.settings, datetime.now(UTC) + wrong)
    (row,) = books.deliveries()
    assert abs(row.next_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert ledger.due(books.store, ["copy"]) == ["copy"]


def test_what_does_not_count_is_not_owed(books: Books) -> None:
    """A forgery is stored, and told to nobody."""
    books.receiver.receive({**books.receiver.signer.skadnetwork("4.0"), "app-id": 1})
    books.settle()
    assert books.deliveries() == []


def test_a_claim_holds(books: Books) -> None:
    """Nobody else gets what is leased; and it comes with its postback."""
    bodies = books.owe([COPY], 3)
    first = claim(books, {"copy": 2}, LEASE)
    second = claim(books, {"copy": 2}, LEASE)
    held = [row.stored_id for row in (*first, *second)]
    assert len(bodies) == len(held) == len(set(held)) == 3
    assert ledger.due(books.store, ["copy"]) == []


def test_a_lease_that_runs_out_makes_due_again(books: Books) -> None:
    """So a worker that was killed loses nothing; if it was only slow, it changes nothing more."""
    books.owe([COPY])
    (slow,) = claim(books, {"copy": 1}, timedelta(0))
    (quick,) = claim(books, {"copy": 1}, LEASE)
    ledger.complete(books.store, [tried(slow, "dead")])
    assert books.states() == {"leased": 1}
    ledger.release(books.store, [(slow.id, slow.claim_id)])
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
    rows = claim(books, {"copy": 2}, timedelta(0))
    ledger.renew(books.store, [(row.id, "not mine") for row in rows], LEASE)
    assert ledger.due(books.store, ["copy"]) == ["copy"]
    ledger.renew(books.store, [(row.id, row.claim_id) for row in rows], LEASE)
    assert ledger.due(books.store, ["copy"]) == []


def test_what_was_not_tried_is_given_back(books: Books) -> None:
    """At once, and without having counted as a try."""
    books.owe([COPY])
    (row,) = claim(books, {"copy": 1}, LEASE)
    ledger.release(books.store, [(row.id, row.claim_id)])
    (again,) = claim(books, {"copy": 1}, LEASE)
    assert again.attempts == 0


def test_what_failed_waits(books: Books) -> None:
    """And is due when it has."""
    books.owe([COPY])
    (row,) = claim(books, {"copy": 1}, LEASE)
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
    rows = claim(books, {"copy": 5, "second": 5}, LEASE)
    assert [row.destination for row in rows] == ["copy"] * 5 + ["second"]
    assert [row.id for row in rows[:5]] == sorted(row.id for row in rows[:5])


def test_dead_and_done_stay_so(books: Books) -> None:
    """Neither is ever claimed again."""
    books.owe([COPY], 2)
    one, two = claim(books, {"copy": 2}, LEASE)
    ledger.complete(books.store, [tried(one), tried(two, "dead")])
    books.make_due()
    assert claim(books, {"copy": 9}, LEASE) == []
    assert books.states() == {"done": 1, "dead": 1}


def test_refusals_are_counted_apart_from_trouble(books: Books) -> None:
    """Whose own fault the request was, the ledger remembers."""
    books.owe([COPY])
    for refused in (True, False, False, True):
        (row,) = claim(books, {"copy": 1}, LEASE)
        ledger.complete(books.store, [replace(tried(row, "owed"), refused=refused)])
    (row,) = claim(books, {"copy": 1}, LEASE)
    assert (row.attempts, row.refusals) == (4, 2)


def test_workers_at_once_never_hold_the_same(books: Books) -> None:
    """Four claim and complete as fast as they can: 400 deliveries, 400 tries."""
    books.owe([COPY], 400)
    held: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while rows := claim(books, {"copy": 7}, LEASE):
            with lock:
                held.extend(row.id for row in rows)
            ledger.complete(books.store, [tried(row) for row in rows])

    with ThreadPoolExecutor(4) as pool:
        for worker in [pool.submit(work) for _ in range(4)]:
            worker.result()
    while rows := claim(books, {"copy": 7}, LEASE):  # what others had locked
        held.extend(row.id for row in rows)
        ledger.complete(books.store, [tried(row) for row in rows])
    assert sorted(held) == sorted({row.id for row in books.deliveries()})
    assert books.states() == {"done": 400}
