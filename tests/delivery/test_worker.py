"""The worker as a process: killed, stopped, misconfigured."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from skan_receiver.config import Settings
from skan_receiver.delivery import ledger
from skan_receiver.delivery.deliver import LEASE
from skan_receiver.delivery.gate import Ask
from skan_receiver.storage import Fresh, Store, migrate
from skan_receiver.testing import encode
from skan_receiver.worker import run
from tests import sink as behave
from tests.delivery.owing import Books, relay
from tests.sink import Sink, sink

WORKER = "-m", "tests.delivery.brisk_worker"

# Logs that break in the threads of jobs, which have something to complain of: there are no tables.
BROKEN_LOG = """
import sys, threading, structlog
from skan_receiver.config import load
from skan_receiver.worker import run

class Stream:
    def write(self, text):
        if threading.current_thread() is not threading.main_thread():
            raise BrokenPipeError
    def flush(self):
        pass

structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=Stream()))
sys.exit(run(load(), threading.Event()))
"""


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


@contextmanager
def working(settings: Settings) -> Iterator[threading.Event]:
    """A worker in a thread; stopped afterwards, within seconds."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        begun = time.monotonic()
        thread.join(20)
        assert time.monotonic() - begun < 5


def eventually(over: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def configured(tmp_path: Path, store_url: str) -> Settings:
    return Settings(database_url=store_url, var=tmp_path, private_destinations=True)


def test_from_arrival_to_copy(tmp_path: Path, store_url: str, books: Books) -> None:
    """A postback is settled and on its way within seconds."""
    with sink() as open_, working(configured(tmp_path, store_url)):
        books.define(relay(open_.url))
        books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
        eventually(lambda: open_.received, 5)
        eventually(lambda: books.states() == {"done": 1})
    assert books.receiver.rows(Fresh) == []


def test_a_destination_gets_what_comes_after_it(
    tmp_path: Path, store_url: str, books: Books
) -> None:
    """Also what waits to be settled as it is made, if it came before, is not sent to it."""
    with sink() as open_:
        books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
        time.sleep(0.01)
        books.define(relay(open_.url))
        with working(configured(tmp_path, store_url)):
            after = books.receiver.signer.skadnetwork("4.0")
            books.receiver.receive(after)
            eventually(lambda: books.states() == {"done": 1})
            eventually(lambda: books.receiver.rows(Fresh) == [])
    assert [one.body for one in open_.received] == [encode(after)]


def test_a_destination_that_is_changed_all_the_time_misses_none(
    tmp_path: Path, store_url: str, books: Books
) -> None:
    """Paused, refiltered, resumed, while postbacks arrive and two workers settle them."""
    with sink() as open_:
        books.define(relay(open_.url))
        settings = configured(tmp_path, store_url)
        with working(settings), working(settings):
            for number in range(40):
                books.receiver.receive(*(books.receiver.signer.skadnetwork("4.0") for _ in "abc"))
                paths = relay(f"{open_.url}?{number}", apps=() if number % 2 else (525463029,))
                books.define(paths, paused=number % 3 == 1)
            books.define(relay(open_.url), paused=False)
            eventually(lambda: books.states() == {"done": 120})
    assert len(set(open_.ids())) == 120


def test_a_store_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """Tables that are not there yet are an error to be tried again, not an end."""
    url = f"sqlite:///{tmp_path / 'late.sqlite3'}"
    with sink() as open_, working(configured(tmp_path, url)):
        time.sleep(0.5)
        late = Store(url)
        migrate.upgrade(late)
        books = Books(late)
        books.define(relay(open_.url))
        books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
        eventually(lambda: books.states() == {"done": 1})
        late.close()


def test_a_worker_that_is_told_to_stop_does(tmp_path: Path, store_url: str, books: Books) -> None:
    """Though everybody hangs; what it held is due at once for the next."""
    with sink(behave.hangs) as open_:
        books.owe([relay(open_.url)], 20)
        with working(configured(tmp_path, store_url)):
            eventually(lambda: len(open_.received) == 8)
    assert books.states() == {"owed": 20}
    assert len(ledger.claim(books.store, [Ask("copy", 99)], LEASE)) == 20


def test_a_worker_killed_in_the_middle_loses_nothing(
    tmp_path: Path, store_url: str, books: Books
) -> None:
    """kill -9, five times in 400 deliveries: each arrives; copies only of what was under way."""
    rounds, count = 5, 400
    chance = Random(5)

    def slowly(handler: Any) -> None:
        time.sleep(chance.uniform(0, 0.02))
        handler.send(200)

    with sink(slowly) as open_:
        bodies = books.owe([relay(open_.url)], count)
        for number in range(rounds):
            process = start(tmp_path, store_url)
            eventually(partial(arrived, open_, (number + 1) * count // (rounds + 2)))
            process.kill()
            process.wait()
        process = start(tmp_path, store_url)
        eventually(lambda: books.states() == {"done": count}, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert {one.body for one in open_.received} == set(bodies)
    assert len(open_.ids()) - count <= rounds * 16


def test_a_worker_does_not_go_on_without_one_of_its_jobs(tmp_path: Path) -> None:
    """It ends with 1, so that whoever keeps it running starts another."""
    worker = start(tmp_path, f"sqlite:///{tmp_path / 'late.sqlite3'}", "-c", BROKEN_LOG)
    try:
        assert worker.wait(20) == 1
    finally:
        worker.kill()
        worker.wait()


def arrived(open_: Sink, count: int) -> bool:
    return len(set(open_.ids())) >= count


def start(tmp_path: Path, store_url: str, *program: str) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": store_url,
        "SKAN_VAR": str(tmp_path),
        "SKAN_PRIVATE_DESTINATIONS": "1",
    }
    return subprocess.Popen([sys.executable, *(program or WORKER)], env=environment)
