"""`rates import | list | export`: what currencies are worth."""

from dataclasses import asdict
from datetime import date
from typing import BinaryIO

import click

from skan_receiver.cli.cells import cell
from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import cost_cells as cells
from skan_receiver.storage.rate_csv import read_csv, write_csv
from skan_receiver.storage.rates import Quote, import_rates, quotes

COLUMNS = ("day", "base", "currency", "rate", "source")

_currency = click.option("--currency", callback=cell(cells.currency), help="Of one, as in USD.")
_first = click.option("--from", "first", callback=cell(cells.day), help="From this day on.")
_last = click.option("--to", "last", callback=cell(cells.day), help="Up to this day, included.")


@click.group()
def rates() -> None:
    """Say what currencies are worth, so that reports can convert."""


@rates.command("import")
@click.argument("file", type=click.File("rb"))
@as_json
def import_(file: BinaryIO, *, as_json: bool) -> None:
    """Add rates from FILE, CSV (`-` for standard input): all of them, or none.

    As the European Central Bank publishes them (Date,USD,JPY,… against EUR), or one a line
    (day,currency,rate,base). One of the same day, currency and base takes the other's place.
    """
    try:
        rows = read_csv(file.read())
    except ConfigurationError as error:
        raise ConfigurationError(f"{file.name}: nothing is imported\n{error}") from None
    _, store = open_store()
    import_rates(store, rows)
    days = {row.day for row in rows}
    click.echo(
        dumps({"rates": len(rows), "days": len(days)})
        if as_json
        else f"{len(rows)} rates of {len(days)} days"
    )


@rates.command("list")
@_currency
@_first
@_last
@as_json
def list_(currency: str | None, first: date | None, last: date | None, *, as_json: bool) -> None:
    """List rates by day: units of the currency for one of the base."""
    rows = (asdict(quote) for quote in _found(currency, first, last))
    show(rows, COLUMNS, as_json=as_json)


@rates.command("export")
@_currency
@_first
@_last
def export(currency: str | None, first: date | None, last: date | None) -> None:
    """Print rates as CSV, one a line, as `import` reads it."""
    click.echo(write_csv(_found(currency, first, last)).encode(), nl=False)


def _found(currency: str | None, first: date | None, last: date | None) -> list[Quote]:
    _, store = open_store()
    with store.read() as connection:
        return quotes(connection, currency=currency, first=first, last=last)
