"""kill -9 of every process under load: what was acknowledged is stored, and counted once.

PostgreSQL itself is killed in every second round. No kill of processes shows what a power cut
does: for that, `benchmarks/` and docs/reliability.md show the fsync before each answer.
"""

import random
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skan_receiver.storage import Store, migrate
from tests import postgres
from tests.faults.acker import Acker
from tests.faults.ledger import audit
from tests.faults.service import Service, folder

PER_ROUND = 400


def run(store: str, rounds: int, seed: int) -> dict[str, object]:
    """Kill `rounds` times; the books afterwards."""
    chance = random.Random(seed)
    with _database(store) as (url, server, place):
        service = Service(url, place)
        acker = Acker(service)
        restarts = [service.start()]
        acker.offer(PER_ROUND)
        acker.start()
        killed = 0
        for number in range(rounds):
            acker.offer(PER_ROUND)
            time.sleep(chance.uniform(0.2, 1.2))
            killed += service.kill()
            if server is not None and number % 2:
                server.kill()
                server.start()
            restarts.append(service.start())
        deadline = time.monotonic() + 60
        while acker.waiting and time.monotonic() < deadline:
            time.sleep(0.1)
        acked = acker.stop()
        service.stop()
        books = audit(url, acked)
    return {
        "fault": "kill -9",
        "store": store,
        "rounds": rounds,
        "seed": seed,
        "processes_killed": killed,
        "requests_failed": acker.failed,
        "ready_again_s_worst": round(max(restarts), 2),
        "ready_again_s_median": round(statistics.median(restarts), 2),
        **books.as_dict(),
    }


@contextmanager
def _database(store: str) -> Iterator[tuple[str, postgres.Server | None, Path]]:
    place = folder()
    try:
        if store == "sqlite":
            yield f"sqlite:///{place}/skan.sqlite3", None, place
            return
        with postgres.running() as server:
            url = server.create_database("skan")
            template = Store(url)
            migrate.upgrade(template)
            template.close()
            yield url, server, place
    finally:
        shutil.rmtree(place, ignore_errors=True)
