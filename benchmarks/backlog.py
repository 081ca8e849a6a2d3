"""Ingest beside a worker that drains a backlog, while another destination hangs.

    python -m benchmarks.backlog [--rows 100000] [--rate 150] [--seconds 30] [--stores sqlite]

The whole service (`skan-receiver serve`, two web workers and one worker) on a store that owes so
many deliveries to a sink that takes them, and as many to one that never answers. Devices post at
a fixed rate, whatever the answers take: first while all destinations are paused, then while the
backlog drains. The load, both sinks and the store are on the same two cores.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select

from benchmarks.deliver import DELIVERY, STORES, quiet, sink, store
from skan_receiver.config import Settings
from skan_receiver.delivery import registry
from skan_receiver.delivery.destinations import Relay
from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.settle import settle
from skan_receiver.storage import Store
from skan_receiver.testing import Signer, encode
from tests.faults.service import Service

CONNECTIONS = 32
WARM_UP_SECONDS = 5


@dataclass(frozen=True)
class Seen:
    """What devices saw: seconds from when each was to post until it had its 200."""

    seconds: Sequence[float]
    failed: int

    def told(self) -> dict[str, Any]:
        cuts = statistics.quantiles(self.seconds, n=100)
        return {
            "answers": len(self.seconds),
            "failed": self.failed,
            "p50_ms": round(cuts[49] * 1000, 1),
            "p99_ms": round(cuts[98] * 1000, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=150)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--stores", default=",".join(STORES))
    arguments = parser.parse_args()
    quiet()
    for name in arguments.stores.split(","):
        told = measured(name, arguments.rows, arguments.rate, arguments.seconds)
        print(json.dumps({"store": name, **told}), flush=True)


def measured(name: str, rows: int, rate: int, seconds: int) -> dict[str, Any]:
    """One store: calm, then draining."""
    with ExitStack() as stack:
        fresh = stack.enter_context(store(name))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skan-bench-")))
        takes, hangs = stack.enter_context(sink()), stack.enter_context(sink("--hang"))
        url = fresh.url.render_as_string(hide_password=False)
        service = Service(url, folder, SKAN_PRIVATE_DESTINATIONS="1", WEB_CONCURRENCY="2")
        owe(fresh, service.signer, {"takes": takes, "hangs": hangs}, rows)
        bodies = [encode(service.signer.skadnetwork()) for _ in range(rate * (2 * seconds + 10))]
        stack.callback(service.stop)
        service.start()
        asyncio.run(post(service.port, bodies[: rate * WARM_UP_SECONDS], rate))
        bodies = bodies[rate * WARM_UP_SECONDS :]
        calm = asyncio.run(post(service.port, bodies[: rate * seconds], rate)).told()
        for destination in ("takes", "hangs"):
            registry.resume(fresh, destination)
        time.sleep(3)
        before, begun = delivered(fresh), time.monotonic()
        busy = asyncio.run(post(service.port, bodies[rate * seconds :][: rate * seconds], rate))
        drained = (delivered(fresh) - before) / (time.monotonic() - begun)
        return {
            "calm": calm,
            "draining": busy.told(),
            "p99_ratio": round(busy.told()["p99_ms"] / calm["p99_ms"], 2),
            "p50_ratio": round(busy.told()["p50_ms"] / calm["p50_ms"], 2),
            "delivered_per_second": round(drained),
            "worker_mb": worker_mb(service),
        }


def owe(fresh: Store, signer: Signer, ports: dict[str, int], rows: int) -> None:
    """So many postbacks, owed to each, and both paused."""
    for name, port in ports.items():
        registry.add(fresh, Relay(name=name, url=f"http://127.0.0.1:{port}/in"), paused=True)
    time.sleep(0.01)
    ingest, settings = Ingest(fresh, Settings(), signer.keys(production=True)), Settings()
    now = datetime.now(UTC)
    for start in range(0, rows, 1000):
        some = min(1000, rows - start)
        ingest([Incoming(now, "network", encode(signer.skadnetwork())) for _ in range(some)])
    while settle(fresh, settings, now):
        pass


async def post(port: int, bodies: Sequence[bytes], rate: int) -> Seen:
    """Post each body at its time, over connections that are kept."""
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    seconds: list[float] = []
    failures: list[int] = []

    async def device() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(asyncio.CancelledError):
            while True:
                at, body = await waiting.get()
                writer.write(
                    b"POST /receive HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(body), body)
                )
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 200"):
                    seconds.append(time.monotonic() - at)
                else:
                    failures.append(1)
                waiting.task_done()
        writer.close()

    devices = [asyncio.create_task(device()) for _ in range(CONNECTIONS)]
    begun = time.monotonic()
    for number, body in enumerate(bodies):
        at = begun + number / rate
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        waiting.put_nowait((at, body))
    await asyncio.wait_for(waiting.join(), 30)
    for task in devices:
        task.cancel()
    await asyncio.gather(*devices, return_exceptions=True)
    return Seen(seconds, len(failures))


def delivered(fresh: Store) -> int:
    done = select(func.count()).where(DELIVERY.c.state == "done")
    with fresh.read() as connection:
        return connection.execute(done).scalar_one()


def worker_mb(service: Service) -> int:
    """Resident memory of the worker's process."""
    assert service.process is not None
    for child in psutil.Process(service.process.pid).children(recursive=True):
        if "worker" in child.cmdline():
            return round(child.memory_info().rss / 1e6)
    raise LookupError("no worker")


if __name__ == "__main__":
    main()
