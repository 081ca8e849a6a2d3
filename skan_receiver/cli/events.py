"""`events`: what MMPs and apps tell of users: who may tell, and what was told."""

import math
from datetime import UTC, datetime
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.events_attribution import attribution
from skan_receiver.cli.events_erase import erase_
from skan_receiver.cli.events_explain import explain_
from skan_receiver.cli.events_import import import_
from skan_receiver.cli.events_policy import policy
from skan_receiver.cli.events_setup import setup_
from skan_receiver.cli.events_sources import sources
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.cli.postbacks import Moment
from skan_receiver.config import Settings
from skan_receiver.mmp.personal import masked
from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.provider import KINDS, kind_of
from skan_receiver.storage import connections as mmps
from skan_receiver.storage import event_search
from skan_receiver.storage.event_rows import COLUMNS as PARTS
from skan_receiver.storage.event_rows import amount
from skan_receiver.storage.event_search import Query
from skan_receiver.storage.newest import MOST_ROWS
from skan_receiver.web.words import printable

BRIEF = (
    *("id", "received_at", "at", "kind", "name", "app", "media_source", "revenue", "currency"),
    *("connection", "withdrawn_by"),
)


@click.group()
def events() -> None:
    """Take in installs and in-app events of users, and look at them: docs/events.md."""


events.add_command(import_)
events.add_command(explain_)
events.add_command(attribution)
events.add_command(policy)
events.add_command(erase_)
events.add_command(sources)
events.add_command(setup_)


@events.command()
@click.argument("provider", type=click.Choice(list(PROVIDERS)))
@click.option("--name", help="What you call it. [default: the provider's name]")
@click.option(
    "--app", "app_id", type=click.IntRange(min=1), help="App Store id of what names no app."
)
@as_json
def connect(provider: str, name: str | None, app_id: int | None, *, as_json: bool) -> None:
    """Let PROVIDER post to us, and print the addresses to paste there.

    They have a token in them: this is the only time that anybody sees it.
    """
    settings, store = open_store()
    token = mmps.connect(store, name or provider, provider, datetime.now(UTC), app_id=app_id)
    known = PROVIDERS[provider]
    urls = known.urls(base_of(settings), token)
    if as_json:
        for one in urls:
            click.echo(dumps({"connection": name or provider, "when": one.when, "url": one.url}))
        return
    for one in urls:
        click.echo(f"{known.title}: {one.when}\n\n    {one.url}\n")
    if known.notes:
        click.echo(known.notes)
    if not settings.public_url:
        click.echo("SKAN_PUBLIC_URL is not set: put the address the world knows us by in front.",
                   err=True)  # fmt: skip


@events.command("connections")
@as_json
def connections_(*, as_json: bool) -> None:
    """List who may post to us, and when they last did; tokens are not kept."""
    _, store = open_store()
    rows = [row._asdict() for row in mmps.connections(store)]
    show(rows, ("name", "provider", "app_id", "created_at", "last_event_at"), as_json=as_json)


@events.command()
@click.argument("name")
def disconnect(name: str) -> None:
    """End a connection at once; what it told stays."""
    _, store = open_store()
    if not mmps.disconnect(store, name):
        raise click.ClickException(f"there is no connection {name!r}: see `events connections`")
    click.echo(f"{name} may no longer post; what it told stays")


@events.command("list")
@click.option("--connection", help="Where it came in.")
@click.option("--provider", help="Who told it; own: the app's own server.")
@click.option("--kind", type=click.Choice(list(KINDS.values())))
@click.option("--name", help="Of the event.")
@click.option("--app", "app_id", type=int)
@click.option("--media-source")
@click.option("--event-id", help="What its teller calls it.")
@click.option("--identifier", help="Whose it is: an id of a device, user or click, whole.")
@click.option("--since", type=Moment(), help="Received from then on, UTC.")
@click.option("--until", type=Moment(), help="Received before then, UTC.")
@click.option("--withdrawn/--standing", default=None, help="Only what was taken back, or was not.")
@click.option("--limit", type=click.IntRange(1, MOST_ROWS), default=50, show_default=True)
@as_json
def list_(*, kind: str | None, limit: int, as_json: bool, **query: Any) -> None:
    """List events, the newest first, without who it was."""
    asked = Query(**query, kind=None if kind is None else kind_of(kind).value)
    _, store = open_store()
    with store.read() as connection:
        rows, _ = event_search.find(connection, asked, limit=limit, seconds=math.inf)
    show(map(_brief, rows), BRIEF, as_json=as_json)


@events.command("show")
@click.argument("event_id", type=int, metavar="ID")
@click.option("--identifiers", is_flag=True, help="In full; else the first letters of each.")
@as_json
def show_(event_id: int, *, identifiers: bool, as_json: bool) -> None:
    """Show all that is known of event ID. Who was sent it: `events explain ID`."""
    _, store = open_store()
    with store.read() as connection:
        story = event_search.story(connection, event_id)
    if story is None:
        raise click.ClickException(f"there is no event {event_id}: see `events list`")
    row = story.row
    told = _brief(row) | {
        name: getattr(row, name)
        for part, names in PARTS.items()
        if part != "person"
        for name in names
    }
    for name in PARTS["person"]:
        value = getattr(row, name)
        told[name] = value if identifiers or value is None else masked(value)
    told["takes_back"] = story.takes_back
    if as_json:
        click.echo(dumps(told))
        return
    for name, value in told.items():
        if value not in (None, []):
            click.echo(f"{name}: {printable(str(value))}")


def _brief(row: Any) -> dict[str, Any]:
    names = (
        *("id", "received_at", "at", "provider", "event_id", "name", "app_id", "bundle_id"),
        *("platform", "installed_at", "currency", "order_id", "media_source", "is_attributed"),
        *("is_restricted", "connection", "withdraws", "withdrawn_by"),
    )
    return {
        **{name: getattr(row, name) for name in names},
        "kind": KINDS[row.kind],
        "app": row.app_id or row.bundle_id,
        "revenue": amount(row.revenue_micros),
    }


def base_of(settings: Settings) -> str:
    """The address that the world knows us by, as far as it is set."""
    return settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
