"""64 devices that post without a pause, each on a connection of its own: wrk, or asyncio."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LUA = Path(__file__).with_name("post.lua")


@dataclass(frozen=True)
class Load:
    """What the devices saw."""

    answers: int
    failed: int  # not 200, or none at all
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def acknowledged(self) -> int:
        return self.answers - self.failed


def client() -> str:
    return "wrk" if shutil.which("wrk") else "asyncio"


def post(port: int, bodies: Path, seconds: int, connections: int) -> Load:
    """Post each line of `bodies` once, for as long as `seconds`."""
    if client() == "wrk":
        return _wrk(port, bodies, seconds, connections)
    return asyncio.run(_devices(port, bodies, seconds, connections))


def _wrk(port: int, bodies: Path, seconds: int, connections: int) -> Load:
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "-s",
        str(LUA),
    ]
    command += [f"http://127.0.0.1:{port}", "--", str(bodies)]
    for _ in range(3):
        seen = subprocess.run(command, check=False, capture_output=True, text=True)
        if seen.returncode == 0:
            return Load(**json.loads(seen.stdout.splitlines()[-1]))
        time.sleep(1)  # it gives up where its first connection is refused
    raise ChildProcessError(f"wrk: {seen.stderr or seen.stdout}")


async def _devices(port: int, bodies: Path, seconds: int, connections: int) -> Load:
    with bodies.open("rb") as file:
        begun = time.monotonic()
        statuses: list[tuple[bytes, float]] = []
        lines = iter(file)
        async with asyncio.TaskGroup() as devices:
            for _ in range(connections):
                devices.create_task(_device(port, lines, begun + seconds, statuses))
    took = time.monotonic() - begun
    times = sorted(1e3 * spent for _, spent in statuses)
    good = sum(status == b"200" for status, _ in statuses)
    return Load(
        len(statuses), len(statuses) - good, took, _at(times, 0.50), _at(times, 0.99)
    )  # fmt: skip


async def _device(
    port: int, lines: Iterator[bytes], until: float, statuses: list[tuple[bytes, float]]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until and (body := next(lines, b"").rstrip()):
        begun = time.perf_counter()
        writer.write(
            b"POST /receive HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        statuses.append((head.split(b" ", 2)[1], time.perf_counter() - begun))
    writer.close()
    await writer.wait_closed()


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
