"""How much is kept of what nobody vouches for: a flood finds a cap, not a full disk.

What comes with a token has a cap of its own: nobody without one can fill it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from skan_receiver.storage.columns import table
from skan_receiver.storage.postbacks import Usage
from skan_receiver.storage.upsert import add

USAGE = table(Usage)

# In the quarantine, what an MMP told: `mmp:` and its name.
FROM_MMP = "mmp:"
QUARANTINE, QUARANTINE_MMP = "quarantine", "quarantine-mmp"


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
    """What is left of a `kind` ("invalid", or one of the quarantine's) under these caps."""
    used = connection.execute(select(USAGE).where(USAGE.c.kind == kind)).one_or_none()
    if used is None:
        return Room(rows, bytes)
    return Room(rows - used.rows, bytes - used.bytes)


def size_of(body: bytes, verbatim: bytes | None, claims: str | None) -> int:
    """What a row of the quarantine takes: a forwarder's own writing fills a disk as well."""
    return len(body) + len(verbatim or b"") + len((claims or "").encode())


def quarantine(endpoint: str) -> str:
    """Under which cap a body is that came in here and cannot be read."""
    return QUARANTINE_MMP if endpoint.startswith(FROM_MMP) else QUARANTINE


def release(connection: Connection, gone: Iterable[tuple[str, int]]) -> int:
    """Give back what rows of the quarantine took, each by its endpoint and size; how many."""
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for endpoint, size in gone:
        sizes[quarantine(endpoint)].append(size)
    for kind in sorted(sizes):
        record(connection, kind, sizes[kind], sign=-1)
    return sum(map(len, sizes.values()))


def record(connection: Connection, kind: str, sizes: Iterable[int], sign: int = +1) -> None:
    """Add rows of these sizes to what is used; `sign=-1` when they are deleted."""
    sizes = list(sizes)
    if not sizes:
        return
    amounts = {"rows": sign * len(sizes), "bytes": sign * sum(sizes)}
    add(connection, USAGE, [{"kind": kind, **amounts}], "rows", "bytes")
