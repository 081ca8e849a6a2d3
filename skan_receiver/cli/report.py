"""`report NAME`: numbers for a period."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import dumps, show
from skan_receiver.protocol import Framework, Verdict
from skan_receiver.reports import REPORTS, Filters, Period
from skan_receiver.storage.spreadsheet import guarded

ALL_DIMENSIONS = sorted({name for report in REPORTS.values() for name in report.dimensions})


def _dimensions(_ctx: object, _parameter: object, written: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip().replace("-", "_") for text in written for name in text.split(","))
    for name in names:
        if name not in ALL_DIMENSIONS:
            raise click.BadParameter(f"{name!r} is none of: {', '.join(ALL_DIMENSIONS)}")
    return tuple(dict.fromkeys(names))


@click.command()
@click.argument("name", type=click.Choice(list(REPORTS)))
@click.option("--from", "start", help="First day, or hour; UTC. [default: 30 days ago]")
@click.option("--to", "end", help="Last day, or the hour to stop before. [default: now]")
@click.option(
    "--by", multiple=True, callback=_dimensions, help="Split by these, as in day,verdict."
)
@click.option("--app", "app_id", type=click.IntRange(min=0, max=2**63 - 1), help="One app.")
@click.option("--network", "ad_network_id", help="One ad network.")
@click.option("--framework", type=click.Choice([f.value for f in Framework]))
@click.option("--version", help="One SKAdNetwork version.")
@click.option("--window", type=click.IntRange(0, 2))
@click.option("--verdict", type=click.Choice([v.value for v in Verdict]))
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.option("--json", "as_json", is_flag=True, help="As --format json: NDJSON.")
def report(
    name: str,
    start: str | None,
    end: str | None,
    by: tuple[str, ...],
    form: str,
    *,
    as_json: bool,
    **filters: Any,
) -> None:
    """Print the report NAME, by default of the last 30 days. Times are UTC."""
    chosen = REPORTS[name]
    by = by or chosen.usually
    if wrong := set(by) - set(chosen.dimensions):
        raise click.UsageError(f"{name} cannot be split by {', '.join(sorted(wrong))}")
    try:
        period = Period.of(start, end, datetime.now(UTC))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _, store = open_store()
    with store.read() as connection:
        rows = chosen.table(connection, period, Filters(**filters), by)
    _print(rows, chosen.columns(by), "json" if as_json else form)


def _print(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: str) -> None:
    if form == "csv":
        write_csv(rows, columns)
    elif form == "json":
        for row in rows:
            click.echo(dumps(row))
    else:
        show(
            ({name: _word(name, row[name]) for name in columns} for row in rows),
            columns,
            as_json=False,
        )


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Comma-separated values, safe to open in a spreadsheet."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(_cell(row[name]) for name in columns)


def _cell(value: object) -> object:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, tuple):  # what happened, or several currencies
        return json.dumps(value) if value else ""
    return value.isoformat() if isinstance(value, datetime) else value


def _word(name: str, value: object) -> object:
    """Shares and sums as people read them."""
    if isinstance(value, tuple):
        return "; ".join(" ".join(map(str, one.values())) for one in value) or None
    if not isinstance(value, float):
        return value
    return f"{value:.1%}" if name.endswith("share") else f"{value:.2f}"
