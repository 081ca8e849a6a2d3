"""Everything owed arrives, whatever the other side does, and no neighbour pays for it."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from skan_receiver import Verdict, parse, verify
from skan_receiver.delivery import Deliverer, Retry, Transport
from skan_receiver.delivery.registry import find, pause, resume
from skan_receiver.storage import Store
from tests import sink as behave
from tests.delivery.owing import Books, relay, sender
from tests.sink import answers, sink


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


@pytest.fixture
def deliverer(store: Store) -> Iterator[Deliverer]:
    made = Deliverer(store, sender(store))
    yield made
    made.finish()


def until(books: Books, deliverer: Deliverer, over: Callable[[], Any], seconds: float = 20) -> None:
    """Work as a worker does, until that is so."""
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline, books.states()
        if not deliverer.step():
            deliverer.wake.wait(0.05)
            deliverer.wake.clear()


def deliver(books: Books, deliverer: Deliverer) -> None:
    """Until every delivery has been tried once more than before."""
    before = len(books.attempts())
    due = len([row for row in books.deliveries() if row.state == "owed"])
    until(books, deliverer, lambda: len(books.attempts()) >= before + due)


def test_the_bytes_arrive_and_verify(books: Books, deliverer: Deliverer) -> None:
    """Whoever receives a copy can check Apple's signature on it."""
    with sink(answers(202, b"thank you")) as open_:
        copy = relay(open_.url + "?key=secret", headers={"X-Key": "k"})
        (body,) = books.owe([copy])
        deliver(books, deliverer)
    (got,) = open_.received
    assert got.body == body
    assert verify(parse(got.body), books.receiver.keys) is Verdict.VALID
    assert (got.headers["content-type"], got.headers["x-key"]) == ("application/json", "k")
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    (delivery,), (attempt,) = books.deliveries(), books.attempts()
    assert (delivery.state, delivery.attempts) == ("done", 1)
    assert (attempt.status, attempt.answer, attempt.error) == (202, "thank you", "")
    assert attempt.url == open_.url


def test_a_thousand_arrive_once_each(books: Books, deliverer: Deliverer) -> None:
    """The sink's log equals the ledger."""
    with sink() as open_:
        copy = relay(open_.url)
        bodies = books.owe([copy], 1_000)
        until(books, deliverer, lambda: books.states() == {"done": 1_000})
    assert sorted(one.body for one in open_.received) == sorted(bodies)
    assert len(set(open_.ids())) == 1_000


@pytest.mark.parametrize(
    "behaviour",
    [answers(500), answers(503), answers(302, Location="http://127.0.0.1:1/"), answers(429),
     behave.resets, behave.hangs, behave.drips],
)  # fmt: skip
def test_what_fails_is_tried_again_under_the_same_id(
    books: Books, deliverer: Deliverer, behaviour: behave.Behaviour
) -> None:
    """Until it is taken; a receiver that did take it can tell by the id."""
    with sink(behaviour) as open_:
        copy = relay(open_.url)
        books.owe([copy])
        deliver(books, deliverer)
        assert books.states() == {"owed": 1}
        assert 3.5 < books.waits()[0] + 0.5 < 7.5
        open_.behaviour = answers(200)
        books.make_due()
        deliver(books, deliverer)
    assert books.states() == {"done": 1}
    assert len(set(open_.ids())) == 1
    assert [attempt.status == 200 for attempt in books.attempts()] == [False, True]


def test_retry_after_is_honoured(books: Books, deliverer: Deliverer) -> None:
    """Whoever asks for an hour gets it."""
    with sink(answers(429, Retry_After="3600")) as open_:
        copy = relay(open_.url)
        books.owe([copy])
        deliver(books, deliverer)
    assert 3590 < books.waits()[0] <= 3600


def test_refusals_end_as_dead_letters(books: Books, deliverer: Deliverer) -> None:
    """After four; with each answer on record."""
    with sink(answers(403, b"who are you?")) as open_:
        copy = relay(open_.url)
        books.owe([copy])
        for _ in range(4):
            books.make_due()
            deliver(books, deliverer)
        books.make_due()
        deliverer.step()
    assert books.states() == {"dead": 1}
    assert [attempt.answer for attempt in books.attempts()] == ["who are you?"] * 4
    assert len(open_.received) == 4


def test_trouble_ends_as_dead_letters(books: Books, store: Store) -> None:
    """After the last try of the schedule."""
    short = Deliverer(store, sender(store), Retry(usual=(5, 5)))
    with sink(answers(500)) as open_:
        copy = relay(open_.url)
        books.owe([copy])
        for _ in range(3):
            books.make_due()
            deliver(books, short)
    short.finish()
    assert books.states() == {"dead": 1}


