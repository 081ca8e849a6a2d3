"""`statements import | list | remove`: what MMPs and networks say was installed."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import func, select

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.errors import ConfigurationError
from skan_receiver.mmp.statements import FORMATS
from skan_receiver.mmp.statements import cells as read
from skan_receiver.mmp.statements.format import ARRIVAL, INSTALLED
from skan_receiver.storage.statement_import import (
    LINE,
    STATEMENT,
    import_statement,
    remove_statement,
)
from skan_receiver.storage.statement_reading import AUTO, Asked

COLUMNS = (
    *("name", "format", "file", "first_day", "last_day", "zone", "basis", "lines", "counted"),
    *("left_out", "revenue"),
)


@click.group()
def statements() -> None:
    """Keep what MMPs and networks count, to compare it: report reconcile."""


def _zone(_ctx: object, _parameter: object, name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise click.BadParameter(f"{name!r} is no time zone; one is Europe/Berlin") from None


def _networks(
    _ctx: object, _parameter: object, written: tuple[str, ...]
) -> tuple[dict[str, tuple[str, ...]], str | None]:
    """Those by name, and the one of all rows."""
    named: dict[str, tuple[str, ...]] = {}
    of_all: str | None = None
    for text in written:
        name, equals, ids = text.rpartition("=")
        try:
            networks = tuple(read.network(one.strip()) for one in ids.split(","))
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: {error}") from None
        if len(networks) > 1 and not equals:
            raise click.BadParameter(f'several ids have a name in the file: write "NAME={ids}"')
        if equals:
            named[name.strip()] = networks
        else:
            of_all = networks[0]
    return named, of_all


@statements.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--as", "name", required=True, help="What to call it; one of that name is replaced.")
@click.option(
    "--format", type=click.Choice([AUTO, *FORMATS]), default=AUTO, show_default=True,
    help="Whose export it is; auto tells by its columns.",
)  # fmt: skip
@click.option("--zone", default="UTC", show_default=True, callback=_zone, help="Of its days.")
@click.option(
    "--basis", type=click.Choice([ARRIVAL, INSTALLED]), default=ARRIVAL, show_default=True,
    help="What its days are of: the postback's arrival, or the install.",
)  # fmt: skip
@click.option(
    "--network", "networks", multiple=True, callback=_networks,
    help='An ad-network id for a name in it, as in "Meta=v9wttpbfk9.skadnetwork"; several ids '
    "with commas. An id alone is that of all rows without one.",
)  # fmt: skip
@click.option("--app", "app_id", type=click.IntRange(1, read.LARGEST), help="Of rows without one.")
@click.option(
    "--destination", "destinations", multiple=True,
    help="By which they get our postbacks. [default: those of the format's preset]",
)  # fmt: skip
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]),
              help="Its first day. [default: that of its rows]")  # fmt: skip
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Its last day, likewise.")
@as_json
def import_(
    file: str,
    *,
    networks: tuple[dict[str, tuple[str, ...]], str | None],
    first: datetime | None,
    last: datetime | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Read FILE (CSV, gzipped or not, or Parquet; `-` for standard input): all of it, or nothing.

    Exports of AppsFlyer, Adjust, Branch and Singular, and any table with columns named as ours:
    day, app_id, ad_network_id or network, and transaction_id or installs.
    """
    named, of_all = networks
    asked = Asked(
        networks=named,
        ad_network_id=of_all,
        first_day=first.date() if first else None,
        last_day=last.date() if last else None,
        **said,
    )
    _, store = open_store()
    try:
        with _on_disk(file) as path:
            done = import_statement(store, path, asked, datetime.now(UTC), seen=_seen)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: nothing is imported\n{error}") from None
    if as_json:
        click.echo(dumps(asdict(done)))
        return
    did = "replaced" if done.replaced else "imported"
    click.echo(
        f"{done.name} ({done.format}) is {did}: {done.counted:,} in {done.lines:,} lines, "
        f"{done.first_day} to {done.last_day}"
    )
    for what, n in done.left_out.items():
        click.echo(f"left out: {n:,} rows of {what}")


@contextmanager
def _on_disk(file: str) -> Iterator[Path]:
    """Standard input is kept in a file first: Parquet is read from its end."""
    if file != "-":
        yield Path(file)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "standard input"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield path


def _seen(rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{rows:,} rows", nl=False, err=True)


@statements.command("list")
@as_json
def list_(*, as_json: bool) -> None:
    """List the statements there are, and what each adds up to."""
    _, store = open_store()
    with store.read() as connection:
        rows = connection.execute(
            select(STATEMENT).where(STATEMENT.c.name.is_not(None)).order_by(STATEMENT.c.name)
        ).all()
        worth = connection.execute(
            select(LINE.c.statement_id, LINE.c.currency, func.sum(LINE.c.revenue).label("revenue"))
            .where(LINE.c.revenue.is_not(None))
            .group_by(LINE.c.statement_id, LINE.c.currency)
            .order_by(LINE.c.currency)
        ).all()
    told = (
        {
            **{name: getattr(row, name) for name in COLUMNS if name != "revenue"},
            "revenue": [
                {"amount": round(one.revenue, 6), "currency": one.currency}
                for one in worth
                if one.statement_id == row.id
            ],
        }
        for row in rows
    )
    show(told if as_json else map(_in_words, told), COLUMNS, as_json=as_json)


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    worth = "; ".join(f"{one['amount']:,.2f} {one['currency'] or ''}" for one in row["revenue"])
    return row | {"revenue": worth.strip() or None}


@statements.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget the statement NAME. Exit status 1 where there is none."""
    _, store = open_store()
    if not remove_statement(store, name):
        click.echo(f"there is no statement {name!r}", err=True)
        raise SystemExit(1)
    click.echo(f"{name} is removed")
