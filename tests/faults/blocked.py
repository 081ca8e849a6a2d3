"""A full disk and a locked database: 500 with Retry-After, nothing half-written, and recovery."""

import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from skan_receiver.testing import encode
from tests import postgres
from tests.faults.ledger import audit
from tests.faults.service import Service, folder

DISK = 24 * 1024 * 1024
LEFT = 1_000_000


def full_disk() -> dict[str, object]:
    """SQLite on a tmpfs that fills up (needs root)."""
    with _tmpfs() as disk:
        service = Service(f"sqlite:///{disk}/skan.sqlite3", disk)
        service.log = disk.parent / f"{disk.name}.log"
        service.start()
        filler = disk / "filler"
        acked: set[str] = set()
        filler.write_bytes(b"\0" * max(0, shutil.disk_usage(disk).free - LEFT))
        answers, refused = _until(service, acked, lambda status: status == 500)
        pages = service.get("/login")
        filler.unlink()
        recovered = _recovery(service, acked)
        service.stop()
        books = audit(service.database_url, acked)
        service.log.unlink(missing_ok=True)
    return {"fault": "full disk", "store": "sqlite", **_seen(answers, refused, recovered),
            "page_status": pages, **books.as_dict()}  # fmt: skip


def locked(store: str) -> dict[str, object]:
    """Somebody else holds the lock that every write needs."""
    place = folder()
    try:
        if store == "sqlite":
            url = f"sqlite:///{place}/skan.sqlite3"
            return _locked(store, url, place, lambda: _sqlite_lock(place / "skan.sqlite3"))
        with postgres.running() as server:
            url = server.create_database("skan")
            return _locked(store, url, place, lambda: _postgres_lock(url))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _locked(store: str, url: str, place: Path, lock: Callable[[], object]) -> dict[str, object]:
    service = Service(url, place)
    service.start()
    acked: set[str] = set()
    _until(service, acked, lambda status: status == 200)
    with lock():  # type: ignore[attr-defined]
        answers, refused = _until(service, acked, lambda status: status == 500)
    recovered = _recovery(service, acked)
    service.stop()
    books = audit(url, acked)
    return {
        "fault": "locked",
        "store": store,
        **_seen(answers, refused, recovered),
        **books.as_dict(),
    }


def _until(
    service: Service, acked: set[str], enough: Callable[[int], bool]
) -> tuple[Counter[int], str | None]:
    """Post until an answer is enough; every answer, and the Retry-After of the last."""
    answers: Counter[int] = Counter()
    for _ in range(20_000):
        body = service.signer.skadnetwork("4.0", conversion_value=1)
        status, headers = service.post(encode(body))
        answers[status] += 1
        if status == 200:
            acked.add(body["transaction-id"])
        if enough(status):
            return answers, headers.get("Retry-After")
    raise AssertionError(f"never happened: {answers}")


def _recovery(service: Service, acked: set[str]) -> float:
    begun = time.monotonic()
    _until(service, acked, lambda status: status == 200)
    return round(time.monotonic() - begun, 2)


def _seen(answers: Counter[int], refused: str | None, recovered: float) -> dict[str, object]:
    return {
        "answers": {str(status): n for status, n in answers.items()},
        "only_200_and_500": set(answers) <= {200, 500},
        "retry_after": refused,
        "recovered_s": recovered,
    }


@contextmanager
def _sqlite_lock(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def _postgres_lock(url: str) -> Iterator[None]:
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE seen IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def _tmpfs() -> Iterator[Path]:
    disk = folder()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "skan-fault", str(disk)]
    subprocess.run(mount, check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
        disk.rmdir()
