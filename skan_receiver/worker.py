"""The clock: settle, deliver, look for what is not well, keep house.

Each job has a thread, so that none waits for another.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from skan_receiver.alerting import endpoint
from skan_receiver.alerting.endpoint import Endpoint
from skan_receiver.alerting.watch import EVERY, Watch
from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer, Known, Sender, Transport, Vault
from skan_receiver.delivery.files import Files
from skan_receiver.delivery.hints import EngineUnavailable, Hinter
from skan_receiver.delivery.proxies import Proxies
from skan_receiver.delivery.windows import Looks, make_windows
from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.estimating.process import Estimator
from skan_receiver.settle import BATCH, settle
from skan_receiver.storage import Store
from skan_receiver.storage.folder import Folder, Imported
from skan_receiver.storage.retention import retain

log = structlog.get_logger("worker")

TICK_SECONDS = 1.0
WINDOWS_SECONDS = 10.0
HOUSE_SECONDS = 3600.0
ESTIMATE_SECONDS = 60.0  # how often it is looked whether they are due
LONGEST_PAUSE = 30.0
BROKER_PAUSE = 4.0


def run(settings: Settings, stop: threading.Event) -> int:
    """Work until `stop` is set; end within seconds, with what is under way written down.

    Any number of workers may run on one store. What goes wrong in one job is logged, and
    tried again a little later; the other jobs go on. The exit status: 1 where a job came to an
    end by itself, and a new process has to take its place.
    """
    store = Store(settings.database)
    return work(settings, stop, store, _driver(settings, store))


def sender(settings: Settings, store: Store) -> Sender:
    """What sends, as this process is set up."""
    known = Known(store, Vault(settings.vault_keys))
    return Sender(transport(settings), known, Files(settings.exports, settings.file_protocols))


def transport(settings: Settings) -> Transport:
    """By which everything leaves, as this process is set up."""
    return Transport(allow_private=settings.private_destinations, proxies=_proxies(settings))


def _proxies(settings: Settings) -> Proxies:
    return Proxies.read(
        http=settings.http_proxy, https=settings.https_proxy, no_proxy=",".join(settings.no_proxy)
    )


class Driver(Protocol):
    """What is done about what is owed; `wake` is set when it is worth calling `step` again."""

    wake: threading.Event

    def step(self) -> bool: ...
    def finish(self) -> None: ...


def _driver(settings: Settings, store: Store) -> Driver:
    if settings.engine == "embedded":
        return Deliverer(store, sender(settings, store))
    from skan_receiver.engine import Broker, application  # an extra: who has none needs none

    return Hinter(store, Broker(application(lambda: settings)))


def work(settings: Settings, stop: threading.Event, store: Store, driver: Driver) -> int:
    """As `run`, with what it is made of."""
    try:
        jobs = _jobs(store, settings, driver, stop)
        _keep_going(jobs, stop)
        _finish(driver)
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
    longest: float = LONGEST_PAUSE  # after failures

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
                self._pause(min(self.longest, TICK_SECONDS * 2 ** min(failures - 1, 10)))
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
        except EngineUnavailable as error:
            log.warning("engine unavailable", job=self.name, error=str(error))
        except ConfigurationError as error:
            log.error("not configured", job=self.name, error=str(error))  # noqa: TRY400  # ours
        except Exception:
            log.exception("failed", job=self.name)
        return None

    def _pause(self, seconds: float) -> None:
        self.wake.wait(seconds)
        self.wake.clear()


def _jobs(
    store: Store, settings: Settings, driver: Driver, stop: threading.Event
) -> tuple[Job, ...]:
    def settle_some() -> bool:
        settled = settle(store, settings, datetime.now(UTC))
        if settled:
            driver.wake.set()
        return settled == BATCH

    looks = Looks()
    folder = Folder(store, settings.schemas)

    def import_schemas() -> bool:
        _tell(folder.step(datetime.now(UTC)))
        return False

    return (
        Job("settle", settle_some, TICK_SECONDS),
        _sends(settings, driver),
        Job("schemas", import_schemas, TICK_SECONDS),
        Job("windows", lambda: make_windows(store, settings, looks) > 0, WINDOWS_SECONDS),
        Job("estimate", Estimator(store, settings, stop).step, ESTIMATE_SECONDS),
        Job("alerts", _watch(store, settings, stop).step, EVERY.total_seconds()),
        Job("retain", lambda: retain(store, settings, datetime.now(UTC)) > 0, HOUSE_SECONDS),
    )


def _watch(store: Store, settings: Settings, stop: threading.Event) -> Watch:
    # Where we are ourselves is for the operator to say, a private address too.
    inwards = Transport(
        allow_private=True, proxies=_proxies(settings), exchange_seconds=endpoint.SECONDS
    )
    ours = Endpoint(settings.public_url, inwards)
    return Watch(store, settings, transport(settings), ours, stop)


def _sends(settings: Settings, driver: Driver) -> Job:
    if settings.engine == "embedded":
        return Job("deliver", driver.step, TICK_SECONDS, driver.wake)
    # A broker that is back is to be told soon, however long it was away.
    return Job("hint", driver.step, TICK_SECONDS, driver.wake, longest=BROKER_PAUSE)


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


def _finish(driver: Driver) -> None:
    try:
        driver.finish()
    except StoreUnavailable as error:
        log.warning("not given back: leases will run out", error=str(error))
    log.info("stopped")
