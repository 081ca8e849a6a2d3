"""How quickly postbacks are exported, in how much memory, and how quickly DuckDB sums them.

    python -m benchmarks.analytics [postbacks, 1000000] [rows to sum, 5000000] > result.json

Exports run in a process of their own each, so that the peak of its memory is theirs. Seconds of
CPU are told beside those of the clock: on a machine with other work they are what compares.
Medians of three.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from skan_receiver.config import Settings
from skan_receiver.reports.analytics import connect, export
from skan_receiver.storage import Store, StoredPostback, migrate, months
from skan_receiver.storage.columns import table
from tests import postgres

START = datetime(2026, 1, 1, tzinfo=UTC)
APPS, NETWORKS, CHUNK, RUNS = 12, 20, 20_000, 3


def main(postbacks: int, summed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sqlite = f"sqlite:///{folder}/skan.sqlite3"
        fill(sqlite, postbacks)
        result = {"sqlite": exported(sqlite, folder / "sqlite", postbacks)}
        with postgres.running() as server:
            url = server.create_database("skan")
            fill(url, postbacks // 4)
            result["postgresql"] = exported(url, folder / "postgresql", postbacks // 4)
        result["sum"] = sums(sqlite, folder / "sqlite" / "0", postbacks, summed)
    print(json.dumps(result, indent=1))


def fill(url: str, count: int) -> None:
    """Postbacks over a year, straight into their table."""
    store = Store(Settings(database_url=url).database)
    migrate.upgrade(store)
    with store.read() as connection:
        months.ensure(connection, (START + timedelta(days=28 * n) for n in range(14)))
    insert, random = table(StoredPostback).insert(), Random(1)
    for first in range(0, count, CHUNK):
        chunk = [row(random, n / count) for n in range(first, min(count, first + CHUNK))]
        store.write(lambda connection, chunk=chunk: connection.execute(insert, chunk))  # type: ignore[misc]
    store.close()


def row(random: Random, share: float) -> dict[str, Any]:
    value = random.randrange(80)
    return {
        "identity": random.randbytes(16),
        "received_at": START + share * timedelta(days=330),
        "body": random.randbytes(434),
        "signed_message": random.randbytes(180),
        "verdict": "valid" if random.random() < 0.97 else "invalid",
        "key_id": "apple/P-256",
        "reason": "",
        "framework": "skadnetwork",
        "version": "4.0",
        "postback_id": f"{random.getrandbits(128):032x}",
        "app_id": 1_500_000_000 + random.randrange(APPS),
        "ad_network_id": f"network{random.randrange(NETWORKS)}.skadnetwork",
        "window": random.choice((0, 0, 0, 1, 2)),
        "source_identifier": f"{random.randrange(3000):04}",
        "conversion_type": "download",
        "did_win": random.random() < 0.9,
        "fidelity_type": 1,
        "source_app_id": random.choice((None, 525463029, 123456789)),
        "fine_value": value if value < 64 else None,
        "coarse_value": "low" if value > 75 else None,
        "country": random.choice(("US", "DE", None, None)),
        "flags": "",
        "endpoint": "network",
    }


def exported(url: str, folder: Path, count: int) -> dict[str, float]:
    """All of it, then again when nothing changed."""
    command = [sys.executable, "-m", "benchmarks.analytics", "export", url]
    runs = [_told([*command, str(folder / str(n))]) for n in range(RUNS)]
    again = [_told([*command, str(folder / "0")]) for _ in range(RUNS)]
    wall, cpu = (median(run[name] for run in runs) for name in ("seconds", "cpu"))
    return {
        "rows_per_second": round(count / wall),
        "cpu_microseconds_per_row": round(cpu / count * 1e6, 2),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "seconds_when_nothing_changed": round(median(run["seconds"] for run in again), 2),
    }


def _told(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def export_one(url: str, folder: str) -> None:
    settings = Settings(database_url=url)
    started, cpu = time.perf_counter(), time.process_time()
    export(Store(settings.database), Path(folder), settings)
    told = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told))


def sums(url: str, folder: Path, count: int, wanted: int) -> dict[str, float]:
    """App × network × day over so many rows: the export's files, as often as it takes."""
    engine = connect(export=folder, settings=Settings(database_url=url))
    copies = -(-wanted // count)
    one = engine.postbacks
    made = one.union(*[one] * (copies - 1)) if copies > 1 else one
    by = [made.app_id, made.ad_network_id.name("network"), made.received_at.date().name("day")]
    expression = made.group_by(by).agg(n=made.count(where=made.counted))
    seconds, groups = _timed(lambda: engine.engine.to_pyarrow(expression).num_rows)
    volumes, _ = _timed(lambda: len(engine.frame("volumes")))
    engine.close()
    return {
        "rows": count * copies,
        "groups": groups,
        "seconds": round(seconds, 2),
        "volumes_seconds": round(volumes, 2),
    }


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    seconds, found = [], 0
    for started in _clock():
        found = work()
        seconds.append(time.perf_counter() - started)
    return median(seconds), found


def _clock() -> Iterator[float]:
    for _ in range(RUNS):
        yield time.perf_counter()


if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        export_one(*sys.argv[2:])
    else:
        sizes = [int(size) for size in sys.argv[1:]] + [1_000_000, 5_000_000][len(sys.argv) - 1 :]
        main(*sizes)
