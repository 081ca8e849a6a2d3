"""Postbacks settled a second by one process, on each store.

    python -m benchmarks.settle [--rows 100000] [--rounds 3] [--stores sqlite,postgres]

What an hour of a busy service leaves in `fresh`: three apps, eight networks, both frameworks, all
windows, values as they fall in practice, hundreds of source identifiers and source apps, sixty
countries. The rows are put there directly (nothing here is signed), as wide as real ones. A
postback is settled once it is in the hourly, daily and wide counts and its transaction is durable
(SQLite with `synchronous=FULL`, PostgreSQL with fsync). Beside it, how long one transaction takes:
on SQLite nobody else writes meanwhile. With `--owed`, each is owed to a destination, too.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psutil
from sqlalchemy import Connection, func, select

from benchmarks.deliver import STORES, quiet, store
from skan_receiver.config import Settings
from skan_receiver.delivery import registry
from skan_receiver.delivery.destinations import Relay
from skan_receiver.settle import settle
from skan_receiver.storage import CountHour, CountPlace, Fresh, Store, StoredPostback, months
from skan_receiver.storage.columns import table

POSTBACK, FRESH = table(StoredPostback), table(Fresh)

HOUR = datetime(2026, 11, 23, 12, tzinfo=UTC)
PIECE = 5_000
COUNTRIES = [a + b for a in "ABCDEFGHIJ" for b in "NORSTU"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stores", default=",".join(STORES))
    parser.add_argument("--owed", action="store_true")
    arguments = parser.parse_args()
    quiet()
    for name in arguments.stores.split(","):
        with store(name) as fresh:
            if arguments.owed:
                relay = Relay(name="copy", url="https://partner.example/in")
                registry.add(fresh, relay, paused=True)
            rounds = [
                one_round(fresh, number, arguments.rows) for number in range(arguments.rounds)
            ]
            print(json.dumps({"store": name, **told(fresh, rounds)}), flush=True)


def one_round(fresh: Store, number: int, rows: int) -> dict[str, float]:
    """Rows that nobody has settled, and how quickly they are; all in an hour of their own."""
    random, hour = Random(number), HOUR + timedelta(hours=number)
    for start in range(0, rows, PIECE):
        some = [postback(random, hour) for _ in range(min(PIECE, rows - start))]
        fresh.write(lambda connection, some=some: receive(connection, some))  # type: ignore[misc]
    settings, now, holds = Settings(), hour + timedelta(hours=1), []
    begun = last = time.perf_counter()
    cpu = time.process_time()
    while settle(fresh, settings, now):
        holds.append(time.perf_counter() - last)
        last = time.perf_counter()
    seconds = last - begun
    return {
        "per_second": rows / seconds,
        "cpu_us": (time.process_time() - cpu) / rows * 1e6,
        "median_ms": statistics.median(holds) * 1e3,
        "longest_ms": max(holds) * 1e3,
    }


def told(fresh: Store, rounds: list[dict[str, float]]) -> dict[str, Any]:
    """Medians of the rounds, and what stands in the store after them."""
    seen = {name: round(statistics.median(one[name] for one in rounds)) for name in rounds[0]}
    with fresh.read() as connection:
        cells = {
            model.__tablename__: connection.scalar(select(func.count()).select_from(table(model)))
            for model in (CountHour, CountPlace)
        }
    memory = round(psutil.Process().memory_info().rss / 1e6)
    return {**seen, **cells, "rss_mb": memory}


def receive(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """As `ingest` leaves them."""
    months.ensure(connection, (row["received_at"] for row in rows))
    last = connection.scalar(select(func.max(POSTBACK.c.id))) or 0
    numbered = [{"id": last + number, **row} for number, row in enumerate(rows, 1)]
    connection.execute(POSTBACK.insert(), numbered)
    unsigned = ("identity", "fine_value", "coarse_value", "country")
    connection.execute(
        FRESH.insert(),
        [
            {"stored_id": row["id"], "delta": 1, **{name: row[name] for name in unsigned}}
            for row in numbered
        ],
    )


def postback(random: Random, hour: datetime) -> dict[str, Any]:
    """One of an hour, as columns."""
    kit = random.random() < 0.15
    version = "" if kit else random.choices(("4.0", "3.0", "2.2"), (80, 14, 6))[0]
    windowed = kit or version == "4.0"
    window = random.choices((0, 1, 2), (60, 25, 15))[0] if windowed else 0
    fine = window == 0 and random.random() < 0.6
    coarse = windowed and not fine and random.random() < 0.5
    return {
        "identity": random.randbytes(16),
        "received_at": hour + timedelta(seconds=random.randrange(3600)),
        "body": random.randbytes(430),
        "signed_message": random.randbytes(180),
        "verdict": random.choices(("valid", "invalid"), (98, 2))[0],
        "key_id": "apple",
        "reason": "",
        "framework": "adattributionkit" if kit else "skadnetwork",
        "version": version,
        "postback_id": f"{random.getrandbits(128):032x}",
        "app_id": 525463029 + int(random.paretovariate(1)) % 3,
        "ad_network_id": f"network{min(7, int(random.expovariate(0.4)))}.skadnetwork",
        "window": window,
        "campaign_id": None if windowed else random.randrange(1, 101),
        "source_identifier": f"{random.randrange(800):04d}" if windowed else None,
        "conversion_type": random.choices(("download", "redownload"), (85, 15))[0],
        "did_win": random.random() < 0.9,
        "fidelity_type": 1,
        "source_app_id": 1_000_000 + int(random.paretovariate(0.5)) % 300,
        "source_domain": None,
        "fine_value": next(values(random)) if fine else None,
        "coarse_value": random.choice(("low", "medium", "high")) if coarse else None,
        "country": random.choice(COUNTRIES) if fine and windowed else None,
        "endpoint": "network",
    }


def values(random: Random) -> Iterator[int]:
    """Low ones are frequent, high ones rare, and all occur."""
    while True:
        yield min(63, int(random.expovariate(1 / 12)))


if __name__ == "__main__":
    main()
