"""Durable ingest through the Flask view, beside the naive receiver, in one run.

    python -m benchmarks.receive [--rounds 3] [--seconds 8]

All are started in turn, with a fresh SQLite file, two workers, `synchronous=FULL`, and the same
signed postbacks from 64 connections kept alive, on the machine that also makes the load. The
naive receiver runs twice: with SQLite as it comes, and with the write-ahead log that ours uses
too. Ours runs whole: `skan-receiver serve`, so that its worker settles meanwhile. Every row is
counted afterwards: no fewer than answers of 200. Trust the ratios and the CPU time of a postback;
requests a second depend on the machine and on who else uses it (`others_cores`).
"""

import argparse
import json
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.load import Load, client, post
from skan_receiver.testing import Signer, encode

CONNECTIONS = 64
WARM_UP_SECONDS = 1
BOOT_SECONDS = 3  # one worker answers; the other one must be there too, or it gets no connection
QUIET_SECONDS = 20

NAIVE = (
    *("-m", "gunicorn", "-w", "2", "-k", "gthread", "--threads", "8", "--no-control-socket"),
    *("-b", "127.0.0.1:{port}", "benchmarks.naive:create_app()"),
)


@dataclass(frozen=True)
class Receiver:
    """How to start one, and where its rows are."""

    name: str
    command: Sequence[str]
    table: str
    environment: Mapping[str, str]


NAIVE_STOCK = Receiver("naive", NAIVE, "naivepostback", {})
NAIVE_WAL = Receiver("naive_wal", NAIVE, "naivepostback", {"NAIVE_WAL": "1"})
OURS = Receiver("ours", ("-m", "skan_receiver", "serve"), "postback", {})
RECEIVERS = (NAIVE_STOCK, OURS, NAIVE_WAL)

FIGURES = ("rps", "p50_ms", "p99_ms", "cpu_us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="skan-bench-"))
    try:
        signer = Signer(seed=1)
        bodies = _bodies(folder, signer, 1_000 * arguments.seconds * 5)
        rounds = []
        for number in range(arguments.rounds):
            for one in RECEIVERS[:: 1 if number % 2 else -1]:
                rounds.append(seen := _round(one, folder, signer, bodies, arguments.seconds))
                print(json.dumps(seen), flush=True)
        print(json.dumps(_summary(rounds), indent=2))
    finally:
        shutil.rmtree(folder)


def _bodies(folder: Path, signer: Signer, count: int) -> tuple[Path, Path]:
    """Two files of unique postbacks: to warm up, and to measure."""
    (folder / "keys.json").write_text(json.dumps(signer.production_keys()))
    paths = folder / "warm.ndjson", folder / "bodies.ndjson"
    for path, n in zip(paths, (5_000, count), strict=True):
        with path.open("wb") as file:
            for value in range(n):
                body = signer.skadnetwork("4.0", conversion_value=value % 64, source_app_id=1234)
                file.write(encode(body) + b"\n")
    return paths


def _round(
    one: Receiver, folder: Path, signer: Signer, bodies: tuple[Path, Path], seconds: int
) -> dict[str, object]:
    _quiet()
    port = _free_port()
    database = folder / f"{one.name}-{time.monotonic_ns()}.sqlite3"
    process = subprocess.Popen(
        [sys.executable, *(word.format(port=port) for word in one.command)],
        env={**_environment(folder, database, signer), "PORT": str(port), **one.environment},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
        start_new_session=True,
    )
    try:
        _wait(port, folder / "log")
        warm, measured = bodies
        warmed = post(port, warm, WARM_UP_SECONDS, CONNECTIONS)
        before = _cpu(process.pid)
        others = _busy() - sum(before.values())
        load = post(port, measured, seconds, CONNECTIONS)
        after = _cpu(process.pid)
        others = _busy() - sum(after.values()) - others
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)
    acknowledged = warmed.acknowledged + load.acknowledged
    rows = _rows(database, one.table)
    return _seen(one.name, load, sum(after.values()) - sum(before.values())) | {
        "others_cores": round(others / load.seconds, 2),
        "acknowledged": acknowledged,
        "rows": rows,
        "nothing_lost": rows >= acknowledged,
    }


def _seen(name: str, load: Load, cpu: float) -> dict[str, object]:
    return {
        "receiver": name,
        "client": client(),
        "rps": round(load.acknowledged / load.seconds),
        "failed": load.failed,
        "p50_ms": round(load.p50_ms, 1),
        "p99_ms": round(load.p99_ms, 1),
        "cpu_us": round(1e6 * cpu / max(1, load.acknowledged)),
    }


def _summary(rounds: list[dict[str, object]]) -> dict[str, object]:
    medians = {
        one.name: {
            figure: round(statistics.median(_figures(rounds, one.name, figure)), 1)
            for figure in FIGURES
        }
        for one in RECEIVERS
    }
    ours = medians["ours"]
    return {
        **medians,
        **{
            f"times_{name}": {
                "rps": round(ours["rps"] / medians[name]["rps"], 2),
                "cpu": round(medians[name]["cpu_us"] / ours["cpu_us"], 2),
            }
            for name in ("naive", "naive_wal")
        },
        "nothing_lost": all(seen["nothing_lost"] for seen in rounds),
    }


def _figures(rounds: list[dict[str, object]], name: str, figure: str) -> list[float]:
    return [float(str(seen[figure])) for seen in rounds if seen["receiver"] == name]


def _environment(folder: Path, database: Path, signer: Signer) -> Mapping[str, str]:
    public = signer.private_key("P-256").public_key()
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "WEB_CONCURRENCY": "2",
        "SKAN_VAR": str(folder / "var"),
        "SKAN_KEYS": str(folder / "keys.json"),
        "NAIVE_PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    }


def _wait(port: int, log: Path) -> None:
    for _ in range(300):
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/livez")
            connection.getresponse().read()
            connection.close()
            time.sleep(BOOT_SECONDS)
            return
        time.sleep(0.1)
    raise TimeoutError(f"the receiver does not listen:\n{log.read_text()[-4000:]}")


def _free_port() -> int:
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def _quiet() -> None:
    """Wait a little for others on this machine to be done; `others_cores` says if they were."""
    for _ in range(QUIET_SECONDS):
        if psutil.cpu_percent(1) < 10:
            return


def _cpu(pid: int) -> dict[int, float]:
    """CPU seconds of a process and everything below it."""
    root = psutil.Process(pid)
    spent = {}
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent[process.pid] = times.user + times.system
    return spent


def _busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "softirq", 0.0))


def _rows(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


if __name__ == "__main__":
    main()
