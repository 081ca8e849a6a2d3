"""INSERT … ON CONFLICT, as both stores spell it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

Rows = Sequence[Mapping[str, Any]]


def insert_new(connection: Connection, target: Table, rows: Rows) -> int:
    """Insert the rows that are not there yet; how many that were."""
    if not rows:
        return 0
    return connection.execute(_insert(connection, target).on_conflict_do_nothing(), rows).rowcount


def add(connection: Connection, target: Table, rows: Rows, *amounts: str) -> None:
    """Insert rows, or add their `amounts` to the ones with the same key.

    Give rows in key order: on PostgreSQL two writers in different orders would deadlock.
    """
    if not rows:
        return
    insert = _insert(connection, target)
    more = {name: target.c[name] + insert.excluded[name] for name in amounts}
    connection.execute(
        insert.on_conflict_do_update(index_elements=list(target.primary_key), set_=more), rows
    )


def _insert(connection: Connection, target: Table) -> Any:
    dialect = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    return dialect(target)
