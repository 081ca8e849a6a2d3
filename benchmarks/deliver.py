"""Settled deliveries a second of one worker process, beside the bare transport, in one run.

    python -m benchmarks.deliver [--count 6000] [--rounds 3] [--stores sqlite,postgres]

To a sink on loopback that answers at once, in a process of its own. A delivery is claimed, sent
and durably recorded with its try (SQLite with `synchronous=FULL`, PostgreSQL with fsync). The bare
transport sends the same requests in a loop, from one thread (what it does best here: answers come
at once, and more threads only wait for each other) and from eight; it records nothing.
"""

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import structlog
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer, Known, Request, Sender, Transport, Vault, registry
from skan_receiver.delivery.destinations import Relay
from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.settle import settle
from skan_receiver.storage import Delivery, Store, migrate
from skan_receiver.storage.columns import table
from skan_receiver.testing import Signer, encode
from tests import postgres

DELIVERY = table(Delivery)
STORES = ("sqlite", "postgres")
LONGEST_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stores", default=",".join(STORES))
    arguments = parser.parse_args()
    quiet()
    stores = arguments.stores.split(",")
    rounds = []
    with sink() as port:
        for _ in range(arguments.rounds):
            seen = {f"bare_{n}": bare(port, arguments.count, n) for n in (1, 8)}
            seen |= {name: ledger(name, port, arguments.count) for name in stores}
            rounds.append(seen)
            print(json.dumps({name: round(rate) for name, rate in seen.items()}), flush=True)
    print(json.dumps(summary(rounds, stores), indent=2))


def quiet() -> None:
    """Say nothing of what goes well, as a worker does not either."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def summary(rounds: list[dict[str, float]], stores: list[str]) -> dict[str, Any]:
    """Medians, and ratios within each round."""
    told: dict[str, Any] = {
        f"{name}_per_second": round(statistics.median(one[name] for one in rounds))
        for name in rounds[0]
    }
    for name in stores:
        for beside in ("bare_1", "bare_8"):
            ratio = statistics.median(one[name] / one[beside] for one in rounds)
            told[f"{name}/{beside}"] = round(ratio, 2)
    return {**told, "peak_mb": round(psutil.Process().memory_info().rss / 1e6)}


@contextmanager
def sink(*arguments: str) -> Iterator[int]:
    """The port of a sink that answers at once."""
    command = [sys.executable, "-m", "benchmarks.sink", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


def bare(port: int, count: int, threads: int) -> float:
    """Requests a second of the transport alone."""
    transport = Transport(allow_private=True)
    body = encode(Signer(seed=1).skadnetwork("4.0"))
    headers = {"Content-Type": "application/json", "webhook-id": "x" * 40, "webhook-timestamp": "1"}
    request = Request(f"http://127.0.0.1:{port}/in", body, headers)

    def send() -> None:
        for _ in range(count // threads):
            transport.send(request)

    try:
        return count / seconds(send, threads)
    finally:
        transport.close()


def seconds(work: Callable[[], None], threads: int) -> float:
    """How long so many threads take, each with `work`."""
    running = [threading.Thread(target=work) for _ in range(threads)]
    begun = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - begun


def ledger(name: str, port: int, count: int) -> float:
    """Settled deliveries a second of one `Deliverer`."""
    with store(name) as fresh:
        owe(fresh, port, count)
        sender = Sender(Transport(allow_private=True), Known(fresh, vault()))
        deliverer = Deliverer(fresh, sender)
        begun = time.perf_counter()
        until_settled(fresh, deliverer)
        took = time.perf_counter() - begun
        deliverer.finish()
    return count / took


def until_settled(fresh: Store, deliverer: Deliverer) -> None:
    """Work as the worker does, until nothing is owed."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        if not deliverer.step():
            if not owed(fresh):
                return
            deliverer.wake.wait(0.02)
            deliverer.wake.clear()
    raise TimeoutError(f"{owed(fresh)} are still owed after {LONGEST_SECONDS} s")


def owed(fresh: Store) -> int:
    with fresh.read() as connection:
        open_ = select(func.count()).where(DELIVERY.c.state != "done")
        return connection.execute(open_).scalar_one()


def owe(fresh: Store, port: int, count: int) -> None:
    """Receive and settle so many postbacks, each owed to the sink."""
    signer, settings = Signer(seed=1), Settings()
    registry.put(fresh, [(Relay(name="sink", url=f"http://127.0.0.1:{port}/in"), None)])
    time.sleep(0.01)
    ingest = Ingest(fresh, settings, signer.keys(production=True))
    now = datetime.now(UTC)
    for start in range(0, count, 500):
        some = min(500, count - start)
        ingest([Incoming(now, "network", encode(signer.skadnetwork())) for _ in range(some)])
    while settle(fresh, settings, now):
        pass


@contextmanager
def store(name: str) -> Iterator[Store]:
    """A fresh, durable store."""
    with ExitStack() as stack:
        if name == "postgres":
            server = stack.enter_context(postgres.running(durable=True))
            url = server.create_database("bench")
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="skan-bench-"))
            url = f"sqlite:///{Path(folder) / 'skan.sqlite3'}"
        fresh = Store(url)
        stack.callback(fresh.close)
        migrate.upgrade(fresh)
        yield fresh


def vault() -> Vault:
    return Vault([Fernet.generate_key().decode()])


if __name__ == "__main__":
    main()
