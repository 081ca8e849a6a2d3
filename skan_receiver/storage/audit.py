"""The audit log: who changed what, when. Entries are added, never edited or removed.

Each entry's hash covers the entry and the hash before it, so that whoever changes or takes out one
has to make all that follow anew; a copy of the last hash, kept elsewhere, then gives them away.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text
from sqlmodel import SQLModel

from skan_receiver.storage.acting import noting
from skan_receiver.storage.columns import big, table, utc
from skan_receiver.storage.store import Store

BEGINNING = "0" * 64


class AuditEntry(SQLModel, table=True):
    """One change, and who made it."""

    __tablename__ = "audit_entry"

    # Numbered by ourselves, without gaps: one that is missing shows.
    number: int = big(primary_key=True)
    at: datetime = utc()
    actor: str  # "user admin", "key 3 grafana", "command root", "worker"
    action: str  # "destination.add"
    subject: str  # the name of what was changed
    detail: str = "{}"  # JSON, without secrets
    hash: str


ENTRY = table(AuditEntry)


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found: how many entries are as they were written, and the first that is not."""

    entries: int
    last_hash: str
    broken_at: int | None = None


@contextmanager
def doing(
    actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Around a verb: what it writes first appends this entry, in the same transaction."""
    with noting(lambda connection: record(connection, actor, action, subject, detail)):
        yield


def record(
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry within the caller's own `Store.write`."""
    if connection.dialect.name == "postgresql":
        # One at a time: each needs the hash of the one before. Ends with the transaction.
        connection.execute(text("LOCK TABLE audit_entry IN EXCLUSIVE MODE"))
    last = connection.execute(
        select(ENTRY.c.number, ENTRY.c.hash).order_by(ENTRY.c.number.desc()).limit(1)
    ).first()
    number, before = (last.number + 1, last.hash) if last else (1, BEGINNING)
    row = {
        "number": number,
        "at": datetime.now(UTC),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": json.dumps(detail or {}, sort_keys=True, default=str),
    }
    connection.execute(insert(ENTRY), {**row, "hash": _hash(before, row)})


def entries(
    connection: Connection, *, before: int | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """The newest first; `before` is the number that the page before ended with."""
    statement = select(ENTRY).order_by(ENTRY.c.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(ENTRY.c.number < before)
    return connection.execute(statement).all()


def verify(store: Store) -> Verified:
    """Go through all entries, oldest first."""
    before, n = BEGINNING, 0
    streamed = select(ENTRY).order_by(ENTRY.c.number).execution_options(yield_per=1000)
    # The cursor is closed where the walk ends early.
    with store.read() as connection, connection.execute(streamed) as rows:
        for row in rows:
            if row.number != n + 1 or row.hash != _hash(before, row._asdict()):
                return Verified(n, before, broken_at=n + 1)
            before, n = row.hash, n + 1
    return Verified(n, before)


def _hash(before: str, row: Mapping[str, Any]) -> str:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    told = [before, row["number"], at, *(row[name] for name in _TOLD)]
    return sha256(json.dumps(told, ensure_ascii=False).encode(errors="surrogatepass")).hexdigest()


_TOLD = ("actor", "action", "subject", "detail")
