"""As many threads as a destination is worth, and nothing in hand is forgotten."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from skan_receiver.delivery import Deliverer, Entry, Transport
from skan_receiver.delivery.lane import IDLE_SECONDS, IN_HAND, UNRECORDED, Claim, InHand, Lane
from skan_receiver.delivery.registry import find
from skan_receiver.storage import Delivery, Store
from skan_receiver.storage.columns import table
from tests import sink as behave
from tests.delivery.owing import Books, relay, sender
from tests.sink import answers, sink

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(concurrency: int = 8, *, paused: bool = False) -> Entry:
    copy = relay("https://copy.example/in", concurrency=concurrency)
    return Entry(copy, 1, NOON, NOON, NOON, paused, "", None, None)


def deliveries(number: int, claim: str = "claim", first: int = 1) -> list[InHand]:
    row: Any = SimpleNamespace
    held = Claim(claim, time.monotonic() + 60)
    return [InHand(row(id=id_), None, held) for id_ in range(first, first + number)]


class Sender:
    """What a lane calls to send: it takes a while, or until `go`, and is written down."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.settles = True
        self.go = threading.Event()
        self.go.set()
        self.sent: list[int] = []
        self.threads: list[int] = []

    def __call__(self, lane: Lane, _entry: Entry, one: InHand) -> None:
        self.sent.append(one.row.id)
        self.threads.append(sending())
        if self.seconds:
            time.sleep(self.seconds)
        self.go.wait(30)
        if self.settles:
            lane.settled(one)


@pytest.fixture
def send() -> Sender:
    return Sender()


@pytest.fixture
def lane(send: Sender) -> Iterator[Lane]:
    """A lane that is open; nothing of it is left afterwards."""
    made = Lane("copy", send, lambda: None)
    made.open(entry())
    yield made
    send.go.set()
    made.stop()
    eventually(lambda: not sending())


def sending() -> int:
    """How many threads of lanes there are."""
    return sum(thread.name == "deliver-copy" for thread in threading.enumerate())


def eventually(over: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def so_many(send: Sender, number: int) -> bool:
    return len(send.sent) >= number


# Threads.


def test_one_thread_is_enough_where_answers_come_at_once(lane: Lane, send: Sender) -> None:
    """More of them would wait for each other; now and again the machine itself is slow."""
    lane.take(deliveries(1_000))
    eventually(lambda: lane.is_empty)
    assert send.sent == sorted(send.sent)
    assert Counter(send.threads)[1] >= 900


def test_slow_answers_are_worth_more_threads(lane: Lane, send: Sender) -> None:
    """As many as the destination takes at once, and no more."""
    send.seconds = 0.02
    lane.take(deliveries(200))
    eventually(lambda: lane.is_empty)
    assert max(send.threads) == 8
    assert sorted(send.sent) == list(range(1, 201))


def test_threads_go_when_answers_are_quick_again(lane: Lane, send: Sender) -> None:
    """Without waiting until there is nothing to do."""
    send.seconds = 0.02
    lane.take(deliveries(100))
    eventually(lambda: lane.is_empty)
    send.seconds = 0.0
    lane.take(deliveries(1_000, first=101))
    eventually(lambda: lane.is_empty)
    assert max(send.threads) == 8
    assert sending() <= 2


@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_hangs_gets_no_more_than_its_threads(
    lane: Lane, send: Sender, concurrency: int
) -> None:
    """One more each time somebody looks and nothing has moved."""
    lane.open(entry(concurrency))
    send.go.clear()
    lane.take(deliveries(50))
    for _ in range(30):
        lane.open(entry(concurrency))
        time.sleep(0.01)
    assert (len(send.sent), sending()) == (concurrency, concurrency)
    send.go.set()
    eventually(lambda: lane.is_empty)
    assert max(send.threads) == concurrency


def test_a_hanging_destination_has_no_more_threads_than_it_may(store: Store) -> None:
    """Of a deliverer too, however often it looks."""
    books, deliverer = Books(store), Deliverer(store, sender(store))
    with sink(behave.hangs) as open_:
        books.owe([relay(open_.url, concurrency=3)], 50)
        for _ in range(40):
            deliverer.step()
            time.sleep(0.02)
            assert sending() <= 3
        assert len(open_.received) == 3
        deliverer.finish()
    eventually(lambda: not sending())


def test_threads_that_have_nothing_to_do_end(lane: Lane, send: Sender) -> None:
    """After five seconds; when there is something again, so is a thread."""
    send.seconds = 0.02
    lane.take(deliveries(50))
    eventually(lambda: lane.is_empty)
    assert sending() > 1
    time.sleep(IDLE_SECONDS + 0.5)
    assert sending() == 0
    lane.take(deliveries(1, first=51))
    eventually(lambda: lane.is_empty)
    assert send.sent[-1] == 51


def test_threads_that_ended_while_nothing_could_be_written_are_missed(
    lane: Lane, send: Sender
) -> None:
    """By who looks, once it can."""
    send.settles = False
    lane.take(deliveries(UNRECORDED + 4))
    eventually(lambda: len(send.sent) == UNRECORDED)
    time.sleep(IDLE_SECONDS + 0.5)
    assert sending() == 0
    for one in lane.held()[:UNRECORDED]:
        lane.settled(one)
    for _ in range(2):
        lane.open(entry())
    eventually(partial(so_many, send, UNRECORDED + 4))


def test_what_breaks_a_thread_does_not_break_the_lane(store: Store) -> None:
    """It is dropped, and due again when its lease has run out."""

    def breaks(lane: Lane, _entry: Entry, one: InHand) -> None:
        if one.row.id % 2:
            raise ZeroDivisionError
        sent.append(one.row.id)
        lane.settled(one)

    sent: list[int] = []
    lane = Lane("copy", breaks, lambda: None)
    lane.open(entry())
    lane.take(deliveries(10))
    eventually(lambda: lane.is_empty)
    lane.stop()
    assert sent == [2, 4, 6, 8, 10]


# What is in hand.


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (2, 16), (8, 16), (40, 40)])
def test_so_much_is_begun_and_not_written_down(
    lane: Lane, send: Sender, concurrency: int, most: int
) -> None:
    """And no more: a kill would repeat it."""
    send.settles = False
    lane.open(entry(concurrency))
    lane.take(deliveries(60))
    for _ in range(50):
        lane.open(entry(concurrency))
        time.sleep(0.002)
    eventually(lambda: len(send.sent) == most)
    time.sleep(0.05)
    assert len(send.sent) == most
    assert len(lane.held()) == 60


