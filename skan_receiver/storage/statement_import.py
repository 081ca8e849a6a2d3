"""Importing a statement: line by line, and seen by nobody until the whole of it is there."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, text, update

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import statement_files
from skan_receiver.storage.columns import table
from skan_receiver.storage.outgoing import StoredDestination
from skan_receiver.storage.statement_reading import BATCH, Asked, Imported, Reading
from skan_receiver.storage.statements import Statement, StatementLine
from skan_receiver.storage.store import Store

STATEMENT, LINE = table(Statement), table(StatementLine)
DESTINATION = table(StoredDestination)

NAME = r"[a-z0-9][a-z0-9-]{0,62}"
# What was begun so long ago and has no name yet, nobody imports any more.
ABANDONED = timedelta(days=1)


def import_statement(
    store: Store,
    path: Path,
    asked: Asked,
    now: datetime,
    *,
    seen: Callable[[int], object] = lambda _rows: None,
) -> Imported:
    """Keep the lines of a file under a name; one of that name before it is gone then.

    Raises ConfigurationError with every mistake, each as `line N: column: what; remedy`, and
    keeps nothing. `seen` is told how many rows have been read so far.
    """
    _refuse(store, asked)
    reading = Reading(asked, statement_files.rows(path))
    statement_id = store.write(lambda connection: _begin(connection, reading, path, now))
    try:
        for batch in reading.batches(statement_id, seen):
            store.write(lambda connection, lines=batch: connection.execute(insert(LINE), lines))  # type: ignore[misc]  # bound at once
        reading.check()
        old = store.write(lambda connection: _name(connection, statement_id, reading))
    except BaseException:
        _drop(store, statement_id)
        raise
    for gone in (*old, *_abandoned(store, now)):
        _drop(store, gone)
    return reading.done(replaced=bool(old))


def remove_statement(store: Store, name: str) -> bool:
    """Whether there was one of that name; it is gone now."""

    def work(connection: Connection) -> list[int]:
        unnamed = update(STATEMENT).where(STATEMENT.c.name == name).values(name=None)
        return list(connection.scalars(unnamed.returning(STATEMENT.c.id)))

    gone = store.write(work)
    for statement_id in gone:
        _drop(store, statement_id)
    return bool(gone)


def _refuse(store: Store, asked: Asked) -> None:
    if not re.fullmatch(NAME, asked.name):
        raise ConfigurationError(
            f"{asked.name!r} is no name of a statement; write small letters, digits and hyphens"
        )
    with store.read() as connection:
        known = set(connection.scalars(select(DESTINATION.c.name)))
    if unknown := [name for name in asked.destinations if name not in known]:
        there = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(f"there is no destination {unknown[0]!r}; there are: {there}")


def _begin(connection: Connection, reading: Reading, path: Path, now: datetime) -> int:
    asked = reading.asked
    row = {
        "format": reading.reader.form.name,
        "zone": asked.zone,
        "basis": asked.basis,
        "file": path.name,
        "lines": 0,
        "counted": 0,
        "left_out": 0,
        "names_networks": reading.reader.names_networks,
        "networks": json.dumps({name: list(ids) for name, ids in asked.networks.items()}),
        "destinations": json.dumps(list(asked.destinations)),
        "begun_at": now,
    }
    begun = connection.execute(insert(STATEMENT).values(row).returning(STATEMENT.c.id))
    return int(begun.scalar_one())


def _name(connection: Connection, statement_id: int, reading: Reading) -> list[int]:
    """Let everybody see it; the ids of those whose place it takes."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE statement IN SHARE ROW EXCLUSIVE MODE"))
    name, (first, last) = reading.asked.name, reading.covers
    unnamed = update(STATEMENT).where(STATEMENT.c.name == name).values(name=None)
    old = list(connection.scalars(unnamed.returning(STATEMENT.c.id)))
    values = {
        "name": name,
        "first_day": first,
        "last_day": last,
        "lines": reading.lines,
        "counted": reading.counted,
        "left_out": reading.reader.left_out.total(),
    }
    connection.execute(update(STATEMENT).where(STATEMENT.c.id == statement_id).values(values))
    return old


def _abandoned(store: Store, now: datetime) -> list[int]:
    old = (STATEMENT.c.name.is_(None), STATEMENT.c.begun_at < now - ABANDONED)
    with store.read() as connection:
        return list(connection.scalars(select(STATEMENT.c.id).where(*old)))


def _drop(store: Store, statement_id: int) -> None:
    """Delete one that nobody sees, a part at a time."""
    theirs = LINE.c.statement_id == statement_id
    some = select(LINE.c.number).where(theirs).order_by(LINE.c.number).limit(BATCH)
    part = delete(LINE).where(theirs, LINE.c.number.in_(some))
    while store.write(lambda connection: connection.execute(part).rowcount):
        pass
    header = delete(STATEMENT).where(STATEMENT.c.id == statement_id)
    store.write(lambda connection: connection.execute(header))
