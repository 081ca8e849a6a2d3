"""Files of postbacks, read, verified and written by several processes.

A line is a body as Apple sent it, or an envelope that keeps its history:

    {"received_at": "2026-11-01T12:00:00Z", "endpoint": "network", "body": "<base64>"}

A chunk of lines is one transaction, which also records that the chunk is done: an import that
was stopped goes on where it was, and a file imported twice changes nothing.
"""

import base64
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import Connection, select

from skan_receiver.config import Settings
from skan_receiver.ingest import FORWARDER_NAME, Incoming, Ingest, Outcome, Read, Result, write
from skan_receiver.logfile import lines_of
from skan_receiver.protocol import Keys
from skan_receiver.storage import ImportedChunk, Store
from skan_receiver.storage.columns import table

CHUNK = table(ImportedChunk)

# A tenth of a second of verifying, and a commit that others do not wait for too long.
LINES = 1_000

# SKAdNetwork came with iOS 11.3, in March 2018. A clock may be wrong, but not by more than a day.
EARLIEST = datetime(2018, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)

ENDPOINTS = ("network", "developer", "import", "simulator")


@dataclass
class Imported:
    """What became of a chunk's lines, and which could not be read (line, why)."""

    lines: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)


def import_file(
    path: Path, settings: Settings, progress: Callable[[Imported, int], None], processes: int = 0
) -> None:
    """Import `path` (NDJSON, or gzip of it), telling `progress` of every chunk and its bytes."""
    store = Store(settings.database)
    name = _sha256(path)
    done = _done(store, name)
    store.close()
    # Forked processes share what was imported; no thread or connection of ours is open here.
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    processes = processes or os.cpu_count() or 1
    with ProcessPoolExecutor(processes, context, _start, (settings,)) as pool:
        running: dict[Future[Imported], int] = {}
        for number, lines in enumerate(_chunks(path)):
            size = sum(map(len, lines))
            if number in done:
                progress(Imported(len(lines), Counter(imported_before=len(lines))), size)
                continue
            if len(running) >= 2 * processes:
                _report(running, progress)
            running[pool.submit(_import_chunk, name, number, lines)] = size
        while running:
            _report(running, progress)


def import_here(path: Path, store: Store, settings: Settings, keys: Keys) -> Imported:
    """Import `path` in this process, which may have threads: a few thousand lines a second."""
    name, total = _sha256(path), Imported()
    done = _done(store, name)
    for number, lines in enumerate(_chunks(path)):
        if number in done:
            total.lines += len(lines)
            total.outcomes["imported_before"] += len(lines)
            continue
        one = _chunk(store, settings, keys, name, number, lines)
        total.lines += one.lines
        total.outcomes.update(one.outcomes)
        total.faults += one.faults
    return total


def _report(
    running: dict[Future[Imported], int], progress: Callable[[Imported, int], None]
) -> None:
    finished, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        progress(future.result(), running.pop(future))


# In the importing process.

_state: tuple[Store, Settings, Keys]


def _start(settings: Settings) -> None:
    global _state  # one per process, made once
    _state = Store(settings.database), settings, Keys.load(settings.keys, settings.test_keys)


def _import_chunk(name: str, number: int, lines: Sequence[bytes]) -> Imported:
    return _chunk(*_state, name, number, lines)


def _chunk(
    store: Store,
    settings: Settings,
    keys: Keys,
    name: str,
    number: int,
    lines: Sequence[bytes],
) -> Imported:
    now = datetime.now(UTC)
    imported = Imported(len(lines))
    read: list[Read] = []
    ingest = Ingest(store, settings, keys)
    for position, line in enumerate(lines, number * LINES + 1):
        if not line.strip():
            continue
        try:
            one = ingest.read(incoming(line, now))
        except ValueError as fault:
            one = Result(Outcome.REFUSED, reason=str(fault))
        if isinstance(one, Result):
            imported.outcomes[one.outcome.value] += 1
            imported.faults.append((position, one.reason))
        else:
            read.append(one)
    record = {"file": name, "chunk": number, "lines": len(lines)}
    results = store.write(partial(_write, settings=settings, read=read, record=record))
    imported.outcomes.update(result.outcome.value for result in results)
    return imported


def _write(
    connection: Connection, *, settings: Settings, read: Sequence[Read], record: dict[str, object]
) -> list[Result]:
    # First: two imports of one file at once wait here, and the second fails as a whole.
    connection.execute(CHUNK.insert(), record)
    return write(connection, settings=settings, batch=read)


def incoming(line: bytes, now: datetime) -> Incoming:
    """A line as something that came in; ValueError says what is wrong with an envelope."""
    line = line.strip()
    if b'"received_at"' not in line:
        return Incoming(now, "import", line)
    try:
        envelope = json.loads(line)
        moment = datetime.fromisoformat(envelope["received_at"])
        endpoint = envelope.get("endpoint", "import")
        body = base64.b64decode(envelope["body"], validate=True)
    except KeyError as missing:
        raise ValueError(f"an envelope without {missing}") from None
    except RecursionError:
        raise ValueError("not an envelope: nested too deeply") from None
    except (TypeError, ValueError, OverflowError) as fault:
        raise ValueError(f"not an envelope: {fault}") from None
    if moment.tzinfo is None:
        raise ValueError("received_at: without a time zone; write it as 2026-11-01T12:00:00Z")
    if not EARLIEST <= moment <= now + AHEAD:
        raise ValueError(
            f"received_at: {envelope['received_at']} is before {EARLIEST:%Y-%m-%d} or in the "
            "future; write when the postback came, or leave the envelope out"
        )
    if not _known(endpoint):
        raise ValueError(
            f"endpoint: {endpoint!r} is none of {', '.join(ENDPOINTS)} or forwarded:<name>, "
            "a name being up to 40 of a-z, 0-9 and -"
        )
    return Incoming(moment.astimezone(UTC), endpoint, body)


def _known(endpoint: object) -> bool:
    if not isinstance(endpoint, str):
        return False
    name = endpoint.removeprefix("forwarded:")
    return endpoint in ENDPOINTS or (name != endpoint and bool(FORWARDER_NAME.fullmatch(name)))


def _chunks(path: Path) -> Iterator[list[bytes]]:
    lines = lines_of(path)
    while chunk := list(islice(lines, LINES)):
        yield chunk


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _done(store: Store, name: str) -> set[int]:
    with store.read() as connection:
        return set(connection.scalars(select(CHUNK.c.chunk).where(CHUNK.c.file == name)))