def test_one_at_a_time_goes_in_order(lane: Lane, send: Sender) -> None:
    """The next is begun when the one before it is written down."""
    send.settles = False
    lane.open(entry(1))
    lane.take(deliveries(5))
    for number in range(1, 6):
        eventually(partial(so_many, send, number))
        time.sleep(0.01)
        assert len(send.sent) == number
        lane.settled(lane.held()[0])
    assert send.sent == [1, 2, 3, 4, 5]


def test_room_is_for_what_is_worth_a_claim(lane: Lane, send: Sender) -> None:
    """None while half is left, and none for one that is paused; it is told when there is."""
    told: list[int] = []
    other = Lane("copy", send, lambda: told.append(1))
    assert other.room == 0
    other.open(entry())
    assert other.room == IN_HAND
    send.go.clear()
    other.take(deliveries(IN_HAND))
    assert other.room == 0
    send.go.set()
    eventually(lambda: other.is_empty)
    assert told
    other.open(entry(paused=True))
    assert other.room == 0
    other.stop()


def test_what_was_not_begun_can_be_withdrawn(lane: Lane, send: Sender) -> None:
    """What was goes on, and stays in hand until it is settled."""
    send.go.clear()
    lane.take(deliveries(30))
    eventually(lambda: send.sent)
    withdrawn = lane.withdraw()
    begun = [one.row.id for one in lane.held()]
    assert begun == send.sent
    assert sorted([one.row.id for one in withdrawn] + begun) == list(range(1, 31))
    assert lane.withdraw() == []
    send.go.set()
    eventually(lambda: lane.is_empty)
    assert send.sent == begun


def test_a_paused_lane_begins_nothing(lane: Lane, send: Sender) -> None:
    """Until it is opened again."""
    lane.open(entry(paused=True))
    lane.take(deliveries(5))
    time.sleep(0.05)
    assert (send.sent, len(lane.held())) == ([], 5)
    lane.open(entry())
    eventually(lambda: lane.is_empty)
    assert len(send.sent) == 5


def test_a_delivery_may_be_in_hand_by_two_claims(lane: Lane, send: Sender) -> None:
    """Where a lease ran out while it was sent: settling the old one leaves the new one held."""
    send.settles = False
    (old,), (new,) = deliveries(1, "old"), deliveries(1, "new")
    lane.take([old])
    eventually(lambda: len(send.sent) == 1)
    lane.take([new])
    eventually(lambda: len(send.sent) == 2)
    lane.settled(old)
    assert [one.key for one in lane.held()] == [(1, "new")]


def test_stopping_waits_for_what_was_begun(lane: Lane, send: Sender) -> None:
    """As long as it is told to, and begins nothing more."""
    send.go.clear()
    lane.take(deliveries(5))
    eventually(lambda: send.sent)
    lane.stop()
    begun = time.monotonic()
    lane.wait(0.2)
    assert time.monotonic() - begun >= 0.2
    threading.Timer(0.1, send.go.set).start()
    lane.wait(5)
    assert time.monotonic() - begun < 2
    assert len(send.sent) == 1
    assert len(lane.held()) == 4


def test_a_breaker_that_cannot_give_back_does_not_write_twice(postgres_url: str) -> None:
    """Somebody holds a row that it has in hand: what was tried is written once all the same."""
    store = Store(postgres_url)
    books = Books(store)
    transport = Transport(allow_private=True, exchange_seconds=10.0)
    deliverer, delivery = Deliverer(store, sender(store, transport)), table(Delivery)
    with sink(answers(500)) as open_:
        books.owe([relay(open_.url, concurrency=1)], 40)
        with store.engine.begin() as connection:
            deliverer.step()
            last = select(delivery.c.id).order_by(delivery.c.id.desc()).limit(1)
            connection.execute(last.with_for_update())
            eventually(lambda: open_until(store))
            time.sleep(6.5)  # longer than anybody waits for a lock
    deliverer.finish()
    eventually(lambda: not any(thread.name == "record" for thread in threading.enumerate()))
    tries = Counter(row.delivery_id for row in books.attempts())
    store.close()
    assert set(tries.values()) == {1}
    assert 20 <= len(tries) < 40


def open_until(store: Store) -> datetime | None:
    with store.read() as connection:
        return find(connection, "copy").open_until
