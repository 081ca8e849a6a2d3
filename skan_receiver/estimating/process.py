"""The worker's estimates: in a process of its own, niced, when it is time."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import structlog

from skan_receiver.config import Settings
from skan_receiver.estimating import missing
from skan_receiver.storage import Store
from skan_receiver.storage.estimates import is_due

log = structlog.get_logger("estimates")

NICE = 9  # beside the worker's own 10: whatever else there is to do goes first

# A worker that has just begun has other things to do.
FIRST_SECONDS = 60.0
LOOK_SECONDS = 0.2
GRACE_SECONDS = 3.0

# One core is enough to be done in time, and no more than that is taken.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Estimator:
    """Estimates when it is time and nobody else does; ended with the worker."""

    def __init__(
        self, store: Store, settings: Settings, stop: threading.Event, first: float = FIRST_SECONDS
    ) -> None:
        self._store, self._settings, self._stop = store, settings, stop
        self._first = first
        self._begun = False

    def step(self) -> bool:
        """Never more to do at once."""
        if not self._begun:
            self._begun = True
            self._tell_what_is_missing()
            self._stop.wait(self._first)
        if not self._stop.is_set() and self._is_due():
            self._run()
        return False

    def _tell_what_is_missing(self) -> None:
        if self._settings.estimate_hours and (names := missing()):
            remedy = "pip install 'skan-receiver[analytics]', or SKAN_ESTIMATE_HOURS=0"
            log.warning("no estimates", missing=names, remedy=remedy)

    def _is_due(self) -> bool:
        hours = self._settings.estimate_hours
        if not hours or missing():
            return False
        with self._store.read() as connection:
            return is_due(connection, datetime.now(UTC), timedelta(hours=hours))

    def _run(self) -> None:
        command = (sys.executable, "-m", "skan_receiver", "estimate", "--worker", str(os.getpid()))
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self._environment()
        )
        while process.poll() is None and not self._stop.wait(LOOK_SECONDS):
            pass
        if process.poll() is None:
            _end(process)
        elif process.returncode:
            log.error("not estimated", status=process.returncode)

    def _environment(self) -> dict[str, str]:
        """This process's settings, as far as estimates ask for them."""
        settings = self._settings
        return {
            **os.environ,
            **ONE_THREAD,
            "DATABASE_URL": settings.database,
            "SKAN_ESTIMATE_HOURS": str(settings.estimate_hours),
            "SKAN_ESTIMATE_DAYS": str(settings.estimate_days),
            "SKAN_ESTIMATE_SENSITIVITY": str(settings.estimate_sensitivity),
            "SKAN_ESTIMATE_DOUBT": str(settings.estimate_doubt),
            "SKAN_LOG_LEVEL": settings.log_level,
        }


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("killed", process="estimate")
        process.kill()
        process.wait()
