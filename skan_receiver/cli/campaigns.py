"""`campaigns list | import | export | lookup`: what ad networks call the ads behind identifiers."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import BinaryIO

import click

from skan_receiver.cli.cells import cell
from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.cli.postbacks import Moment
from skan_receiver.conversion.timing import advertised
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import campaign_csv
from skan_receiver.storage.campaign_import import Changes, changes, import_campaigns
from skan_receiver.storage.campaigns import NAMES, Entry, entries, load_book
from skan_receiver.storage.columns import hour_of
from skan_receiver.web.words import printable

COLUMNS = (
    *("ad_network_id", "app_id", "source_identifier", "skan_campaign_id", "starts_on", "ends_on"),
    *("campaign_name", "adset_name", "ad_name", "channel", "tracker", "country"),
)
APP = click.IntRange(0, campaign_csv.LARGEST)
FEW = 3  # names that differ are listed up to here


@click.group()
def campaigns() -> None:
    """Name the ads behind identifiers."""


@campaigns.command("list")
@click.option("--network", callback=cell(campaign_csv.network), help="Those of one ad network.")
@click.option("--app", "app_id", type=APP, help="Those of one app; 0: those for any.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Those that run on this day.")
@as_json
def list_(network: str | None, app_id: int | None, on: datetime | None, *, as_json: bool) -> None:
    """List the rows of the table."""
    rows = (
        asdict(row)
        for row in _entries()
        if network in (None, row.ad_network_id)
        and app_id in (None, row.app_id)
        and (on is None or row.starts_on <= on.date() <= row.last)
    )
    show(rows, COLUMNS, as_json=as_json)


@campaigns.command("export")
def export() -> None:
    """Print the table as CSV, as `import` reads it."""
    click.echo(campaign_csv.write_csv(_entries()).encode(), nl=False)


def _entries() -> list[Entry]:
    _, store = open_store()
    with store.read() as connection:
        rows = entries(connection)
    store.close()
    return rows


@campaigns.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Remove what FILE lacks of the networks it names.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@as_json
def import_(file: BinaryIO, *, replace: bool, dry_run: bool, as_json: bool) -> None:
    """Add and update rows from FILE, CSV (`-` for standard input): all of them, or none.

    A row with the network, app, identifier and first day of another one takes its place.
    """
    rows = _rows(file)
    _, store = open_store()
    if dry_run:
        with store.read() as connection:
            done = changes(connection, rows, replace=replace)
    else:
        done = import_campaigns(store, rows, replace=replace)
    store.close()
    if as_json:
        click.echo(dumps({**done.counts, "dry_run": dry_run}))
        return
    for line in _told(done) if dry_run else ():
        click.echo(printable(line))
    would = "would be " if dry_run else ""
    click.echo(would + ", ".join(f"{count} {what}" for what, count in done.counts.items()))


def _rows(file: BinaryIO) -> list[Entry]:
    try:
        return campaign_csv.read_csv(file.read())
    except ConfigurationError as error:
        raise ConfigurationError(f"{file.name}: nothing is imported\n{error}") from None


def _told(done: Changes) -> Iterator[str]:
    yield from (f"add {row}" for row in done.added)
    for before, after in done.changed:
        old, new = asdict(before), asdict(after)
        differ = [
            f"{name} {_quoted(old[name])} to {_quoted(new[name])}"
            for name in new
            if new[name] != old[name]
        ]
        yield f"change {before}: {', '.join(differ)}"
    yield from (f"remove {row}" for row in done.removed)


def _quoted(value: object) -> str:
    return f"`{value}`" if value else "nothing"


@dataclass(frozen=True, slots=True)
class Asked:
    """What names depend on, of a postback that nobody has to send."""

    ad_network_id: str
    app_id: int
    source_identifier: str | None
    campaign_id: int | None
    window: int

    @property
    def version(self) -> str:
        """One of those with such an identifier: they keep the same times."""
        return "3.0" if self.source_identifier is None else "4.0"


def _sane(_ctx: object, _parameter: object, moment: datetime) -> datetime:
    """Leave room to take away days."""
    if not 1970 <= moment.year <= 9000:
        raise click.BadParameter(f"no postback arrived in {moment.year}")
    return moment


@campaigns.command("lookup")
@click.option("--network", required=True, callback=cell(campaign_csv.network))
@click.option("--app", "app_id", type=APP, required=True)
@click.option("--source", callback=cell(campaign_csv.source_identifier), help="As it arrived.")
@click.option("--campaign", type=click.IntRange(1, 100), help="The id, up to SKAdNetwork 3.")
@click.option("--window", type=click.IntRange(0, 2), default=0, show_default=True)
@click.option(
    "--arrived",
    type=Moment(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    required=True,
    callback=_sane,
    help="When, UTC.",
)
@as_json
def lookup(
    network: str,
    source: str | None,
    campaign: int | None,
    *,
    arrived: datetime,
    as_json: bool,
    app_id: int,
    window: int,
) -> None:
    """Print the names that a postback would be sent on with, and why others stay empty.

    Exit status 1 where all do.
    """
    if bool(source) == bool(campaign):
        raise click.UsageError("give --source or, up to SKAdNetwork 3, --campaign")
    asked = Asked(network, app_id, source or None, campaign, window)
    _, store = open_store()
    with store.read() as connection:
        book = load_book(connection)
    store.close()
    names, found = book.names(asked, arrived), book.candidates(asked, arrived)
    click.echo(_shown(asked, arrived, found), err=True)
    rows = [{"field": n, "name": getattr(names, n), "why": _why(n, found)} for n in NAMES]
    show(rows, ("field", "name", "why"), as_json=as_json)
    raise SystemExit(0 if any(row["name"] for row in rows) else 1)


def _shown(asked: Asked, arrived: datetime, found: Sequence[Entry]) -> str:
    """When the ad can have been shown, and how many rows that leaves."""
    shown = advertised(asked.version, asked.window, hour_of(arrived))
    rows = "1 row" if len(found) == 1 else f"{len(found)} rows"
    return f"shown from {shown.start:%Y-%m-%d %H:%M} to {shown.end:%Y-%m-%d %H:%M} UTC: {rows}"


def _why(name: str, found: Sequence[Entry]) -> str:
    """Why a name stays empty; nothing where it does not."""
    said = list(dict.fromkeys(getattr(row, name) for row in found))
    if not said:
        return "no row fits"
    if len(said) == 1:
        return "" if said[0] else "no row says it"
    more = f" and {len(said) - FEW} more" if len(said) > FEW else ""
    return f"rows differ: {', '.join(map(_quoted, said[:FEW]))}{more}"
