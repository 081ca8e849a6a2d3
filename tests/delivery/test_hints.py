"""An engine is told what is due, no more than it can do, and again where nothing came of it."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from skan_receiver.delivery import gate, ledger, marks
from skan_receiver.delivery.chunk import Chunks
from skan_receiver.delivery.gate import Ask, Told
from skan_receiver.delivery.hints import (
    CHUNK,
    HINT_SECONDS,
    OUTSTANDING,
    EngineUnavailable,
    Hinter,
    hint,
)
from skan_receiver.delivery.registry import Entry, find, pause
from skan_receiver.storage import Delivery, Store, StoredDestination
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from tests import sink as behave
from tests.delivery.conftest import Make
from tests.delivery.owing import Books, relay, sender
from tests.sink import TAKES, answers, sink

DESTINATION, DELIVERY = table(StoredDestination), table(Delivery)

LEASE = timedelta(seconds=60)
COPY = relay("https://copy.example/in")


class Belt:
    """An engine that carries messages to the test, which delivers them when it likes."""

    def __init__(self) -> None:
        self.messages: deque[tuple[str, list[int]]] = deque()
        self.told: list[int] = []
        self.broken = False

    def tell(self, destination: str, ids: Sequence[int]) -> None:
        if self.broken:
            raise EngineUnavailable("away")
        self.messages.append((destination, list(ids)))
        self.told.extend(ids)

    def waiting(self) -> int:
        return len(self.messages)

    def run(self, chunks: Chunks) -> int:
        """Deliver until no message is left; how many there were."""
        count = 0
        while self.messages:
            chunks.deliver(*self.messages.popleft())
            count += 1
        return count


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


@pytest.fixture
def belt() -> Belt:
    return Belt()


@pytest.fixture
def chunks(store: Store, belt: Belt, brisk: Make) -> Chunks:
    return Chunks(store, sender(store, brisk()), belt.tell)


def known(store: Store) -> Entry:
    with store.read() as connection:
        return find(connection, "copy")


def look(store: Store, belt: Belt, patience: float = HINT_SECONDS) -> int:
    return hint(store, known(store), belt.tell, patience=patience)


def told_of(books: Books) -> int:
    """How many deliveries the ledger believes the engine to know of."""
    return sum(row.hinted_at is not None for row in books.deliveries())


def trip(books: Books) -> None:
    """Open the breaker, as a worker would that sees failures only."""

    def work(connection: Connection) -> None:
        told = Told(taken=False, failed=True, bad=True)
        gate.follow(connection, find(connection, "copy"), told)

    books.store.write(work)


def probe_now(books: Books) -> None:
    """The time of the next probe has come."""

    def work(connection: Connection) -> None:
        connection.execute(DESTINATION.update().values(open_until=clock(connection)))

    books.store.write(work)
    time.sleep(0.002)


def test_what_is_due_is_told_once(books: Books, store: Store, belt: Belt) -> None:
    """In messages of eight, the oldest first."""
    books.owe([COPY], 20)
    assert look(store, belt) == 20
    assert look(store, belt) == 0
    assert [len(ids) for _, ids in belt.messages] == [8, 8, 4]
    assert belt.told == [row.id for row in books.deliveries()]


def test_a_hint_nothing_came_of_is_told_again(books: Books, store: Store, belt: Belt) -> None:
    """After a time: soon where no message waits, since then it is lost."""
    books.owe([COPY], 3)
    look(store, belt)
    assert look(store, belt, patience=0.3) == 0
    time.sleep(0.35)
    assert look(store, belt, patience=0.3) == 3


def test_what_is_not_due_is_not_told(books: Books, store: Store, belt: Belt) -> None:
    """Neither what somebody holds nor what waits for its next try; once it is due, it is."""
    books.owe([COPY], 2)
    held = ledger.claim(store, [Ask("copy", 2)], LEASE)
    assert look(store, belt) == 0
    ledger.renew(store, [(held[0].id, held[0].claim_id)], timedelta(0))
    assert look(store, belt) == 1
    ledger.release(store, [(row.id, row.claim_id) for row in held])
    assert look(store, belt) == 2


def test_a_backlog_waits_in_the_ledger(books: Books, store: Store, belt: Belt) -> None:
    """A chunk for each that a destination takes at once is told, and the next as one is done."""
    books.owe([relay("https://copy.example/in", concurrency=3)], 100)
    assert [look(store, belt) for _ in range(3)] == [3 * CHUNK, 0, 0]
    ledger.claim_these(store, Ask("copy", CHUNK), belt.told[:CHUNK], LEASE, 3)
    assert look(store, belt) == 0  # two are told, and one is held


def test_nothing_is_told_of_a_destination_that_is_paused(
    books: Books, store: Store, belt: Belt
) -> None:
    """It is owed all the same."""
    books.owe([COPY], 3)
    pause(store, "copy")
    assert look(store, belt) == 0


def test_one_is_told_of_a_destination_in_trouble(books: Books, store: Store, belt: Belt) -> None:
    """Once it is time to look whether it is better."""
    books.owe([COPY], 20)
    trip(books)
    assert look(store, belt) == 0
    probe_now(books)
    assert [look(store, belt), look(store, belt)] == [1, 0]


def test_no_more_is_told_than_a_rate_allows(books: Books, store: Store, belt: Belt) -> None:
    """The rest would be turned back."""
    books.owe([relay("https://copy.example/in", rate=2.5)], 50)
    assert look(store, belt) == 3


def test_what_could_not_be_told_counts_as_not_told(books: Books, store: Store, belt: Belt) -> None:
    """Of three messages the second was not taken: two are told again."""
    books.owe([COPY], 20)

    def once(destination: str, ids: Sequence[int]) -> None:
        belt.broken = len(belt.messages) == 1
        belt.tell(destination, ids)

    with pytest.raises(EngineUnavailable):
        hint(store, known(store), once)
    belt.broken = False
    assert told_of(books) == 8
    assert look(store, belt) == 12
    assert belt.told == [row.id for row in books.deliveries()]


def test_workers_that_hint_together_tell_it_once(books: Books, store: Store, belt: Belt) -> None:
    """Four of them, twenty times."""
    books.owe([relay("https://copy.example/in", concurrency=64)], 400)
    found = known(store)
    with ThreadPoolExecutor(4) as pool:
        for hinting in [pool.submit(hint, store, found, belt.tell) for _ in range(20)]:
            hinting.result()
    look(store, belt)  # what others had locked
    assert sorted(belt.told) == [row.id for row in books.deliveries()]


def test_nobody_is_told_where_nobody_listens(books: Books, store: Store, belt: Belt) -> None:
    """A thousand messages that nobody took say that there is no worker."""
    books.owe([COPY], 3)
    belt.messages.extend([("gone", [1])] * OUTSTANDING)
    Hinter(store, belt).step()
    assert belt.told == []
    belt.messages.popleft()
    Hinter(store, belt).step()
    assert len(belt.told) == 3


def test_who_has_sent_tells_of_the_next(
    books: Books, store: Store, belt: Belt, chunks: Chunks
) -> None:
    """So one look of the worker's is enough for a backlog, and each is sent once."""
    with sink() as open_:
        bodies = books.owe([relay(open_.url, concurrency=2)], 100)
        look(store, belt)
        assert belt.run(chunks) == 13
    assert books.states() == {"done": 100}
    assert sorted(one.body for one in open_.received) == sorted(bodies)


