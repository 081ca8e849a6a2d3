"""The clock: settle, deliver, keep house. Each job has a thread, so that none waits for another."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer, Known, Sender, Transport, Vault
from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.settle import BATCH, settle
from skan_receiver.storage import Store
from skan_receiver.storage.folder import Folder, Imported
from skan_receiver.storage.retention import retain

log = structlog.get_logger("worker")

TICK_SECONDS = 1.0
HOUSE_SECONDS = 3600.0
LONGEST_PAUSE = 30.0


def run(settings: Settings, stop: threading.Event) -> int:
    """Work until `stop` is set; end within seconds, with what is under way written down.

    Any number of workers may run on one store. What goes wrong in one job is logged, and
    tried again a little later; the other jobs go on. The exit status: 1 where a job came to an
    end by itself, and a new process has to take its place.
    """
    store = Store(settings.database)
    return work(settings, stop, store, Deliverer(store, sender(settings, store)))


def sender(settings: Settings, store: Store) -> Sender:
    """What sends, as this process is set up."""
    transport = Transport(allow_private=settings.private_destinations)
    return Sender(transport, Known(store, Vault(settings.vault_keys)))


def work(settings: Settings, stop: threading.Event, store: Store, deliverer: Deliverer) -> int:
    """As `run`, with what it is made of."""
    try:
        jobs = _jobs(store, settings, deliverer)
        _keep_going(jobs, stop)
        _finish(deliverer)
        return int(any(job.died.is_set() for job in jobs))
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so often; `work` says whether there is more of it to do at once."""

    name: str
    work: Callable[[], bool]
    every: float
    wake: threading.Event = field(default_factory=threading.Event)
    died: threading.Event = field(default_factory=threading.Event)

    def keep_at_it(self, stop: threading.Event) -> None:
        """Work until `stop`; what nothing here can handle ends the process, not this job alone."""
        try:
            self._repeat(stop)
        except BaseException:
            self.died.set()
            stop.set()
            with suppress(Exception):  # it may have been the log that broke
                log.critical("died", job=self.name, exc_info=True)

    def _repeat(self, stop: threading.Event) -> None:
        """After a failure pause, longer each time."""
        failures = 0
        while not stop.is_set():
            if (more := self._try()) is None:
                failures += 1
                self._pause(min(LONGEST_PAUSE, TICK_SECONDS * 2 ** min(failures - 1, 10)))
                continue
            failures = 0
            if not more:
                self._pause(self.every)

    def _try(self) -> bool | None:
        """None where it failed."""
        try:
            return self.work()
        except StoreUnavailable as error:
            log.warning("store unavailable", job=self.name, error=str(error))
        except ConfigurationError as error:
            log.error("not configured", job=self.name, error=str(error))  # noqa: TRY400  # ours
        except Exception:
            log.exception("failed", job=self.name)
        return None

    def _pause(self, seconds: float) -> None:
        self.wake.wait(seconds)
        self.wake.clear()


def _jobs(store: Store, settings: Settings, deliverer: Deliverer) -> tuple[Job, ...]:
    def settle_some() -> bool:
        settled = settle(store, settings, datetime.now(UTC))
        if settled:
            deliverer.wake.set()
        return settled == BATCH

    folder = Folder(store, settings.schemas)

    def import_schemas() -> bool:
        _tell(folder.step(datetime.now(UTC)))
        return False

    return (
        Job("settle", settle_some, TICK_SECONDS),
        Job("deliver", deliverer.step, TICK_SECONDS, deliverer.wake),
        Job("schemas", import_schemas, TICK_SECONDS),
        Job("retain", lambda: retain(store, settings, datetime.now(UTC)) > 0, HOUSE_SECONDS),
    )


def _tell(imported: Imported) -> None:
    for version in imported.published:
        log.info("schema published", app_id=version.app_id, version=version.number)
    for problem in imported.problems:
        log.warning("schema not imported", problem=problem)


def _keep_going(jobs: tuple[Job, ...], stop: threading.Event) -> None:
    threads = [threading.Thread(target=job.keep_at_it, args=(stop,), name=job.name) for job in jobs]
    log.info("working")
    for thread in threads:
        thread.start()
    stop.wait()
    for thread, job in zip(threads, jobs, strict=True):
        # Again and again: it may have been about to clear it.
        while thread.is_alive():
            job.wake.set()
            thread.join(0.05)


def _finish(deliverer: Deliverer) -> None:
    try:
        deliverer.finish()
    except StoreUnavailable as error:
        log.warning("not given back: leases will run out", error=str(error))
    log.info("stopped")
