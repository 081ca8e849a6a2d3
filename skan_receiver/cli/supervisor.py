"""Keeps processes running: starts them, starts them again, and passes signals on."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

log = structlog.get_logger("supervisor")

PR_SET_PDEATHSIG = 1  # prctl(2), Linux
GRACE_SECONDS = 30.0
LONG_ENOUGH_SECONDS = 10.0
MOST_FAILURES = 5


@dataclass
class Child:
    """One process that should be running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    not_before: float = 0.0
    failures: int = field(default=0)

    def start(self) -> None:
        self.started = time.monotonic()
        # A session of its own: Ctrl-C reaches us alone, and we stop it in good order.
        self.process = subprocess.Popen(
            self.command,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),  # no threads here
        )
        log.info("started", process=self.name, pid=self.process.pid)

    def send(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def tend(self) -> None:
        """Start it if it is due; notice if it has died."""
        if self.process is None:
            if time.monotonic() >= self.not_before:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        lived = time.monotonic() - self.started
        self.failures = 0 if lived > LONG_ENOUGH_SECONDS else self.failures + 1
        self.not_before = time.monotonic() + min(30.0, 2.0**self.failures - 1)
        log.warning("ended", process=self.name, status=status, lived_s=round(lived, 1))
        self.process = None


class Supervisor:
    """Runs its children until it is told to stop; exit status 1 when one cannot be kept running."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = children
        self._stopping = False

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        while not self._stopping:
            for child in self.children:
                child.tend()
                if child.failures >= MOST_FAILURES:
                    log.error("gave up", process=child.name, failures=child.failures)
                    self._end()
                    return 1
            time.sleep(0.1)
        self._end()
        return 0

    def _end(self) -> None:
        for child in self.children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("killed", process=child.name)
                child.process.kill()
                child.process.wait()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _reload(self, *_: object) -> None:
        """gunicorn reloads on HUP without refusing anybody; the worker ends and starts again."""
        for child in self.children:
            child.send(signal.SIGHUP if child.name == "web" else signal.SIGTERM)


def die_with_parent(parent: int) -> None:
    """A supervisor killed with -9 leaves nobody behind (Linux; elsewhere they stay)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked; 1 may be its number, in a container
            os._exit(1)
