"""A destination in trouble is spared, whoever sends; one that is slow gets what it can take."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, select, text, update

from skan_receiver.delivery import Deliverer, Entry, Retry, Transport, gate, ledger
from skan_receiver.delivery.gate import Ask, Recent, Told, probe_after
from skan_receiver.delivery.registry import add, change, find, pause, remove, resume
from skan_receiver.storage import Delivery, Store, StoredDestination
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from skan_receiver.worker import TICK_SECONDS, Job
from tests.delivery.owing import Books, relay, sender
from tests.sink import TAKES, Behaviour, answers, sink

DESTINATION, DELIVERY = table(StoredDestination), table(Delivery)

HOUR = 3600.0
DAY = timedelta(days=1)
# What failed is tried again when the test says that time has passed, and not by itself.
SELDOM = Retry(usual=(600.0,) * 11)
LOOK_SECONDS = 0.6  # longer than what a deliverer knows of destinations is old

ByHand = Callable[[], Deliverer]


@pytest.fixture
def books(store: Store) -> Books:
    made = Books(store)
    made.define()  # so that the store is in use before there are threads
    return made


@pytest.fixture
def by_hand(store: Store) -> Iterator[ByHand]:
    """Makes deliverers that claim when the test says so."""
    with ExitStack() as made:
        made.callback(all_over)

        def make() -> Deliverer:
            transport = Transport(allow_private=True, exchange_seconds=10.0)
            deliverer = Deliverer(store, sender(store, transport), SELDOM)
            made.callback(deliverer.finish)
            return deliverer

        yield make


@contextmanager
def working(store: Store, workers: int = 1) -> Iterator[list[Deliverer]]:
    """So many deliverers, each in a thread that goes about it as a worker's does."""
    stop = threading.Event()
    deliverers = [Deliverer(store, sender(store), SELDOM) for _ in range(workers)]
    jobs = [Job("deliver", one.step, TICK_SECONDS, one.wake) for one in deliverers]
    threads = [threading.Thread(target=job.keep_at_it, args=(stop,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield deliverers
    finally:
        stop.set()
        for job, thread, deliverer in zip(jobs, threads, deliverers, strict=True):
            job.wake.set()
            thread.join()
            deliverer.finish()
        all_over()


def all_over() -> None:
    """Wait for threads that are slow to end: they would still use the store."""
    names = ("record", "deliver-copy")
    eventually(lambda: not any(thread.name in names for thread in threading.enumerate()))


def eventually(over: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def tried(books: Books, number: int) -> None:
    """Wait until there were so many tries, and see that no more follow at once."""
    eventually(lambda: len(books.attempts()) >= number)
    time.sleep(0.2)
    assert len(books.attempts()) == number


def done(books: Books, number: int) -> None:
    """Wait until so many were taken."""
    eventually(lambda: books.states().get("done") == number)


def look(*deliverers: Deliverer) -> None:
    """Let them see what has become of the destinations."""
    time.sleep(LOOK_SECONDS)
    for deliverer in deliverers:
        deliverer.step()


def entry_of(books: Books, name: str = "copy") -> Entry:
    with books.store.read() as connection:
        return find(connection, name)


def shut_for(books: Books) -> float | None:
    """Seconds until the next probe; None where the breaker is closed."""
    with books.store.read() as connection:
        until = find(connection, "copy").open_until
        return None if until is None else (until - clock(connection)).total_seconds()


def trip(books: Books) -> None:
    """Open the breaker, as a worker would that sees failures only."""

    def work(connection: Connection) -> None:
        told = Told(taken=False, failed=True, bad=True)
        gate.follow(connection, find(connection, "copy"), told)

    books.store.write(work)


def time_passes(books: Books, seconds: float) -> None:
    """What is written with destinations, and when deliveries are due, was so much earlier."""
    passed = timedelta(seconds=seconds)
    earlier(books, passed, DESTINATION, "name", "failing_since", "open_until", "tokens_at")
    earlier(books, passed, DELIVERY, "id", "next_at")


def earlier(books: Books, passed: timedelta, target: Table, key: str, *names: str) -> None:
    def work(connection: Connection) -> None:
        for row in connection.execute(select(target)).all():
            moments = {name: at - passed for name in names if (at := getattr(row, name))}
            if moments:
                mine = target.c[key] == getattr(row, key)
                connection.execute(update(target).where(mine).values(**moments))

    books.store.write(work)


def is_busy(books: Books) -> bool:
    """Whether anything is due, or being sent."""
    states = books.states()
    return bool(ledger.due(books.store, ["copy"])) or "leased" in states


def slowly(status: int, seconds: float = 0.02) -> Behaviour:
    """Answer after a moment: so that it is worth several threads."""

    def behaviour(handler: Any) -> None:
        time.sleep(seconds)
        handler.send(status)

    return behaviour


def once(come: threading.Event, status: int) -> Behaviour:
    """Answer once something has come."""

    def behaviour(handler: Any) -> None:
        come.wait(5)
        handler.send(status)

    return behaviour


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first request is answered by the first of them, …; all others by the last."""
    numbers = count()
    return lambda handler: behaviours[min(next(numbers), len(behaviours) - 1)](handler)


@contextmanager
def unrecorded(store: Store) -> Iterator[None]:
    """While it lasts nobody can write down a try."""
    held, over = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        if not store.is_sqlite:
            connection.execute(text("LOCK TABLE attempt IN EXCLUSIVE MODE"))
        held.set()
        over.wait(4)

    thread = threading.Thread(target=store.write, args=(hold,))
    thread.start()
    held.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


# The breaker.


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=80))
def test_bad_is_half_of_twenty_within_a_minute(tries: list[tuple[float, bool]]) -> None:
    """However they are spread: the tries of the last minute count, and no others."""
    recent, now = Recent(), 0.0
    past: list[tuple[float, bool]] = []
    for wait, taken in tries:
        now += wait
        recent.note(now, taken=taken)
        past.append((now, taken))
        lately = [taken for at, taken in past if at >= now - 60]
        assert recent.bad == (len(lately) >= 20 and lately.count(False) * 2 >= len(lately))


def test_nineteen_failures_are_no_reason_yet(books: Books, store: Store) -> None:
    """The twentieth is; and then nothing more is sent, and nothing is lost."""
    with sink(answers(500)) as open_, working(store):
        books.owe([relay(open_.url)], 19)
        tried(books, 19)
        assert shut_for(books) is None
        books.owe([], 1)
        tried(books, 20)
        left = shut_for(books)
        books.owe([], 50)
        time.sleep(1.2)
        assert len(open_.received) == 20
    assert left is not None
    assert 25 < left <= 30
    assert books.states() == {"owed": 70}


@pytest.mark.parametrize(("failing", "opens"), [(9, False), (10, True)])
def test_half_is_too_many(books: Books, store: Store, failing: int, opens: bool) -> None:
    """Nine of twenty are bad luck."""
    with sink() as open_, working(store):
        books.owe([relay(open_.url)], 20 - failing)
        tried(books, 20 - failing)
        open_.behaviour = answers(500)
        books.owe([], failing)
        tried(books, 20)
    assert (shut_for(books) is not None) == opens


def test_probes_come_ever_more_rarely(books: Books, store: Store) -> None:
    """One after 30 s, then after 1, 2, 4, 8, 10 and 10 minutes; the others use up no tries."""
    with sink(answers(500)) as open_, working(store) as (deliverer,):
        books.owe([relay(open_.url, concurrency=1)], 60)
        eventually(lambda: shut_for(books))
        for number, minutes in enumerate((0.5, 1, 2, 4, 8, 10, 10, 10)):
            left = shut_for(books)
            assert left is not None
            assert minutes * 60 - 10 < left <= minutes * 60
            time_passes(books, left - 2)
            deliverer.wake.set()
            time.sleep(0.1)
            assert len(books.attempts()) == 20 + number  # not before its time
            time_passes(books, 2)
            deliverer.wake.set()
            tried(books, 20 + number + 1)
    assert books.states() == {"owed": 60}
    assert [probe_after(n).total_seconds() for n in (0, 1, 9_999)] == [30, 60, 600]


def test_of_two_workers_one_makes_the_probe(books: Books, store: Store) -> None:
    """Ten times over, both looking at once."""
    with sink(answers(500)) as open_, working(store, 2) as deliverers:
        books.owe([relay(open_.url, concurrency=1)], 60)
        eventually(lambda: shut_for(books))
        time.sleep(1.2)  # what the other had in hand is given back
        before = len(open_.received)
        for number in range(10):
            time_passes(books, 600)
            for deliverer in deliverers:
                deliverer.wake.set()
            tried(books, before + number + 1)


def test_a_probe_that_is_taken_closes_the_breaker(books: Books, store: Store) -> None:
    """What waited is sent at once."""
    with sink(answers(500)) as open_, working(store) as (deliverer,):
        books.owe([relay(open_.url)], 60)
        eventually(lambda: shut_for(books))
        time.sleep(LOOK_SECONDS)
        open_.behaviour = answers(200)
        time_passes(books, 900)
        deliverer.wake.set()
        eventually(lambda: books.states() == {"done": 60})
    assert (shut_for(books), entry_of(books).failing_since) == (None, None)


@pytest.mark.parametrize("probing", [0, 1])
def test_any_worker_may_make_the_probe(books: Books, by_hand: ByHand, probing: int) -> None:
    """Also one that has just seen nothing but failures, and that did not open the breaker."""
    both = by_hand(), by_hand()
    with sink(slowly(500)) as open_:
        for deliverer in both:
            books.owe([relay(open_.url)], 60)
            deliverer.step()
        eventually(lambda: shut_for(books))
        look(*both)
        open_.behaviour = slowly(200)
        time_passes(books, 30)
        assert both[probing].step()
        eventually(lambda: "done" in books.states())
        assert shut_for(books) is None
        both[probing].step()
        eventually(lambda: books.states().get("done", 0) > 20)
        assert shut_for(books) is None  # nor does what was seen before open it again


def test_what_was_under_way_does_not_close_the_breaker(books: Books, by_hand: ByHand) -> None:
    """A 200 that comes after it opened was asked for before."""
    deliverer, come = by_hand(), threading.Event()
    with sink(in_turn(*[slowly(500)] * 21, once(come, 200))) as open_:
        books.owe([relay(open_.url)])
        deliverer.step()
        eventually(books.attempts)
        look(deliverer)  # that it is failing is known
        books.owe([], 60)
        deliverer.step()
        eventually(lambda: shut_for(books))
        time.sleep(0.2)
        under_way = len(open_.received) - 21
        assert under_way > 0
        come.set()
        eventually(lambda: books.states().get("done") == under_way)
    assert shut_for(books) is not None


def test_a_breaker_stops_what_another_worker_has_in_hand(books: Books, by_hand: ByHand) -> None:
    """As soon as that one looks at the destinations again."""
    other = by_hand()
    with sink(slowly(500)) as open_:
        books.owe([relay(open_.url, concurrency=1)], 100)
        other.step()
        trip(books)
        look(other)
        time.sleep(0.1)
        sent = len(open_.received)
        time.sleep(0.3)
        assert 0 < len(open_.received) == sent < 60
    assert books.states() == {"owed": 100}


# The pause.


def test_three_days_of_nothing_but_failures_pause_it(books: Books, store: Store) -> None:
    """Nothing is given up, and all of it is sent when somebody says so."""
    with sink(answers(500)) as open_, working(store) as (deliverer,):
        books.owe([relay(open_.url)], 6)
        tried(books, 6)
        time_passes(books, 71.9 * HOUR)
        deliverer.wake.set()
        tried(books, 12)
        assert not entry_of(books).paused
        time_passes(books, 0.2 * HOUR)
        deliverer.wake.set()
        eventually(lambda: entry_of(books).paused)
        assert entry_of(books).paused_because.startswith("nothing but failures since 20")
        books.owe([], 3)
        time_passes(books, HOUR)
        time.sleep(1.2)
        assert books.states() == {"owed": 9}
        open_.behaviour = answers(200)
        resume(store, "copy")
        eventually(lambda: books.states() == {"done": 9})


def test_one_that_flaps_is_never_paused(books: Books, store: Store) -> None:
    """Failures for two days, a success, failures for two days."""
    with sink(answers(500)) as open_, working(store) as (deliverer,):
        books.define(relay(open_.url))
        for successes in (1, 2):
            books.owe([], 1)
            for _ in range(3):
                deliverer.wake.set()
                eventually(lambda: not is_busy(books))
                time_passes(books, 16 * HOUR)
            assert entry_of(books).failing_since is not None
            open_.behaviour = in_turn(answers(200), answers(500))
            books.owe([], 1)
            deliverer.wake.set()
            done(books, successes)
        assert not entry_of(books).paused


def test_a_success_right_after_a_failure_is_noticed(books: Books, by_hand: ByHand) -> None:
    """Though who sent it had not heard of the failure: it would be the first of three days."""
    deliverer, come = by_hand(), threading.Event()
    with sink(in_turn(slowly(500), once(come, 200))) as open_:
        books.owe([relay(open_.url)], 2)
        deliverer.step()
        eventually(lambda: entry_of(books).failing_since)
        come.set()
        eventually(lambda: books.states() == {"owed": 1, "done": 1})
    assert entry_of(books).failing_since is None


def test_410_pauses_it_for_every_worker(books: Books, store: Store) -> None:
    """Nobody will ever listen there again; what is owed waits for another address."""
    with sink(answers(410)) as open_, working(store, 2), sink() as new:
        books.owe([relay(open_.url, concurrency=1)], 40)
        eventually(lambda: entry_of(books).paused)
        time.sleep(1.2)
        assert len(open_.received) <= 1 + 1  # each worker's first
        assert books.states() == {"owed": 40}
        change(store, relay(new.url))
        books.make_due()
        eventually(lambda: books.states() == {"done": 40})


def test_a_persons_pause_is_a_persons_to_end(books: Books, by_hand: ByHand) -> None:
    """A 410 that comes after it does not make it ours."""
    deliverer, come = by_hand(), threading.Event()
    with sink(once(come, 410)) as open_:
        books.owe([relay(open_.url)])
        deliverer.step()
        eventually(lambda: open_.received)
        pause(books.store, "copy")
        come.set()
        eventually(books.attempts)
        change(books.store, relay(open_.url + "/new"))
    assert (entry_of(books).paused, entry_of(books).paused_because) == (True, "")


# Other definitions.


def test_news_of_the_old_definition_is_not_about_the_new(books: Books, by_hand: ByHand) -> None:
    """A 410 that was under way when the address was put right."""
    deliverer, come = by_hand(), threading.Event()
    with sink(once(come, 410)) as old, sink() as new:
        books.owe([relay(old.url)])
        deliverer.step()
        eventually(lambda: old.received)
        change(books.store, relay(new.url))
        come.set()
        eventually(lambda: books.states() == {"owed": 1})
        assert not entry_of(books).paused
        books.make_due()
        look(deliverer)
        eventually(lambda: books.states() == {"done": 1})


def test_news_of_both_definitions_may_be_written_at_once(books: Books, by_hand: ByHand) -> None:
    """Each is still about its own only."""
    deliverer, come, first = by_hand(), threading.Event(), threading.Event()
    last = threading.Event()
    with sink(once(come, 410)) as old, sink(in_turn(once(first, 200), once(last, 200))) as new:
        books.owe([relay(old.url)])
        deliverer.step()
        eventually(lambda: old.received)
        books.owe([relay(new.url)], 2)
        time.sleep(LOOK_SECONDS)
        eventually(lambda: deliverer.step() or len(new.received) == 2)
        with unrecorded(books.store):
            for event in (first, come, last):  # those of both end while the first is written
                event.set()
                time.sleep(0.1)
        eventually(lambda: books.states() == {"owed": 1, "done": 2})
    assert not entry_of(books).paused


def test_news_of_one_that_was_removed_is_not_about_its_namesake(
    books: Books, by_hand: ByHand
) -> None:
    """Made again, under the same name, while an answer was under way."""
    deliverer, come = by_hand(), threading.Event()
    with sink(once(come, 410)) as open_:
        books.owe([relay(open_.url)])
        deliverer.step()
        eventually(lambda: open_.received)
        remove(books.store, "copy")
        add(books.store, relay(open_.url + "/new"))
        come.set()
        eventually(books.attempts)
    assert books.states() == {"dead": 1}
    assert not entry_of(books).paused


def test_a_new_definition_is_judged_anew(books: Books, store: Store) -> None:
    """The failures of the last minute were the old one's."""
    with (
        sink(answers(500)) as old,
        sink(in_turn(TAKES, answers(500), TAKES)) as new,
        working(store),
    ):
        books.owe([relay(old.url)], 15)
        tried(books, 15)
        books.owe([relay(new.url)], 6)
        eventually(lambda: books.states() == {"owed": 16, "done": 5})
        assert shut_for(books) is None


# Rates, and how many at once.


def test_a_rate_is_kept_by_all_workers_together(books: Books, store: Store) -> None:
    """A hundred a second, of two workers: never more, and within a tenth as many.

    Where the machine has much else to do, it may take a second or third look to see so many.
    """
    rates: list[float] = []
    while len(rates) < 3 and max(rates, default=0) < 90:
        came = come_at_a_hundred_a_second(books, store)
        assert all(number <= 100 * at + 2 for number, at in enumerate(came, start=1))
        rates.append(len(came) / came[-1])
    assert 90 <= max(rates) <= 110


def come_at_a_hundred_a_second(books: Books, store: Store) -> list[float]:
    """When they came, in seconds since the bucket was empty."""
    with sink() as open_:
        books.owe([relay(open_.url, rate=100)], 500)
        begun = time.monotonic()
        empty = {"tokens": 0.0, "tokens_at": clock_of(store)}
        store.write(lambda connection: connection.execute(update(DESTINATION).values(**empty)))
        with working(store, 2):
            time.sleep(3.5)
            return [one.at - begun for one in open_.received]


def clock_of(store: Store) -> Any:
    with store.read() as connection:
        return clock(connection)


@pytest.mark.parametrize("rate", [0.4, 0.9, 1.5, 2.5, 20.0])
def test_a_rate_is_reached_by_who_looks_once_a_second(books: Books, rate: float) -> None:
    """Also where it is no whole number; and what nobody used is not saved up."""
    books.owe([relay("https://copy.example/in")], round(25 * rate + 5))
    begun, passed, claimed = time.monotonic(), 0.0, []
    for second in (*range(21), HOUR):
        more = second - (time.monotonic() - begun) - passed
        earlier(books, timedelta(seconds=more), DESTINATION, "name", "tokens_at")
        passed += more
        claimed.append(len(ledger.claim(books.store, [Ask("copy", 128, rate)], 2 * DAY)))
    assert max(claimed) <= rate + 1
    assert 19 * rate - 1 <= sum(claimed[1:-1]) <= 20 * rate + 1


class Crowd:
    """A sink's behaviour that counts how many are there at once."""

    def __init__(self, seconds: float = 0.03) -> None:
        self.most = 0
        self._now, self._lock, self._seconds = 0, threading.Lock(), seconds

    def __call__(self, handler: Any) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        handler.send(200)


@pytest.mark.parametrize("concurrency", [1, 5])
def test_no_more_at_once_than_it_can_take(books: Books, store: Store, concurrency: int) -> None:
    """And as many, where it takes its time."""
    crowd = Crowd()
    with sink(crowd) as open_, working(store):
        books.owe([relay(open_.url, concurrency=concurrency)], 80)
        eventually(lambda: books.states() == {"done": 80})
    assert crowd.most == concurrency


def test_fewer_at_once_from_the_moment_somebody_says_so(books: Books, store: Store) -> None:
    """Also where more are being sent already, and a backlog waits."""
    crowd = Crowd()
    with sink(crowd) as open_, working(store) as (deliverer,):
        books.owe([relay(open_.url, concurrency=8)], 400)
        eventually(lambda: crowd.most == 8)
        change(store, relay(open_.url, concurrency=2))
        time.sleep(LOOK_SECONDS)
        deliverer.wake.set()
        time.sleep(0.1)
        crowd.most = 0
        eventually(lambda: books.states() == {"done": 400})
    assert crowd.most == 2
