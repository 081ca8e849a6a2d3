"""Workers that die, freeze, are killed by what they send, or live in another time.

The worker is that of `tests.delivery.brisk_worker`, whose leases last two seconds. What arrived is
compared with what was owed, and what arrived twice with what a worker had begun and not written
down when it was interrupted.
"""

import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from skan_receiver.config import load
from skan_receiver.delivery import Deliverer, Destination, Known, Sender, Transport, Vault
from skan_receiver.delivery.sending import Sent
from skan_receiver.storage import Store, migrate
from skan_receiver.worker import work
from tests import postgres
from tests.delivery import brisk_worker
from tests.delivery.owing import Books, relay
from tests.faults.service import folder
from tests.sink import Behaviour, Sink, sink

LEASE = brisk_worker.LEASE.total_seconds()
# Begun and not yet written down, where eight are sent at once.
IN_FLIGHT = 16

BRISK = ("-m", "tests.delivery.brisk_worker")
POISONED = ("-m", "tests.faults.delivery")
POISONED_LEASE = timedelta(seconds=10)  # long beside a start
MOST_CRASHES = 4

SECONDS_OFF = 600
# Another wall clock for a process; its waits and monotonic clocks are told no lie.
CLOCK = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *at) {
  int failed = syscall(SYS_clock_gettime, clock, at);
  if (clock == CLOCK_REALTIME) at->tv_sec += atol(getenv("SECONDS_OFF"));
  return failed;
}
"""

Told = dict[str, object]

NUMBERS = count(1)


def faults(stores: Sequence[str], kills: int, seed: int) -> Iterator[Callable[[], Told]]:
    """Each of them on each store."""
    for store in stores:
        yield partial(killed, store, kills, seed)
        yield partial(frozen, store)
        yield partial(poisoned, store)
    if "postgres" in stores and shutil.which("cc"):
        yield other_times
    else:
        print("left out: workers in other times (PostgreSQL, a C compiler)", file=sys.stderr)


def killed(store: str, kills: int, seed: int, count: int = 1_500) -> Told:
    """kill -9 of the worker, again and again while it delivers. How long it is from the next one's
    word that it works to its first delivery is what is asked of the ledger."""
    chance = random.Random(seed)
    with _owing(store, within(chance)) as (books, open_, place):
        books.owe([relay(open_.url)], count)
        worker = Worker(place, books)
        worker.start()
        repeated, resumed, starts, begun = [], [], [], 0
        for number in range(kills):
            _eventually(partial(_has_come, open_, (number + 1) * count // (kills + 2)))
            worker.kill()
            repeated.append(_unrecorded(books, open_, begun))
            begun = len(open_.received)
            starts.append(_seconds_until(lambda: worker.works, worker.start))
            resumed.append(_seconds_until(partial(_has_more, open_, begun)))
        _eventually(lambda: books.states() == {"done": count}, 120)
        worker.stop()
    arrived = _arrived(open_, count)
    kept = arrived["lost"] == 0 and max(repeated) <= IN_FLIGHT
    return {
        "fault": "kill -9 of the worker",
        "store": store,
        "rounds": kills,
        "seed": seed,
        **arrived,
        "duplicates_worst": max(repeated),
        "duplicates_mean": round(statistics.mean(repeated), 2),
        "start_s_median": round(statistics.median(starts), 2),
        "resumed_s_median": round(statistics.median(resumed), 2),
        "resumed_s_worst": round(max(resumed), 2),
        "balanced": kept and max(resumed) <= LEASE + 2,
    }


def frozen(store: str, rounds: int = 5, count: int = 200) -> Told:
    """A worker stands still for longer than its lease, and goes on; another one works meanwhile."""
    with _owing(store, within(random.Random(1))) as (books, open_, place):
        books.define(relay(open_.url))
        workers = Worker(place, books), Worker(place, books)
        for worker in workers:
            worker.start()
        repeated, taken_over = [], 0
        for number in range(1, rounds + 1):
            before = _repeated(open_)
            books.owe([], count)
            _eventually(partial(_has_come, open_, (number - 1) * count + 20))
            workers[number % 2].signal(signal.SIGSTOP)
            time.sleep(LEASE * 0.9)
            taken_over += books.states().get("leased", 0)
            time.sleep(2)
            workers[number % 2].signal(signal.SIGCONT)
            _eventually(lambda: set(books.states()) == {"done"}, 60)
            time.sleep(0.5)
            repeated.append(_repeated(open_) - before)
        for worker in workers:
            worker.stop()
    arrived = _arrived(open_, rounds * count)
    return {
        "fault": "worker frozen",
        "store": store,
        "rounds": rounds,
        **arrived,
        "taken_over": taken_over,
        "duplicates_worst": max(repeated),
        # Of each: a frozen one may hold SQLite's lock, and the other one cannot write either.
        "balanced": arrived["lost"] == 0 and max(repeated) <= len(workers) * IN_FLIGHT,
    }


def poisoned(store: str, count: int = 300) -> Told:
    """A delivery that takes the process with it, which is started again and again."""
    with _owing(store, within(random.Random(1))) as (books, open_, place):
        books.owe([relay(open_.url), relay(open_.url, "poison", apps=(1,))], count)
        books.owe([relay(open_.url, apps=(1,)), relay(open_.url, "poison")])
        worker, crashes = Worker(place, books, POISONED), 0
        worker.start()
        while crashes < MOST_CRASHES and _left(books, "poison"):
            time.sleep(0.02)
            if worker.ended:
                crashes += 1
                worker.start()
        time.sleep(POISONED_LEASE.total_seconds() / 2)
        worker.kill()
        waiting = _left(books, "copy")
        (fate,) = {row.state for row in books.deliveries() if row.destination == "poison"}
    arrived = _arrived(open_, count)
    return {
        "fault": "poison",
        "store": store,
        **arrived,
        "lost": max(0, arrived["lost"] - waiting),
        "crashes": crashes,
        "poison_is": fate,
        "neighbours_waiting": waiting,
        "balanced": arrived["lost"] <= waiting,
    }


def other_times(count: int = 600) -> Told:
    """Three workers on one store, of which one is ten minutes ahead and one ten minutes behind."""
    failing = Failing()
    with _owing("postgres", failing) as (books, open_, place):
        books.owe([relay(open_.url)], count)
        library = _clock(place)
        others = [{"LD_PRELOAD": str(library), "SECONDS_OFF": str(off)} for off in WRONG]
        workers = [Worker(place, books, BRISK, other) for other in ({}, *others)]
        for worker in workers:
            worker.start()
        _eventually(lambda: books.states() == {"done": count}, 120)
        for worker in workers:
            worker.stop()
        tries, now = books.attempts(), datetime.now(UTC)
        clocks = Counter(round((row.at - now).total_seconds() / SECONDS_OFF) for row in tries)
    # What was not taken, or not in time, has to come again.
    repeated = max(0, _repeated(open_) - sum(row.status != 200 for row in tries))
    soonest = min(failing.waits.values())
    return {
        "fault": "workers in other times",
        "store": "postgres",
        "rounds": 1,
        **_arrived(open_, count),
        "duplicates": repeated,
        "tries_by_clock": {f"{hours * 10:+} min": clocks[hours] for hours in (-1, 0, 1)},
        "retried": len(failing.waits),
        "soonest_retry_s": round(soonest, 2),
        "balanced": not repeated and soonest >= 4 and min(clocks[n] for n in (-1, 0, 1)) > 0,
    }


WRONG = (SECONDS_OFF, -SECONDS_OFF)


class Failing:
    """Every tenth is not taken at first; how long it was until it was tried again."""

    def __init__(self) -> None:
        self.waits: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, handler: Any) -> None:
        with self._lock:
            fails = self._fails(handler.headers["webhook-id"])
        time.sleep(0.1)
        handler.send(503 if fails else 200)

    def _fails(self, name: str) -> bool:
        now = time.monotonic()
        if name in self._first:
            self.waits[name] = now - self._first[name]
        elif int(name[:8], 16) % 10 == 0:
            self._first[name] = now
            return True
        return False


class Worker:
    """A worker's process, which can be started again."""

    def __init__(
        self,
        place: Path,
        books: Books,
        program: Sequence[str] = BRISK,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._program = program
        self._log = place / f"{next(NUMBERS)}.log"
        self._environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": books.store.url.render_as_string(hide_password=False),
            "SKAN_VAR": str(place),
            "SKAN_PRIVATE_DESTINATIONS": "1",
            **(environment or {}),
        }

    def start(self) -> None:
        command = [sys.executable, *self._program]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def works(self) -> bool:
        """Whether it has said so."""
        return b"working" in self._log.read_bytes()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """As who keeps it running would; it has to end well."""
        self._process.terminate()
        if status := self._process.wait(20):
            raise ChildProcessError(f"the worker ended with {status}")


