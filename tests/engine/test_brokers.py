"""Through real brokers, which forget, hang and go away: what is owed arrives all the same."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from skan_receiver.config import Settings
from skan_receiver.delivery.hints import CHUNK, EngineUnavailable, Hinter
from skan_receiver.engine import Broker as Hints
from skan_receiver.engine import application
from skan_receiver.storage import Fresh, Store
from tests.delivery.owing import Books, relay
from tests.engine.brokers import Broker
from tests.sink import Sink, sink

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

# Where the broker matters, and the store does not; or both, but each has had its turn.
ONE_STORE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
CROSSED = pytest.mark.parametrize(
    ("broker", "store_url"),
    [("redis", "sqlite"), pytest.param("rabbitmq", "postgres", marks=pytest.mark.postgres)],
    indirect=True,
)

# Leases are short there: what was held by who is killed is to be had again soon.
BRISK = "tests.engine.brisk"

COUNT = 1_500
AT_ONCE = 8
KILLS = 5


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


class Engine:
    """The worker, which hints, and Celery's worker, which delivers: processes on one store."""

    def __init__(self, broker: Broker, store: Store, folder: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": store.url.render_as_string(hide_password=False),
            "SKAN_VAR": str(folder),
            "SKAN_ENGINE": "celery",
            "SKAN_BROKER_URL": broker.url,
            "SKAN_PRIVATE_DESTINATIONS": "1",
        }
        self._log = folder / "engine.log"
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *how: str, app: str = "skan_receiver.engine") -> None:
        self._start("skan_receiver", "worker")
        self.start_celery(*how, app=app)

    def start_celery(self, *how: str, app: str = "skan_receiver.engine") -> None:
        how = how or ("-P", "threads", "-c", "16")
        self._start("celery", "-A", app, "worker", "--without-gossip", "--without-mingle", *how)

    def kill_celery(self) -> None:
        """kill -9 of the one that was started last, and its children."""
        process = self._running.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> list[int]:
        """End in good order, within seconds; how each did."""
        for process in self._running:
            process.terminate()
        return [process.wait(20) for process in self._running]

    def kill(self) -> None:
        """Whatever is left."""
        for process in self._running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, *module: str) -> None:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running.append(process)


@pytest.fixture
def engine(broker: Broker, store: Store, tmp_path: Path) -> Iterator[Engine]:
    made = Engine(broker, store, tmp_path)
    yield made
    made.kill()


def eventually(over: Callable[[], Any], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def arrived(open_: Sink, count: int) -> bool:
    return len(set(open_.ids())) >= count


@contextmanager
def slow_sink(seed: int = 5) -> Iterator[Sink]:
    """So that something is under way when things go wrong."""
    chance = Random(seed)

    def slowly(handler: Any) -> None:
        time.sleep(chance.uniform(0, 0.02))
        handler.send(200)

    with sink(slowly) as open_:
        yield open_


def complete(books: Books, open_: Sink, bodies: Sequence[bytes]) -> None:
    """Everything arrives, and is written down as done."""
    eventually(lambda: books.states() == {"done": len(bodies)})
    assert {one.body for one in open_.received} == set(bodies)


def test_each_arrives_once(books: Books, engine: Engine) -> None:
    """1,500 deliveries, and nothing goes wrong: 1,500 requests. Who is told to stop does."""
    with sink() as open_:
        bodies = books.owe([relay(open_.url)], COUNT)
        engine.start()
        complete(books, open_, bodies)
        assert engine.stop() == [0, 0]
    assert len(open_.ids()) == COUNT


@CROSSED
def test_processes_deliver_as_threads_do(books: Books, engine: Engine) -> None:
    """Forked ones: nothing that was opened before the fork is used after it."""
    with sink() as open_:
        bodies = books.owe([relay(open_.url)], 200)
        engine.start("-P", "prefork", "-c", "2")
        complete(books, open_, bodies)
    assert len(open_.ids()) == 200


@CROSSED
def test_workers_killed_in_the_middle_lose_nothing(books: Books, engine: Engine) -> None:
    """kill -9, five times: each arrives; copies only of the chunks that were under way."""
    with slow_sink() as open_:
        bodies = books.owe([relay(open_.url, concurrency=AT_ONCE)], COUNT)
        engine.start(app=BRISK)
        for number in range(KILLS):
            eventually(partial(arrived, open_, (number + 1) * COUNT // (KILLS + 2)))
            engine.kill_celery()
            engine.start_celery(app=BRISK)
        complete(books, open_, bodies)
    assert len(open_.ids()) - COUNT <= KILLS * AT_ONCE * CHUNK


def test_a_broker_that_forgets_loses_nothing(books: Books, engine: Engine, broker: Broker) -> None:
    """Emptied again and again while 1,500 are delivered: each arrives, and arrives once."""
    with slow_sink() as open_:
        bodies = books.owe([relay(open_.url)], COUNT)
        engine.start()
        for number in range(1, 6):
            eventually(partial(arrived, open_, number * COUNT // 7))
            broker.empty()
        complete(books, open_, bodies)
    assert len(open_.ids()) == COUNT


@CROSSED
def test_a_broker_that_goes_away_comes_back(books: Books, engine: Engine, broker: Broker) -> None:
    """Killed, and started again ten seconds later: deliveries wait, and go on within ten more.
    What arrives meanwhile is settled as ever."""
    with slow_sink() as open_:
        bodies = books.owe([relay(open_.url)], COUNT)
        engine.start()
        eventually(partial(arrived, open_, 200))
        with broker.away(10):
            books.receiver.receive(*(books.receiver.signer.skadnetwork("4.0") for _ in "abc"))
            eventually(lambda: books.receiver.rows(Fresh) == [], 5)
        before = len(open_.received)
        eventually(lambda: len(open_.received) > before, 10)
        eventually(lambda: books.states() == {"done": COUNT + 3})
    assert {one.body for one in open_.received} > set(bodies)


@ONE_STORE
def test_messages_hold_ids_and_nothing_else(books: Books, broker: Broker, store: Store) -> None:
    """No payload, no address, no secret; and nothing that waits for its time in a broker."""
    bodies = books.owe([relay("https://copy.example/in", headers={"X-Key": "hush"})], 11)
    Hinter(store, hints(broker.url)).step()
    messages = broker.messages()
    ids = [row.id for row in books.deliveries()]
    said = [json.loads(message.body) for message in messages]
    assert [args for args, _, _ in said] == [["copy", ids[:CHUNK]], ["copy", ids[CHUNK:]]]
    for message in messages:
        whole = repr((message.body, message.headers, message.properties))
        assert message.content_type == "application/json"
        assert (message.headers["eta"], message.headers["expires"]) == (None, None)
        assert not any(word in whole for word in ("hush", "copy.example", "transaction-id"))
        assert not any(body.decode() in whole for body in bodies)


@ONE_STORE
def test_a_broker_that_hangs_is_given_up(books: Books, broker: Broker, store: Store) -> None:
    """It takes connections and says nothing: the job fails within seconds, over a connection that
    was in use as over a new one; what was not told is told later."""
    books.owe([relay("https://copy.example/in")], 3)
    fresh, used = Hinter(store, hints(broker.url)), Hinter(store, hints(broker.url))
    used.step()
    broker.empty()
    with broker.hanging():
        for hinter in (fresh, used):
            begun = time.monotonic()
            with pytest.raises(EngineUnavailable):
                hinter.step()
            assert time.monotonic() - begun < 12
    eventually(lambda: hinter.step() or broker.messages())


def hints(url: str) -> Hints:
    settings = Settings(engine="celery", broker_url=url)
    return Hints(application(lambda: settings))
