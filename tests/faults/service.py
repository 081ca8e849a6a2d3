"""The real service in processes of its own, to be killed, starved and blocked."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path

import psutil

from skan_receiver.storage import Store
from skan_receiver.storage.apikeys import create_key
from skan_receiver.testing import Signer


class Service:
    """`skan-receiver serve` on a free port, with a signer whose postbacks count."""

    def __init__(self, database_url: str, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.database_url = database_url
        self.signer = Signer(seed=int.from_bytes(os.urandom(8), "big"))
        keys = folder / "keys.json"
        keys.write_text(json.dumps(self.signer.production_keys()))
        self.environment: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "SKAN_VAR": str(folder / "var"),
            "SKAN_KEYS": str(keys),
            "SKAN_LOG_LEVEL": "WARNING",
            **environment,
        }
        self.log = folder / "service.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self, patience: float = 30, prefix: Sequence[str] = (), *, worker: bool = True
    ) -> float:
        """Start it; seconds until it is ready. Nothing is left of it if it never is."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "skan_receiver", "serve"]
                + ([] if worker else ["--no-worker"]),
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while time.monotonic() - begun < patience:
            with suppress(OSError):
                if self.get("/readyz") == 200:
                    return time.monotonic() - begun
            if self.process.poll() is not None:
                raise ChildProcessError(f"ended by itself:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)
        self.kill()
        raise TimeoutError(f"not ready within {patience:g} s:\n{self.log.read_text()[-4000:]}")

    def key(self, *scopes: str) -> str:
        """A key to its API."""
        store = Store(self.database_url)
        made = create_key(store, "test", list(scopes), datetime.now(UTC))
        store.close()
        return made

    def processes(self) -> list[psutil.Process]:
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def kill(self) -> int:
        """kill -9 of every process of it; how many there were."""
        assert self.process is not None
        doomed = self.processes()
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(doomed, timeout=10)
        self.process.wait()
        return len(doomed)

    def stop(self) -> float:
        """SIGTERM; seconds until everything has ended."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.terminate()
        self.process.wait(40)
        return time.monotonic() - begun

    def get(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def post(self, body: bytes, path: str = "/receive") -> tuple[int, Message]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("POST", path, body)
            response = connection.getresponse()
            response.read()
            return response.status, response.headers
        finally:
            connection.close()


def free_port() -> int:
    """A port nobody listens on, below the ephemeral ones."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def folder() -> Path:
    """A new folder, short enough for a socket in it."""
    return Path(tempfile.mkdtemp(prefix="skan-fault-", dir="/tmp"))