def test_a_forbidden_address_is_dead_at_once(books: Books, store: Store) -> None:
    """And nothing is sent there."""
    with sink() as open_:
        guarded = Deliverer(store, sender(store, Transport()))
        copy = relay(open_.url)
        books.owe([copy])
        deliver(books, guarded)
        guarded.finish()
    assert books.states() == {"dead": 1}
    assert open_.received == []
    (attempt,) = books.attempts()
    assert "SKAN_PRIVATE_DESTINATIONS=1 allows it" in attempt.error


def test_410_pauses_the_destination(books: Books, deliverer: Deliverer) -> None:
    """What is owed waits, until its definition is changed."""
    with sink(answers(410)) as open_:
        copy = relay(open_.url)
        books.owe([copy])
        deliver(books, deliverer)
        books.owe([copy], 5)
        books.make_due()
        assert not deliverer.step()
        with books.store.read() as connection:
            entry = find(connection, "copy")
        assert (entry.paused, entry.paused_because) == (True, "it answered 410 Gone")
        open_.behaviour = answers(200)
        books.define(relay(open_.url + "/new"))
        until(books, deliverer, lambda: books.states() == {"done": 6})
    assert len(open_.received) == 7


def test_a_paused_destination_is_owed_and_not_sent(books: Books, deliverer: Deliverer) -> None:
    """When it goes on, it has missed none."""
    with sink() as open_:
        books.define(relay(open_.url))
        pause(books.store, "copy")
        books.owe([], 3)
        assert not deliverer.step()
        assert books.states() == {"owed": 3}
        resume(books.store, "copy")
        until(books, deliverer, lambda: books.states() == {"done": 3})
    assert len(open_.received) == 3


def test_one_that_hangs_keeps_nobody_waiting(books: Books, deliverer: Deliverer) -> None:
    """300 to a neighbour arrive while 300 hang."""
    with sink(behave.hangs) as bad, sink() as good:
        destinations = relay(bad.url, "bad"), relay(good.url, "good")
        books.owe(destinations, 300)
        begun = time.monotonic()
        until(books, deliverer, lambda: len(set(good.ids())) == 300)
        assert time.monotonic() - begun < 10
        assert len(bad.received) <= 8 * (1 + (time.monotonic() - begun) // 2)


def test_stopping_gives_back_what_was_not_sent(books: Books, store: Store) -> None:
    """Within seconds, and due at once; what hung is not counted as tried."""
    with sink(behave.hangs) as open_:
        stopping = Deliverer(store, sender(store, Transport(allow_private=True)))
        copy = relay(open_.url)
        books.owe([copy], 30)
        until(books, stopping, lambda: len(open_.received) == 8)
        assert books.states() == {"leased": 30}
        begun = time.monotonic()
        stopping.finish()
        assert time.monotonic() - begun < 4
    assert books.states() == {"owed": 30}
    assert {row.attempts for row in books.deliveries()} == {0}
    assert max(books.waits()) <= 0


def test_leases_are_renewed_while_something_is_held(books: Books, store: Store) -> None:
    """A slow destination is sent each delivery once, though the lease is shorter than the queue."""

    def slowly(handler: Any) -> None:
        time.sleep(0.4)
        handler.send(200)

    lease = timedelta(seconds=1.5)
    brisk = [Transport(allow_private=True, exchange_seconds=0.9) for _ in range(2)]
    slow, other = (Deliverer(store, sender(store, one), lease=lease) for one in brisk)
    with sink(slowly) as open_:
        copy = relay(open_.url)
        books.owe([copy], 60)
        slow.step()

        def both() -> bool:
            other.step()
            return books.states() == {"done": 60}

        until(books, slow, both)
    slow.finish()
    other.finish()
    assert len(open_.ids()) == len(set(open_.ids())) == 60


def test_the_id_is_of_the_postback_not_of_the_database(books: Books, deliverer: Deliverer) -> None:
    """A new database numbers from 1 again; a receiver that remembers must not be misled."""
    with sink() as open_:
        copy = relay(open_.url)
        books.owe([copy])
        deliver(books, deliverer)
    (row,) = books.deliveries()
    assert open_.ids() == [f"{row.identity.hex()}_copy"]


def test_what_is_no_http_is_written_down(books: Books, deliverer: Deliverer) -> None:
    """In both stores, with the NULs of its status line made visible; its neighbour's copy too."""

    def babbles(handler: behave._Handler) -> None:
        handler.wfile.write(b"\0\0hello\r\n\r\n")
        handler.close_connection = True

    with sink(babbles) as bad, sink(answers(200, b"a\0b", Content_Encoding="identity")) as good:
        both = relay(bad.url, "bad"), relay(good.url, "good")
        books.owe(both)
        deliver(books, deliverer)
    assert (len(bad.received), len(good.received)) == (1, 1)
    assert books.states() == {"owed": 1, "done": 1}
    (error,) = [row.error for row in books.attempts() if row.error]
    assert "\ufffd\ufffdhello" in error
