"""Importing a file of envelopes with verification: rows/s, cores busy, memory.

    python -m benchmarks.importing [--envelopes 1000000]

Beside it, in the same run, the bare cost: verifying the same number of signatures in one loop.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from skan_receiver.protocol import judge, parse
from skan_receiver.simulator import keys
from skan_receiver.simulator.keys import Pems
from skan_receiver.testing import Signer, encode

START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envelopes", type=int, default=1_000_000)
    parser.add_argument("--database-url", default="")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="skan-bench-"))
    try:
        print(json.dumps(measure(folder, arguments.envelopes, arguments.database_url), indent=2))
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, envelopes: int, database_url: str) -> dict[str, object]:
    pems = keys.make_keys(folder / "private")
    signer = keys.signer(pems)
    (folder / "keys.json").write_text(json.dumps(signer.production_keys()))
    path = folder / "log.ndjson"
    write_envelopes(path, pems, envelopes)
    environment = {
        **os.environ,
        "SKAN_VAR": str(folder),
        "SKAN_KEYS": str(folder / "keys.json"),
        "DATABASE_URL": database_url or f"sqlite:///{folder}/skan.sqlite3",
    }
    command = [sys.executable, "-m", "skan_receiver"]
    subprocess.run([*command, "db", "upgrade"], env=environment, check=True)
    seen = watch([*command, "ingest", str(path)], environment)
    return {
        "envelopes": envelopes,
        "seconds": round(seen["seconds"], 1),
        "rows_per_s": round(envelopes / seen["seconds"]),
        "cpu_us_per_row": round(1e6 * seen["cpu"] / envelopes, 1),
        "cores_busy": round(seen["cpu"] / seen["seconds"], 2),
        "peak_mb": round(seen["peak"] / 1e6),
        "bare_verify_cpu_us": round(1e6 * bare(path, signer), 1),
    }


def write_envelopes(path: Path, pems: Pems, count: int) -> None:
    """As a network's log would be: unique postbacks in the order they came."""
    processes = os.cpu_count() or 1
    share = [count // processes + (n < count % processes) for n in range(processes)]
    with path.open("wb") as file, ProcessPoolExecutor(processes) as pool:
        for part in pool.map(_part, [pems] * processes, share):
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file)
            part.unlink()


def _part(pems: Pems, count: int) -> Path:
    handle, name = tempfile.mkstemp(prefix="skan-bench-part-")
    with os.fdopen(handle, "wb") as file:
        for n, body in zip(range(count), _bodies(keys.signer(pems)), strict=False):
            moment = START + timedelta(seconds=20 * n)
            envelope = {
                "received_at": moment.isoformat(),
                "endpoint": "network",
                "body": base64.b64encode(body).decode(),
            }
            file.write(json.dumps(envelope).encode() + b"\n")
    return Path(name)


def _bodies(signer: Signer) -> Iterator[bytes]:
    value = 0
    while True:
        value = (value + 7) % 64
        yield encode(signer.skadnetwork("4.0", conversion_value=value, source_app_id=1234567891))


def watch(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Run; seconds, CPU seconds and peak memory of the whole tree of processes."""
    begun = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    root, cpu, peak = psutil.Process(process.pid), {}, 0
    while process.poll() is None:
        memory = 0
        try:
            for one in (root, *root.children(recursive=True)):
                times = one.cpu_times()
                cpu[one.pid] = times.user + times.system
                memory += one.memory_full_info().pss
        except psutil.Error:
            pass
        peak = max(peak, memory)
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(process.returncode)
    return {"seconds": time.monotonic() - begun, "cpu": sum(cpu.values()), "peak": peak}


def bare(path: Path, signer: Signer, sample: int = 5_000) -> float:
    """CPU seconds of parsing and verifying one, in a loop that does nothing else."""
    trusted = signer.keys(production=True)
    with path.open("rb") as file:
        lines = [next(file) for _ in range(sample)]
    bodies = [base64.b64decode(json.loads(line)["body"]) for line in lines]
    begun = time.process_time()
    for body in bodies:
        judge(parse(body), trusted)
    return (time.process_time() - begun) / sample


if __name__ == "__main__":
    main()
