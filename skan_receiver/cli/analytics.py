"""`analytics NAME`: a named expression over an export, computed where the data is.

A command of its own, beside `report`: reports answer from the store's counts, with a base
install; these read single postbacks, need the extra [analytics], and take as long as they take.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.export import chosen_period
from skan_receiver.cli.rows import FORMATS, print_rows
from skan_receiver.config import load
from skan_receiver.reports import analytics as engines


def _named(_ctx: object, _parameter: object, name: str) -> str:
    if name not in engines.EXPRESSIONS:
        raise click.BadParameter(f"{name!r} is none of: {', '.join(engines.EXPRESSIONS)}")
    return name


def _split(_ctx: object, _parameter: object, written: tuple[str, ...]) -> tuple[str, ...] | None:
    names = (name.strip().replace("-", "_") for text in written for name in text.split(","))
    return tuple(dict.fromkeys(names)) or None


@click.command(epilog="NAME is one of those docs/analytics.md lists; a wrong one lists them.")
@click.argument("name", callback=_named)
@click.option("--from", "start", help="First day, or hour; UTC.")
@click.option("--to", "end", help="Last day, or the hour to stop before; UTC.")
@click.option("--by", multiple=True, callback=_split, help="Split by these, as in day,verdict.")
@click.option("--app", type=click.IntRange(min=0, max=2**63 - 1), help="One app.")
@click.option("--network", help="One ad network.")
@click.option("--url", help="Who computes. [default: SKAN_ANALYTICS_URL, or DuckDB]")
@click.option("--export", "folder", type=click.Path(path_type=Path),
              help="The export to read. [default: SKAN_ANALYTICS_EXPORT]")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default="table")
def analytics(
    name: str,
    start: str | None,
    end: str | None,
    by: tuple[str, ...] | None,
    url: str | None,
    folder: Path | None,
    form: str,
    **chosen: Any,
) -> None:
    """Print the expression NAME, of every postback of the export that counts.

    Run `skan-receiver export` first; PostgreSQL reads its own tables.
    """
    since, until = chosen_period(start, end)
    connected = engines.connect(url, export=folder, settings=load())
    try:
        found = connected.expression(name, by=by, since=since, until=until, **chosen)
        rows = connected.engine.to_pyarrow(found).to_pylist()
    finally:
        connected.close()
    print_rows(rows, found.columns, form, for_programs=_aware)


def _aware(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Moments aware of their zone, as the other commands print them."""
    return {
        name: value.replace(tzinfo=UTC)
        if isinstance(value, datetime) and not value.tzinfo
        else value
        for name, value in row.items()
    }
