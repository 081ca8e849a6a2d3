"""Files of user events, CSV or Parquet, read in columns: `history` says what they hold."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from skan_receiver.errors import ConfigurationError, Malformed

Column = Sequence[Any]
Columns = Mapping[str, Column]

# Rows at a time. The rows of a CSV are lists, and thousands of those at once keep the garbage
# collector busy: that took three times as long.
LINES, BATCH = 512, 1 << 16

# The simulator's truth speaks of installs, and of names.
ALSO = {"install": "user", "name": "event"}
KNOWN = ("user", "event", "hours", "revenue", "currency", "time", "installed")


def chunks(path: Path) -> Iterator[tuple[int, Columns]]:
    """The columns of some rows at a time, with the line of the first of them."""
    return _parquet(path) if path.suffix == ".parquet" else _csv(path)


def _csv(path: Path) -> Iterator[tuple[int, Columns]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            names = _names(next(reader, []), path)
            while rows := list(islice(reader, LINES)):
                first = reader.line_num - len(rows) + 1
                yield first, _columns(names, rows, f"{path}:{first}")
        except (csv.Error, UnicodeError) as error:
            raise Malformed(f"{path}:{reader.line_num}: is no CSV: {error}") from None


def _columns(names: Sequence[str], rows: list[list[str]], where: str) -> Columns:
    try:
        return dict(zip(names, zip(*rows, strict=True), strict=True))
    except ValueError:
        if [] in rows:
            return _columns(names, [row for row in rows if row] or [[""] * len(names)], where)
        cells = next(len(row) for row in rows if len(row) != len(names))
        what = f"a row of {cells} cells, where the first line has {len(names)}"
        raise Malformed(f"{where} and after: {what}") from None


def _parquet(path: Path) -> Iterator[tuple[int, Columns]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ConfigurationError(
            f"{path}: to read Parquet: pip install 'skan-receiver[simulator]', or write CSV"
        ) from None
    first = 1
    try:
        with parquet.ParquetFile(path) as file:
            names = _names(file.schema_arrow.names, path)
            for batch in file.iter_batches(batch_size=BATCH):
                columns = (["" if v is None else v for v in c.to_pylist()] for c in batch.columns)
                yield first, dict(zip(names, columns, strict=True))
                first += batch.num_rows
    except (ArrowException, OSError) as error:
        raise Malformed(f"{path}: is no Parquet: {error}") from None


def _names(header: Sequence[str], path: Path) -> list[str]:
    plain = [name.strip().lower() for name in header]
    names = [ALSO.get(name, name) for name in plain]
    has = set(names)
    missing = [name for name in ("user", "event") if name not in has]
    if not has & {"hours", "time"}:
        missing.append("hours")
    if "hours" not in has and "time" in has and "installed" not in has:
        missing.append("installed")
    if twice := [name for name in KNOWN if names.count(name) > 1]:
        raise Malformed(f"{path}:1: has two columns for `{twice[0]}`")
    if missing:
        raise Malformed(f"{path}:1: has no column `{missing[0]}`; columns are {', '.join(KNOWN)}")
    return names
