"""Windows of reports on their way: in order, once, the same at every try; by HTTP and as files."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer, Known, Sender, Transport
from skan_receiver.delivery.files import Files
from skan_receiver.delivery.registry import find
from skan_receiver.storage import Store
from skan_receiver.worker import run
from tests.delivery.owing import VAULT, Books
from tests.delivery.reporting import (
    HOUR,
    all_windows,
    define,
    owed,
    receive,
    report,
    this_hour,
    windows,
)
from tests.receiving import Receiver
from tests.sink import Sink, answers, sink


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


@pytest.fixture
def deliverer(store: Store, tmp_path: Path) -> Iterator[Deliverer]:
    transport = Transport(allow_private=True, exchange_seconds=2.0)
    files = Files(tmp_path / "exports")
    made = Deliverer(store, Sender(transport, Known(store, VAULT), files))
    yield made
    made.finish()


def until(deliverer: Deliverer, over: Callable[[], Any]) -> None:
    """Work as a worker does, until that is so."""
    deadline = time.monotonic() + 20
    while not over():
        assert time.monotonic() < deadline
        if not deliverer.step():
            deliverer.wake.wait(0.05)
            deliverer.wake.clear()


def told(open_: Sink) -> list[tuple[str, int]]:
    bodies = [json.loads(got.body) for got in open_.received]
    return [(body["window"]["start"], body["revision"]) for body in bodies]


def test_windows_arrive_in_order(store: Store, books: Books, deliverer: Deliverer) -> None:
    """After an outage all of them, once each, and a revision after what it revises."""
    with sink() as open_:
        define(store, report(url=open_.url, length="hour"), ago=36 * HOUR)
        made = all_windows(books.receiver)
        until(deliverer, lambda: books.states() == {"done": len(made)})
        receive(books.receiver, this_hour() - 10.5 * HOUR)
        all_windows(books.receiver)
        until(deliverer, lambda: books.states() == {"done": len(made) + 1})

    assert len(made) >= 35
    assert told(open_) == [
        *((iso(row.start), 1) for row in made),
        (iso(this_hour() - 11 * HOUR), 2),
    ]
    assert open_.ids() == [f"{row.identity.hex()}_numbers" for row in owed(store)]


def test_a_retry_says_the_same_under_the_same_name(
    store: Store, books: Books, deliverer: Deliverer
) -> None:
    """Whatever has been counted since."""
    with sink(answers(503)) as open_:
        define(store, report(url=open_.url, length="hour"), ago=1.2 * HOUR)
        all_windows(books.receiver)
        until(deliverer, lambda: books.attempts() and "leased" not in books.states())
        receive(books.receiver, this_hour() - 0.5 * HOUR)
        open_.behaviour = answers(200)
        books.make_due()
        until(deliverer, lambda: set(books.states()) == {"done"})

    sent: dict[str, set[bytes]] = {}
    for got in open_.received:
        sent.setdefault(got.id, set()).add(got.body)
    assert len(open_.received) > len(sent) == len(books.deliveries())
    assert all(len(bodies) == 1 for bodies in sent.values())


def test_a_file_is_delivered_like_anything_else(
    store: Store, books: Books, deliverer: Deliverer, tmp_path: Path
) -> None:
    """Tried, written down, and tried again while its folder is in the way."""
    (tmp_path / "exports").write_text("in the way")
    wanted = report(length="hour", file="h/{window_start}-{revision}.csv", format="csv")
    define(store, wanted, ago=1.2 * HOUR)
    made = all_windows(books.receiver)
    until(deliverer, lambda: len(books.attempts()) >= 1 and "leased" not in books.states())
    (tmp_path / "exports").unlink()
    books.make_due()
    until(deliverer, lambda: books.states() == {"done": len(made)})

    names = {f"{iso(row.start)}-1.csv" for row in made}
    assert {path.name for path in (tmp_path / "exports/h").iterdir()} == names
    first, last = books.attempts()[0], books.attempts()[-1]
    assert (first.status, first.error_class) == (None, "file")
    assert (last.status, last.error_class, last.error) == (201, "", "")
    assert last.url.startswith("h/20")


def test_without_a_folder_files_wait(store: Store) -> None:
    """A process that was given none says so, and another may write them."""
    receiver = Receiver(store)
    define(store, report(length="hour", file="{window_start}-{revision}.csv"), ago=1.2 * HOUR)
    (row, *_) = all_windows(receiver)
    sender = Sender(Transport(), Known(store, VAULT))
    with store.read() as connection:
        destination = find(connection, "numbers").destination

    sent = sender.send(destination, owed(store)[0], row)

    assert (sent.taken, sent.error) == (False, "this process has no folder for files")
    assert sent.failure
    assert not sent.failure.permanent


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """A worker in a thread; stopped afterwards."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def test_several_workers_write_each_file_once(store_url: str, books: Books, tmp_path: Path) -> None:
    """From the clock to the folder that the settings name."""
    wanted = report(length="hour", file="{window_start}-{revision}.ndjson", format="ndjson")
    define(books.store, wanted, ago=36 * HOUR)
    exports = tmp_path / "exports"
    settings = Settings(database_url=store_url, var=tmp_path, exports=exports)

    with ExitStack() as workers:
        for _ in range(3):
            workers.enter_context(working(settings))
        eventually(lambda: books.states().get("done", 0) >= 35 and "owed" not in books.states())

    made = windows(books.store)
    names = {f"{iso(row.start)}-1.ndjson" for row in made}
    assert {path.name for path in exports.iterdir()} == names
    assert len(books.attempts()) == len(books.deliveries()) == len(made)


def test_a_worker_killed_at_the_tick_sends_each_window_once(
    store_url: str, books: Books, tmp_path: Path
) -> None:
    """kill -9, again and again, with 36 hours to catch up on: whatever a receiver is sent twice
    has the name it had, and the same content."""
    with sink(slowly) as open_:
        define(books.store, report(url=open_.url, length="hour"), ago=36 * HOUR)
        for count in (1, 8, 16, 24):
            process = started(tmp_path, store_url)
            eventually(lambda: len(windows(books.store)) >= count)  # noqa: B023  # called here
            process.kill()
            process.wait()
        process = started(tmp_path, store_url)
        eventually(
            lambda: books.states().get("done", 0) >= 35 and books.states().keys() == {"done"}
        )
        process.terminate()
        process.wait()

    made = windows(books.store)
    contents = {got.id: got.body for got in open_.received}
    assert len({row.start for row in made}) == len(made) == len(contents) == len(owed(books.store))
    assert all(contents[got.id] == got.body for got in open_.received)


def slowly(handler: Any) -> None:
    time.sleep(0.03)
    handler.send(200)


def started(tmp_path: Path, store_url: str) -> subprocess.Popen[bytes]:
    settings = {"DATABASE_URL": store_url, "SKAN_VAR": str(tmp_path)}
    command = (sys.executable, "-m", "tests.delivery.brisk_worker")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env={**os.environ, **settings}, **quiet)  # type: ignore[call-overload, no-any-return]


def eventually(over: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
