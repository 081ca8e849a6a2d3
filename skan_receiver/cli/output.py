"""How commands print: a table for people, NDJSON for programs."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from skan_receiver.errors import ConfigurationError
from skan_receiver.logfile import BrokenFile
from skan_receiver.web.words import printable

as_json = click.option("--json", "as_json", is_flag=True, help="Print NDJSON: an object a line.")

Row = Mapping[str, Any]

WIDE = 1_000


def show(rows: Iterable[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print `rows`: every member as JSON, or `columns` as a table."""
    if as_json:
        for row in rows:
            click.echo(dumps(row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    # A pipe has no width to keep to.
    width = None if sys.stdout.isatty() else WIDE
    Console(width=width, highlight=False, markup=False).print(table)


def dumps(row: Row) -> str:
    """One line of JSON; times as ISO 8601, bytes as text where they are text."""
    return json.dumps(dict(row), default=_plain, ensure_ascii=False)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return printable(str(value))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever keeps a file from being written is one line that says so."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}); name a file in a folder of yours"
        ) from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A file that is not whole is named: there may be several."""
    try:
        yield
    except BrokenFile as fault:
        raise BrokenFile(f"{path}: {fault}") from None
