"""Statements as files: CSV, the same compressed by gzip, and Parquet."""

import gzip
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import spreadsheet

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"

# Rows of Parquet in memory at once.
BATCH = 10_000


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row with its line, the header first; a part of the file at a time.

    What kind of file it is, its first bytes say. Raises ConfigurationError where it cannot be
    read, and Unreadable where it is no CSV from some line on.
    """
    with path.open("rb") as file:
        magic = file.read(len(PARQUET))
    if magic == PARQUET:
        return _parquet(path)
    return _csv(path, compressed=magic.startswith(GZIP))


def _csv(path: Path, *, compressed: bool) -> Iterator[tuple[int, list[str]]]:
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            # Bytes that are not UTF-8 come out as halves of surrogate pairs: `fault` finds them.
            text = TextIOWrapper(file, "utf-8", "surrogateescape", newline="")
            yield from spreadsheet.stream(text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigurationError(f"{path}: is no whole gzip file ({error})") from None


def _parquet(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise ConfigurationError(
            f"{path}: is Parquet, which needs pyarrow; run: pip install pyarrow, or save it as CSV"
        ) from None
    try:
        file = ParquetFile(path)
        yield 1, list(file.schema_arrow.names)
        line = 1
        for batch in file.iter_batches(BATCH):
            for row in batch.to_pylist():
                line += 1
                yield line, [_cell(value) for value in row.values()]
    except ArrowInvalid as error:
        raise ConfigurationError(f"{path}: is no whole Parquet file ({error})") from None


def _cell(value: Any) -> str:
    """As CSV would have it."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
