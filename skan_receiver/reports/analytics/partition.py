"""A partition: one file of one app's postbacks of one month, and what its rows came to."""

import json
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skan_receiver.errors import ConfigurationError
from skan_receiver.reports.analytics.prints import Print, of_rows
from skan_receiver.reports.analytics.state import durable, keep

FILE = "postbacks.parquet"
NOTE = b"skan_receiver"
GROUP = 131_072  # rows written together

Shape = Callable[[pa.Table], pa.Table]  # rows as they were read -> as they are written


class Partition:
    """A file in the making; it takes the place of the old one when it is finished."""

    def __init__(self, path: Path, shape: Shape, rule: str) -> None:
        self._path, self._shape, self._rule = path, shape, rule
        self._new = path.with_name(f".{path.name}.new")
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None
        self._print = Print()
        self.waiting = 0

    @property
    def rows(self) -> int:
        """How many were written."""
        return self._print.rows

    def add(self, rows: pa.Table) -> None:
        """Take rows; they are written when there are many."""
        self._waiting.append(rows)
        self.waiting += rows.num_rows
        if self.waiting >= GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        rows = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting, self.waiting = [], 0
        self._print += of_rows(rows)
        shaped = self._shape(rows)
        if self._writer is None:
            self._new.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._new, shaped.schema, compression="zstd")
        self._writer.write_table(shaped)

    def close(self) -> None:
        """Write the rest."""
        if self._waiting:
            self.flush()
        assert self._writer is not None
        note = json.dumps({"rule": self._rule, "print": astuple(self._print)})
        self._writer.add_key_value_metadata({NOTE: note.encode()})
        self._writer.close()

    def keep(self) -> None:
        """Let the file, once closed, be read. It waits for the disk: in any thread."""
        keep(self._new, self._path)

    def abandon(self) -> None:
        """Leave the old file as it is."""
        if self._writer is not None:
            self._writer.close()
        self._new.unlink(missing_ok=True)


class Folder:
    """The partitions of an export: `month=2026-11/app_id=1508626212/postbacks.parquet`."""

    def __init__(self, root: Path, key: str) -> None:
        self.root, self._key = root, key

    def path(self, month: datetime | str, app_id: int) -> Path:
        """Where a partition's file is."""
        name = month if isinstance(month, str) else f"{month:%Y-%m}"
        return self.root / f"month={name}" / f"{self._key}={app_id}" / FILE

    def apps(self, month: str) -> list[int]:
        """The apps that have a file in a month."""
        found = (self.root / f"month={month}").glob(f"{self._key}=*/{FILE}")
        return sorted(_app_of(path.parent) for path in found)

    def months(self) -> Iterator[str]:
        """The months that have a folder."""
        return (path.name.partition("=")[2] for path in sorted(self.root.glob("month=*")))

    def note(self, month: datetime, app_id: int) -> tuple[str, Print] | None:
        """The rule a partition was written by, and the print of its rows; None if unreadable."""
        try:
            written: dict[bytes, bytes] = pq.read_metadata(self.path(month, app_id)).metadata or {}
            noted: dict[str, Any] = json.loads(written[NOTE])
        except (OSError, pa.ArrowInvalid, KeyError):
            return None
        return noted["rule"], Print(*noted["print"])

    def remove(self, month: str, app_id: int) -> None:
        """Remove a partition, and its folders where nothing else is in them."""
        path = self.path(month, app_id)
        path.unlink(missing_ok=True)
        path.parent.rmdir()
        if not any(path.parent.parent.iterdir()):
            path.parent.parent.rmdir()
        durable(self.root)

    def sweep(self) -> None:
        """Remove what a run that was killed had begun."""
        for path in self.root.glob(f"month=*/{self._key}=*/.{FILE}.new"):
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()


def _app_of(folder: Path) -> int:
    name = folder.name.partition("=")[2]
    if not (name.isascii() and name.isdigit()):
        raise ConfigurationError(f"{folder} is nothing of ours; move it elsewhere")
    return int(name)
