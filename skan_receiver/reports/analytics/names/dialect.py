"""Columns as somebody else names them, so that SQL written for their files runs on ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement

from skan_receiver.config import Settings

# A column of theirs: ours of that name, or made of ours; None is one nobody can know.
Source = str | Callable[[pa.Table], pa.Array] | None


@dataclass(frozen=True, slots=True)
class Dialect:
    """Somebody's columns, and which rows their files hold."""

    title: str
    columns: Mapping[str, Source]
    only: Callable[[Settings], ColumnElement[bool]]

    def shaped(self, rows: pa.Table) -> pa.Table:
        """Our rows under their names."""
        return pa.table({name: _column(rows, source) for name, source in self.columns.items()})


def _column(rows: pa.Table, source: Source) -> pa.Array:
    if source is None:
        return pa.nulls(rows.num_rows, pa.string())
    return rows[source] if isinstance(source, str) else source(rows)


def redownload(rows: pa.Table) -> pa.Array:
    """What SKAdNetwork calls so; absent where version 1 does not tell."""
    return pc.equal(rows["conversion_type"], "redownload")
