"""How much is kept of what nobody vouches for: a flood finds a cap, not a full disk."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from skan_receiver.storage.columns import table
from skan_receiver.storage.postbacks import Usage
from skan_receiver.storage.upsert import add

USAGE = table(Usage)


@dataclass(slots=True)
class Room:
    """What is left under one cap. `admit` takes from it, `used` says how much was taken."""

    rows: int
    bytes: int
    taken_rows: int = 0
    taken_bytes: int = 0

    def admit(self, size: int) -> bool:
        if self.taken_rows + 1 > self.rows or self.taken_bytes + size > self.bytes:
            return False
        self.taken_rows += 1
        self.taken_bytes += size
        return True


def room(connection: Connection, kind: str, *, rows: int, bytes: int) -> Room:
    """What is left of `kind` ("invalid", "quarantine") under caps of `rows` and `bytes`."""
    used = connection.execute(select(USAGE).where(USAGE.c.kind == kind)).one_or_none()
    if used is None:
        return Room(rows, bytes)
    return Room(rows - used.rows, bytes - used.bytes)


def size_of(body: bytes, verbatim: bytes | None, claims: str | None) -> int:
    """What a row of the quarantine takes: a forwarder's own writing fills a disk as well."""
    return len(body) + len(verbatim or b"") + len((claims or "").encode())


def record(connection: Connection, kind: str, sizes: Iterable[int], sign: int = +1) -> None:
    """Add rows of these sizes to what is used; `sign=-1` when they are deleted."""
    sizes = list(sizes)
    if not sizes:
        return
    amounts = {"rows": sign * len(sizes), "bytes": sign * sum(sizes)}
    add(connection, USAGE, [{"kind": kind, **amounts}], "rows", "bytes")
