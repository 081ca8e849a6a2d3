"""How commands print rows of numbers: as a table, CSV, NDJSON or Parquet."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from skan_receiver.cli.output import dumps, show
from skan_receiver.reports.formats import as_csv, as_parquet

FORMATS = ["table", "csv", "json", "parquet"]

Row = Mapping[str, Any]


def print_rows(
    rows: Sequence[Row],
    columns: Sequence[str],
    form: str,
    *,
    for_people: Callable[[Row], Row] = lambda row: row,
    for_programs: Callable[[Row], Row] = lambda row: row,
) -> None:
    """Print `rows` in one of FORMATS; tables and NDJSON say them in words of their own."""
    if form == "csv":
        click.echo(as_csv(columns, ([row[name] for name in columns] for row in rows)), nl=False)
    elif form == "parquet":
        sys.stdout.buffer.write(as_parquet(columns, rows))
    elif form == "json":
        for row in rows:
            click.echo(dumps(for_programs(row)))
    else:
        show(map(for_people, rows), columns, as_json=False)