def test_a_hint_that_is_old_or_wrong_does_nothing(
    books: Books, store: Store, chunks: Chunks
) -> None:
    """Sent already, held by somebody, of no destination, or of a paused one."""
    with sink() as open_:
        books.owe([relay(open_.url)], 3)
        done, held, owed = (row.id for row in books.deliveries())
        assert chunks.deliver("copy", [done, done]) == 1
        ledger.claim_these(store, Ask("copy", 1), [held], LEASE, 8)
        assert chunks.deliver("copy", [done, held, 999_999]) == 0
        assert chunks.deliver("other", [owed]) == 0
        pause(store, "copy")
        time.sleep(0.6)  # as long as it may not have been noticed
        assert chunks.deliver("copy", [owed]) == 0
    assert len(open_.received) == 1


def test_no_more_chunks_at_once_than_a_destination_takes(books: Books, store: Store) -> None:
    """Of all workers together; what was turned back is told again."""
    books.owe([COPY], 40)
    ids = [row.id for row in books.deliveries()]
    marks.mark(store, ids, HINT_SECONDS)
    parts = [ids[at : at + CHUNK] for at in range(0, 40, CHUNK)]

    def claim(part: Sequence[int]) -> list[Any]:
        return ledger.claim_these(store, Ask("copy", CHUNK), part, LEASE, 2)

    with ThreadPoolExecutor(5) as pool:
        claimed = [rows for rows in pool.map(claim, parts) if rows]
    assert [len(rows) for rows in claimed] == [CHUNK, CHUNK]
    assert told_of(books) == 2 * CHUNK
    ledger.release(store, [(row.id, row.claim_id) for row in claimed[0]])
    taken = {row.id for rows in claimed for row in rows}
    turned_back = next(part for part in parts if not taken & set(part))
    assert len(claim(turned_back)) == CHUNK


