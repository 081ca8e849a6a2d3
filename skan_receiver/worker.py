"""The clock: settle, deliver, keep house."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer, Destination, Transport, load_destinations
from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.settle import BATCH, settle
from skan_receiver.storage import Store
from skan_receiver.storage.retention import retain

log = structlog.get_logger("worker")

TICK_SECONDS = 1.0
HOUSE_SECONDS = 3600.0


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set; finish what is under way.

    Any number of workers may run on one store. What goes wrong in one job is logged,
    and tried again a tick later; the other jobs go on.
    """
    store = Store(settings.database)
    transport = Transport(allow_private=settings.private_destinations)
    deliverer = Deliverer(store, transport)
    destinations = Destinations(settings.destinations)
    house = _Every(HOUSE_SECONDS, lambda: retain(store, settings, datetime.now(UTC)))
    jobs: tuple[Callable[[], bool], ...] = (
        lambda: settle(store, settings, destinations.now(), datetime.now(UTC)) == BATCH,
        lambda: deliverer.step(destinations.now()) > 0,
        house,
    )
    log.info("working", destinations=[one.name for one in destinations.now()])
    while not stop.is_set():
        # Not `any(...)`: each job has its turn, whatever the others say.
        more = [_done(job) for job in jobs]
        if not any(more):
            stop.wait(TICK_SECONDS)
    deliverer.finish()
    transport.close()
    store.close()
    log.info("stopped")


def _done(job: Callable[[], bool]) -> bool:
    """Do one job; whether there is more of it to do at once."""
    try:
        return job()
    except StoreUnavailable as error:
        log.warning("store unavailable", error=str(error))
    except Exception:
        log.exception("a job failed")
    return False


class Destinations:
    """What the file says, read again when it has changed; a broken file changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._destinations = load_destinations(path)
        self._stamp = self._now()

    def now(self) -> tuple[Destination, ...]:
        stamp = self._now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._destinations = load_destinations(self._path)
                log.info("destinations read", names=[one.name for one in self._destinations])
            except ConfigurationError as error:
                log.warning("destinations not changed", error=str(error))
        return self._destinations

    def _now(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


class _Every:
    """A job with a time of its own."""

    def __init__(self, seconds: float, work: Callable[[], object]) -> None:
        self._seconds, self._work, self._next = seconds, work, 0.0

    def __call__(self) -> bool:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._seconds
            self._work()
        return False
