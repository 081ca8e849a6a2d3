"""Rows as Arrow batches: SQLite through Arrow's own driver, PostgreSQL by COPY.

Through Python's `sqlite3` a row of the export takes 11 µs, here 3. It is another copy of SQLite
in this process: whichever closes the file drops the locks of both, so that never more than one
may have it open (https://www.sqlite.org/howtocorrupt.html#posix_advisory_locks_canceled). So the
store's connections are closed first, and this one only reads.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Protocol
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import Error
from adbc_driver_sqlite import dbapi
from pyarrow import csv
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.reports.analytics.columns import Column, Kind
from skan_receiver.storage import Store
from skan_receiver.storage.store import translated

BATCH = 65_536


class Moment(Protocol):
    """One moment of a store: whatever is read from it belongs together."""

    def rows(self, wanted: Select[Any]) -> Sequence[Sequence[Any]]:
        """Few rows."""

    def batches(self, wanted: Select[Any], columns: tuple[Column, ...]) -> Iterator[pa.Table]:
        """Many rows, some at a time; words as text."""


@contextmanager
def moment(store: Store) -> Iterator[Moment]:
    """The store as it is now, until the end of the block."""
    store.close()
    with translated(), _sqlite(store) if store.is_sqlite else _postgres(store) as opened:
        yield opened


def _ahead(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Read the next batch while the last one is dealt with."""
    reading = iter(batches)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, reading, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, reading, None)
            yield batch


def _text(wanted: Select[Any], dialect: Dialect) -> str:
    return str(wanted.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


class _Sqlite:
    _dialect = sqlite.dialect()

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def rows(self, wanted: Select[Any]) -> Sequence[Sequence[Any]]:
        self._cursor.execute(_text(wanted, self._dialect))
        found: Sequence[Sequence[Any]] = self._cursor.fetchall()
        return found

    def batches(self, wanted: Select[Any], columns: tuple[Column, ...]) -> Iterator[pa.Table]:
        # The driver takes each column's type from the first rows: so the first one tells it.
        typical = ", ".join(f'{_TYPICAL[column.kind]} AS "{column.name}"' for column in columns)
        self._cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH)})
        self._cursor.execute(f"SELECT {typical} UNION ALL {_text(wanted, self._dialect)}")  # ours
        with self._cursor.fetch_record_batch() as reader:
            for skipped, batch in zip(_first(1), _ahead(reader), strict=False):
                if batch.num_rows > skipped:
                    yield _typed(batch.slice(skipped), columns)


_TYPICAL = {
    **dict.fromkeys((Kind.SMALL, Kind.BIG, Kind.YES_NO), "0"),
    **dict.fromkeys((Kind.MOMENT, Kind.TEXT, Kind.WORD), "''"),
    Kind.BYTES: "x''",
}


def _first(number: int) -> Iterator[int]:
    yield number
    while True:
        yield 0


@contextmanager
def _sqlite(store: Store) -> Iterator[_Sqlite]:
    if store.url.database in (None, "", ":memory:"):
        raise ConfigurationError("a database in memory cannot be exported; set DATABASE_URL")
    uri = f"file:{quote(str(store.url.database))}?mode=ro"
    try:
        with closing(dbapi.connect(uri)) as connection, closing(connection.cursor()) as cursor:
            yield _Sqlite(cursor)
    except Error as error:
        raise StoreUnavailable(str(error)) from error


class _Postgres:
    # No parameters follow, so that a "%" is one.
    _dialect: Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def rows(self, wanted: Select[Any]) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = self._cursor.execute(
            _text(wanted, self._dialect)
        ).fetchall()
        return found

    def batches(self, wanted: Select[Any], columns: tuple[Column, ...]) -> Iterator[pa.Table]:
        copy = f"COPY ({_text(wanted, self._dialect)}) TO STDOUT (FORMAT csv, HEADER)"
        convert = csv.ConvertOptions(
            column_types={column.name: _CSV.get(column.kind, column.plain) for column in columns},
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # COPY writes "" for empty text
        )
        read, parse = csv.ReadOptions(block_size=8 << 20), csv.ParseOptions(newlines_in_values=True)
        with self._cursor.copy(copy) as blocks:
            for batch in _ahead(csv.open_csv(_Blocks(blocks), read, parse, convert)):
                if batch.num_rows:
                    yield _typed(batch, columns)


_CSV = {Kind.BYTES: pa.string()}


class _Blocks(io.RawIOBase):
    """What COPY sends, as a file."""

    def __init__(self, blocks: Any) -> None:
        self._blocks = iter(blocks)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, length = [], 0
        for block in self._blocks:
            parts.append(bytes(block))
            if (length := length + len(parts[-1])) >= size:
                break
        return b"".join(parts)


@contextmanager
def _postgres(store: Store) -> Iterator[_Postgres]:
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            yield _Postgres(cursor)


def _typed(batch: pa.RecordBatch, columns: tuple[Column, ...]) -> pa.Table:
    arrays = (_cast(batch[column.name], column) for column in columns)
    return pa.Table.from_arrays(list(arrays), names=[column.name for column in columns])


def _cast(values: pa.Array, column: Column) -> pa.Array:
    if values.type == column.plain:
        return values
    if column.kind is Kind.MOMENT:  # SQLite's text is UTC
        return pc.assume_timezone(values.cast(pa.timestamp("us")), "UTC")
    if column.kind is Kind.BYTES:  # \x and digits
        return pa.array([_bytes(text) for text in values.to_pylist()], pa.binary())
    return values.cast(column.plain)


def _bytes(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits[2:])