def test_what_a_rate_turns_back_is_told_again(books: Books, store: Store) -> None:
    """And a hint that finds nothing due takes nothing from the bucket."""
    books.owe([relay("https://copy.example/in", rate=2.0)], 8)
    ids = [row.id for row in books.deliveries()]
    marks.mark(store, ids, HINT_SECONDS)
    for _ in range(5):
        assert ledger.claim_these(store, Ask("copy", 8, 2.0), [999_999], LEASE, 8) == []
    claimed = ledger.claim_these(store, Ask("copy", 8, 2.0), ids, LEASE, 8)
    assert [row.id for row in claimed] == ids[:3]
    assert told_of(books) == 3


def test_a_chunk_ends_before_its_lease(books: Books, store: Store, belt: Belt, brisk: Make) -> None:
    """What would not be done in time is given back untried, and told of at once."""
    with sink(behave.hangs) as open_:
        books.owe([relay(open_.url)], 5)
        lease = timedelta(seconds=2.5)
        slow = Chunks(store, sender(store, brisk()), belt.tell, lease=lease)
        look(store, belt)
        name, ids = belt.messages.popleft()
        assert slow.deliver(name, ids) == 2
    assert [row.attempts for row in books.deliveries()] == [1, 1, 0, 0, 0]
    assert belt.messages.popleft() == (name, ids[2:])


def test_a_chunk_stops_when_it_is_told_to(books: Books, store: Store, chunks: Chunks) -> None:
    """The one that is being sent is written down, and the rest is given back."""

    def stop(handler: Any) -> None:
        chunks.stop()
        handler.send(200)

    with sink(stop) as open_:
        books.owe([relay(open_.url)], 5)
        ids = [row.id for row in books.deliveries()]
        assert chunks.deliver("copy", ids) == 1
        assert chunks.deliver("copy", ids) == 0
    assert books.states() == {"done": 1, "owed": 4}
    assert len(ledger.claim(store, [Ask("copy", 9)], LEASE)) == 4


def test_a_destination_in_trouble_is_spared(
    books: Books, store: Store, belt: Belt, chunks: Chunks
) -> None:
    """By chunks as by lanes: most of twenty fail, and then one is tried every now and again."""
    with sink(answers(503)) as open_:
        books.owe([relay(open_.url)], 60)
        look(store, belt)
        belt.run(chunks)
        assert 20 <= len(open_.received) <= 24
        open_.behaviour = answers(200)
        assert look(store, belt, patience=0) == 0
        probe_now(books)
        time.sleep(0.6)  # as long as it may not have been noticed
        look(store, belt, patience=0)
        belt.run(chunks)
    assert books.states()["done"] > 30


def test_410_closes_a_destination(books: Books, store: Store, belt: Belt, chunks: Chunks) -> None:
    """A chunk that was told so is the last."""
    with sink(answers(410)) as open_:
        books.owe([relay(open_.url)], 30)
        look(store, belt)
        belt.run(chunks)
        assert len(open_.received) == CHUNK
    assert known(store).state == "paused: it answered 410 Gone"
    assert books.states() == {"owed": 30}


def test_a_chunk_whose_destination_is_paused_ends(
    books: Books, store: Store, belt: Belt, chunks: Chunks
) -> None:
    """Within half a second; the rest waits, untried."""

    def slowly(handler: Any) -> None:
        pause(store, "copy")
        time.sleep(0.6)
        handler.send(200)

    with sink(slowly) as open_:
        books.owe([relay(open_.url)], 8)
        look(store, belt)
        belt.run(chunks)
        assert len(open_.received) == 1
    assert books.states() == {"done": 1, "owed": 7}


def test_an_engine_that_goes_away_keeps_no_chunk_from_ending(
    books: Books, store: Store, belt: Belt, chunks: Chunks
) -> None:
    """What was sent is written down; the worker tells of the rest when it can."""
    with sink() as open_:
        books.owe([relay(open_.url, concurrency=1)], 20)
        look(store, belt)
        belt.broken = True
        belt.run(chunks)
        assert books.states() == {"done": 8, "owed": 12}
        belt.broken = False
        look(store, belt)
        belt.run(chunks)
    assert books.states() == {"done": 20}


@pytest.mark.postgres
def test_what_was_sent_is_written_down_as_soon_as_it_can_be(postgres_url: str, brisk: Make) -> None:
    """Somebody holds the rows for longer than anybody waits for a lock: each is sent once."""
    store, belt = Store(postgres_url), Belt()
    books, chunks = Books(store), Chunks(store, sender(store, brisk()), belt.tell)
    with sink() as open_, store.engine.connect() as other:

        def hold(handler: Any) -> None:
            open_.behaviour = TAKES
            other.execute(select(DELIVERY.c.id).with_for_update())
            threading.Timer(6.5, other.rollback).start()
            handler.send(200)

        open_.behaviour = hold
        books.owe([relay(open_.url)], 5)
        look(store, belt)
        belt.run(chunks)
        assert len(open_.received) == 5
    assert books.states() == {"done": 5}
    assert len(books.attempts()) == 5
    store.close()
