"""Writing very many rows, as each store takes them fastest."""

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Table

from skan_receiver.storage import Store

BATCH = 100_000


def put(fresh: Store, target: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows of a table, in one transaction; `names` are those of their columns."""
    quoted = ", ".join(f'"{name}"' for name in names)
    if fresh.is_sqlite:
        marks = ", ".join("?" * len(names))
        insert = f"INSERT INTO {target.name} ({quoted}) VALUES ({marks})"
        fresh.write(lambda connection: connection.exec_driver_sql(insert, list(rows)))
        return
    with fresh.engine.begin() as connection:
        cursor: Any = connection.connection.cursor()
        with cursor.copy(f"COPY {target.name} ({quoted}) FROM STDIN") as copy:
            for text in _written(iter(rows)):
                copy.write(text)


def _written(rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    while batch := list(islice(rows, BATCH)):
        text = io.StringIO()
        text.writelines("\t".join(map(_text, row)) + "\n" for row in batch)
        yield text.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    return r"\N" if value is None else str(value)
