"""`costs import | list | export | remove`: what ads cost, as the networks say it."""

from collections.abc import Callable
from functools import reduce
from typing import Any, BinaryIO

import click

from skan_receiver.cli.cells import cell
from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import cost_cells as cells
from skan_receiver.storage.campaign_csv import network
from skan_receiver.storage.cost_csv import Terms, read_csv, write_csv
from skan_receiver.storage.costs import Spent, Which, changes, import_costs, remove_costs
from skan_receiver.storage.costs import costs as stored

COLUMNS = (
    *("day", "zone", "account", "ad_network_id", "app_id", "campaign_id", "campaign_name"),
    *("country", "cost", "currency", "impressions", "clicks", "installs"),
)

_NARROWING = (
    click.option("--network", "ad_network_id", callback=cell(network), help="Of one ad network."),
    click.option("--app", "app_id", callback=cell(cells.app), help="Of one app."),
    click.option("--account", callback=cell(cells.text), help='Of one account; "": of none.'),
    click.option("--from", "first", callback=cell(cells.day), help="From this day on."),
    click.option("--to", "last", callback=cell(cells.day), help="Up to this day, included."),
)


def _narrowed(command: Callable[..., Any]) -> Callable[..., Any]:
    return reduce(lambda made, option: option(made), reversed(_NARROWING), command)


@click.group()
def costs() -> None:
    """Say what ads cost."""


@costs.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--zone", callback=cell(cells.zone), help="Whose days they are, as in "
              "Europe/Berlin, of rows that do not say.")  # fmt: skip
@click.option("--currency", callback=cell(cells.currency), help="As in EUR, likewise.")
@click.option("--account", callback=cell(cells.text), help="Whose bill it is, likewise.")
@click.option("--replace", is_flag=True, help="Remove what FILE lacks of the accounts, networks "
              "and days in it.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@as_json
def import_(
    file: BinaryIO,
    zone: str | None,
    currency: str | None,
    account: str | None,
    *,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add costs from FILE, CSV (`-` for standard input): all of them, or none.

    A row of the same account, day, network, app, campaign and country takes the other's place.
    """
    rows = _rows(file, Terms(zone=zone or "", currency=currency or "", account=account or ""))
    _, store = open_store()
    if dry_run:
        with store.read() as connection:
            done = changes(connection, rows, replace=replace)
    else:
        done = import_costs(store, rows, replace=replace)
    if as_json:
        click.echo(dumps({**done.counts, "dry_run": dry_run}))
        return
    would = "would be " if dry_run else ""
    click.echo(would + ", ".join(f"{count} {what}" for what, count in done.counts.items()))


def _rows(file: BinaryIO, terms: Terms) -> list[Spent]:
    try:
        return read_csv(file.read(), terms)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file.name}: nothing is imported\n{error}") from None


@costs.command("list")
@_narrowed
@as_json
def list_(*, as_json: bool, **which: Any) -> None:
    """List costs by day."""
    show((row.as_dict() for row in _found(Which(**which))), COLUMNS, as_json=as_json)


@costs.command("export")
@_narrowed
def export(**which: Any) -> None:
    """Print costs as CSV, as `import` reads it."""
    click.echo(write_csv(_found(Which(**which))).encode(), nl=False)


@costs.command("remove")
@_narrowed
@as_json
def remove(*, as_json: bool, **which: Any) -> None:
    """Remove costs: those that all options given hold of."""
    asked = Which(**which)
    if asked == Which():
        raise click.UsageError("say which: --network, --app, --account, --from or --to")
    _, store = open_store()
    removed = remove_costs(store, asked)
    click.echo(dumps({"removed": removed}) if as_json else f"{removed} removed")


def _found(which: Which) -> list[Spent]:
    _, store = open_store()
    with store.read() as connection:
        return stored(connection, which)
