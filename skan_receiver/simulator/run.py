"""A scenario from beginning to end, on all cores, as a stream in the order of arrival."""

import base64
import os
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from skan_receiver.simulator import truth
from skan_receiver.simulator.adversary import KINDS, UNSIGNED
from skan_receiver.simulator.arrivals import GENUINE, REPEATED
from skan_receiver.simulator.bodies import Arriving, Press
from skan_receiver.simulator.days import Day, iso, simulate
from skan_receiver.simulator.keys import Pems, signer
from skan_receiver.simulator.scenario import LAYOUTS
from skan_receiver.simulator.spool import Spool
from skan_receiver.simulator.world import CONVERSIONS, Array, World

# About a tenth of a second of signing.
ROWS = 2_000

T = TypeVar("T")


@dataclass
class Totals:
    """What a run was made of."""

    conversions: Counter[str] = field(default_factory=Counter)
    postbacks: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # layout, tier, won
    arrivals: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Totals") -> None:
        self.conversions.update(other.conversions)
        self.postbacks.update(other.postbacks)
        self.arrivals.update(other.arrivals)


@dataclass
class Run:
    """One run: its world, its keys, and what to do on the way."""

    world: World
    pems: Pems
    truth: Path | None = None  # a folder for Parquet
    until: int | None = None  # what would arrive from then on (milliseconds since 1970) does not
    processes: int = 0
    progress: Callable[[int, int], None] = lambda _done, _of: None
    totals: Totals = field(default_factory=Totals)

    def envelopes(self) -> Iterator[bytes]:
        """Lines for `ingest`, many at a time."""
        return self._stream(_envelopes)

    def requests(self) -> Iterator[Arriving]:
        """What devices, forwarders and others send, one by one."""
        for many in self._stream(_requests):
            yield from many

    def only_truth(self) -> None:
        """Nothing is signed: the days alone."""
        with self._pool() as pool:
            for _ in self._days(pool):
                self.progress(1, self.world.scenario.days)

    def _stream(self, work: Callable[[Array], T]) -> Iterator[T]:
        with self._pool() as pool, tempfile.TemporaryDirectory(prefix="skan-simulator-") as folder:
            spool = Spool(Path(folder))
            for rows in self._days(pool):
                spool.add(rows if self.until is None else rows[rows["at"] < self.until])
            sizes: deque[int] = deque()
            for result in _in_order(pool, work, _pieces(spool, sizes), self._width):
                yield result
                self.progress(sizes.popleft(), spool.taken)

    def _days(self, pool: ProcessPoolExecutor) -> Iterator[Array]:
        for rows, totals in _in_order(pool, _day, range(self.world.scenario.days), self._width):
            self.totals.add(totals)
            yield rows

    @property
    def _width(self) -> int:
        return self.processes or os.cpu_count() or 1

    def _pool(self) -> ProcessPoolExecutor:
        # Forked processes share what was imported; no thread or connection of ours is open here.
        context = get_context("fork" if sys.platform == "linux" else "spawn")
        mine = (self.world, self.pems, self.truth)
        return ProcessPoolExecutor(self._width, context, _start, mine)


def _pieces(spool: Spool, sizes: deque[int]) -> Iterator[Array]:
    for rows in spool.days():
        for piece in np.split(rows, range(ROWS, len(rows), ROWS)):
            sizes.append(len(piece))
            yield piece


def _in_order(
    pool: ProcessPoolExecutor, work: Callable[[Any], T], inputs: Iterable[Any], width: int
) -> Iterator[T]:
    """As `pool.map`, without taking more of `inputs` than are worked on."""
    running: deque[Future[T]] = deque()
    for one in inputs:
        running.append(pool.submit(work, one))
        if len(running) > 2 * width:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


# In the working process.

_world: World
_press: Press
_truth: Path | None


def _start(world: World, pems: Pems, folder: Path | None) -> None:
    global _world, _press, _truth  # one per process, made once
    _world, _truth = world, folder
    _press = Press(world.scenario, signer(pems))


def _day(number: int) -> tuple[Array, Totals]:
    day = simulate(_world, number)
    if _truth is not None:
        truth.write(_world, day, _truth)
    return day.arrivals, _totals(day)


def _totals(day: Day) -> Totals:
    sent = day.postbacks
    layouts, tiers, won = (sent[name].tolist() for name in ("layout", "tier", "won"))
    kinds = {GENUINE: "genuine", REPEATED: "repeated", **{k: name for name, k in KINDS.items()}}
    return Totals(
        Counter(CONVERSIONS[c] for c in day.installs["conversion"].tolist()),
        Counter(
            (LAYOUTS[layout], str(tier) if winner else "", "won" if winner else "lost")
            for layout, tier, winner in zip(layouts, tiers, won, strict=True)
        ),
        Counter(kinds[kind] for kind in day.arrivals["kind"].tolist()),
    )


def _envelopes(rows: Array) -> bytes:
    return b"".join(map(_envelope, _press.bodies(rows)))


def _envelope(arriving: Arriving) -> bytes:
    # Times of postbacks that no test key has signed are an import's, like anybody's.
    endpoint = b"import" if arriving.row.kind in UNSIGNED else b"simulator"
    at, body = iso(arriving.at).encode(), base64.b64encode(arriving.body)
    return b'{"received_at":"%b","endpoint":"%b","body":"%b"}\n' % (at, endpoint, body)


def _requests(rows: Array) -> list[Arriving]:
    return list(_press.bodies(rows))
