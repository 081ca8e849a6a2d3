"""A report's rows as files: CSV for spreadsheets, Parquet for frames, a page with its chart."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage.spreadsheet import guarded

Rows = Sequence[Mapping[str, Any]]


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under their columns' names, safe to open in a spreadsheet; lists are JSON."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def as_parquet(columns: Sequence[str], rows: Rows) -> bytes:
    """The same as Parquet; what is a list or an object there is JSON here.

    Raises ConfigurationError where pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise ConfigurationError(
            "Parquet needs pyarrow: pip install 'skan-receiver[analytics]'"
        ) from None
    arrays = {name: pa.array([_flat(row[name]) for row in rows]) for name in columns}
    out = BytesIO()
    pq.write_table(pa.table(arrays), out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return _flat(value)


def _flat(value: Any) -> Any:
    if not isinstance(value, tuple | list | dict):
        return value
    return json.dumps(value, default=str, separators=(",", ":")) if value else None
