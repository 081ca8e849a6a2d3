"""INSERT … ON CONFLICT, as both stores spell it."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, String, Table, bindparam, cast, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

INSERTS: dict[str, Any] = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}

Rows = Sequence[Mapping[str, Any]]


def insert_new(connection: Connection, target: Table, rows: Rows, **same: Any) -> None:
    """Insert the rows that are not there yet; `same` are expressions for columns of each of them.

    Drivers do not agree on how to count them.
    """
    if rows:
        new = _new(connection.dialect.name, target)
        connection.execute(new.values(**same) if same else new, rows)


def add(connection: Connection, target: Table, rows: Rows, *amounts: str) -> None:
    """Insert rows, or add their `amounts` to the ones with the same key.

    Give rows in key order: on PostgreSQL two writers in different orders would deadlock.
    """
    if not rows:
        return
    connection.execute(_adding(connection.dialect.name, target, amounts), rows)


def put(connection: Connection, target: Table, rows: Rows, key: Sequence[str]) -> None:
    """Insert rows, in place of those with the same `key`. Give them in its order, as to `add`."""
    if rows:
        names = tuple(rows[0])
        connection.execute(_putting(connection.dialect.name, target, tuple(key), names), rows)


def add_rows(connection: Connection, target: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """As `add`, for very many: whole rows, in the order of the table's columns, the last of which
    is the amount. Times are text, as SQLite keeps them.

    SQLite is quickest told row by row, PostgreSQL all at once; SQLAlchemy would take longer over
    the parameters than either takes to write them.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_adding_written(target), {"rows": json.dumps(rows)})
        return
    connection.exec_driver_sql(_adding_one(target), rows)


# Built once: making a statement costs more than running it.


@cache
def _adding_one(target: Table) -> str:
    """As SQLite is told it."""
    return str(_adding("sqlite", target, (target.c.keys()[-1],)).compile(dialect=sqlite.dialect()))


@cache
def _adding_written(target: Table) -> Any:
    """From rows that are written as JSON."""
    *_, amount = target.c
    row = func.json_array_elements(cast(bindparam("rows", type_=String), JSON)).column_valued("row")
    cells = (cast(row.op("->>")(number), column.type) for number, column in enumerate(target.c))
    insert: Any = insert_postgresql(target).from_select(target.c.keys(), select(*cells))
    more = {amount.name: amount + insert.excluded[amount.name]}
    return insert.on_conflict_do_update(index_elements=list(target.primary_key), set_=more)


@cache
def _new(dialect: str, target: Table) -> Any:
    return INSERTS[dialect](target).on_conflict_do_nothing()


@cache
def _adding(dialect: str, target: Table, amounts: tuple[str, ...]) -> Any:
    insert: Any = INSERTS[dialect](target)
    more = {name: target.c[name] + insert.excluded[name] for name in amounts}
    return insert.on_conflict_do_update(index_elements=list(target.primary_key), set_=more)


@cache
def _putting(dialect: str, target: Table, key: tuple[str, ...], names: tuple[str, ...]) -> Any:
    insert: Any = INSERTS[dialect](target)
    new = {name: insert.excluded[name] for name in names if name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=new)