def within(chance: random.Random, seconds: float = 0.02) -> Behaviour:
    """Take it, within so many seconds."""

    def behaviour(handler: Any) -> None:
        time.sleep(chance.uniform(0, seconds))
        handler.send(200)

    return behaviour


class Poisoned(Sender):
    """What is sent to `poison` takes the process with it."""

    def send(self, destination: Destination, delivery: Row[Any], about: Row[Any] | None) -> Sent:
        if destination.name == "poison":
            os.abort()
        return super().send(destination, delivery, about)


def main() -> int:
    """A brisk worker, poisoned."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings, stop = load(), threading.Event()
    store = Store(settings.database)
    transport = Transport(allow_private=True, exchange_seconds=1.0)
    sender = Poisoned(transport, Known(store, Vault(settings.vault_keys)))
    return work(settings, stop, store, Deliverer(store, sender, lease=POISONED_LEASE))


@contextmanager
def _owing(store: str, behaviour: Behaviour) -> Iterator[tuple[Books, Sink, Path]]:
    """Books in a new store, a sink to deliver to, and a folder."""
    place = folder()
    try:
        with _database(store, place) as url, _books(url) as books, sink(behaviour) as open_:
            yield books, open_, place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _database(store: str, place: Path) -> Iterator[str]:
    if store == "sqlite":
        yield f"sqlite:///{place}/skan.sqlite3"
        return
    with postgres.running() as server:
        yield server.create_database("skan")


@contextmanager
def _books(url: str) -> Iterator[Books]:
    store = Store(url)
    migrate.upgrade(store)
    yield Books(store)
    store.close()


def _clock(place: Path) -> Path:
    source, library = place / "clock.c", place / "clock.so"
    source.write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def _eventually(over: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.005)


def _seconds_until(over: Callable[[], object], begin: Callable[[], None] | None = None) -> float:
    begun = time.monotonic()
    if begin is not None:
        begin()
    _eventually(over)
    return time.monotonic() - begun


def _has_come(open_: Sink, number: int) -> bool:
    return len(set(open_.ids())) >= number


def _has_more(open_: Sink, number: int) -> bool:
    return len(open_.received) > number


def _unrecorded(books: Books, open_: Sink, begun: int) -> int:
    """How many requests of a worker that was killed the ledger knows nothing of."""
    time.sleep(0.1)  # what it had sent, the sink still reads
    done = {f"{row.identity.hex()}_copy" for row in books.deliveries() if row.state == "done"}
    return sum(id_ not in done for id_ in open_.ids()[begun:])


def _repeated(open_: Sink) -> int:
    return len(open_.received) - len(set(open_.ids()))


def _arrived(open_: Sink, count: int) -> dict[str, int]:
    unique = len(set(open_.ids()))
    return {"owed": count, "lost": count - unique, "duplicates": _repeated(open_)}


def _left(books: Books, name: str) -> int:
    """How many are still owed to a destination."""
    mine = [row for row in books.deliveries() if row.destination == name]
    return sum(row.state in ("owed", "leased") for row in mine)


if __name__ == "__main__":
    sys.exit(main())
