"""`deliveries`: what was sent, what waits, and sending it again."""

import math
from datetime import datetime
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.cli.postbacks import Moment
from skan_receiver.delivery import registry, replay
from skan_receiver.delivery.facts import delivery_name
from skan_receiver.delivery.replay import Which
from skan_receiver.delivery.search import MOST_ROWS, Query, find, story
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED

COLUMNS = ("id", "destination", "state", "attempts", "created_at", "next_at", "stored_id")
NARROWING = ("app_id", "ad_network_id", "window")
TRIES = ("at", "status", "duration_ms", "error_class", "error", "url")


@click.group()
def deliveries() -> None:
    """List deliveries, show one with every try, or send some again."""


@deliveries.command("list")
@click.option("--destination")
@click.option("--state", type=click.Choice([OWED, LEASED, DONE, DEAD]))
@click.option("--since", type=Moment(), help="Owed from then on, UTC.")
@click.option("--until", type=Moment(), help="Owed before then, UTC.")
@click.option("--limit", type=click.IntRange(1, MOST_ROWS), default=50, show_default=True)
@as_json
def list_(*, limit: int, as_json: bool, **query: Any) -> None:
    """List deliveries, the newest first."""
    _, store = open_store()
    with store.read() as connection:
        found = find(connection, Query(**query), limit=limit, seconds=math.inf)
    show(map(_brief, found.rows), COLUMNS, as_json=as_json)


@deliveries.command("show")
@click.argument("delivery_id", type=int)
@as_json
def show_(delivery_id: int, *, as_json: bool) -> None:
    """Show a delivery and every try at it; tries are kept for 30 days."""
    _, store = open_store()
    with store.read() as connection:
        found = story(connection, delivery_id)
    if found is None:
        raise click.ClickException(f"there is no delivery {delivery_id}")
    brief, tries = _brief(found.row), [dict(row._mapping) for row in found.attempts]
    if as_json:
        click.echo(dumps({**brief, "attempts_made": tries}))
        return
    for name, value in brief.items():
        click.echo(f"{name}: {'–' if value is None else value}")
    show(tries, TRIES, as_json=False)
    for one in tries:
        if one["answer"]:
            click.echo(f"{one['at']:%H:%M:%S} answered: {one['answer']}")


@deliveries.command("replay")
@click.argument("ids", nargs=-1, type=int)
@click.option("--destination", help="Of one destination.")
@click.option("--state", "states", multiple=True, type=click.Choice([DONE, DEAD]),
              help="In this state. [dead; with ids: either]")  # fmt: skip
@click.option("--since", type=Moment(), help="Owed from then on, UTC.")
@click.option("--until", type=Moment(), help="Owed before then, UTC.")
@click.option("--app", "app_id", type=int)
@click.option("--network", "ad_network_id")
@click.option("--window", type=click.IntRange(0, 2))
@click.option("--missed", is_flag=True, help="Instead: what arrived then and was never owed.")
@click.option("--dry-run", is_flag=True, help="Only count.")
def replay_(
    ids: tuple[int, ...],
    states: tuple[str, ...],
    *,
    missed: bool,
    dry_run: bool,
    **narrowed: Any,
) -> None:
    """Send deliveries again: those with IDS, or all that the options leave.

    Each keeps its name, and says that it is a replay. With --missed, a destination gets what
    arrived in a period before it began, or passed its filters by.
    """
    if not ids and not narrowed["destination"]:
        raise click.UsageError("name ids, or a --destination")
    if missed and (ids or states):
        raise click.UsageError("--missed is what was never owed: it has no ids and no --state")
    if missed:
        _missed(narrowed, dry_run=dry_run)
        return
    which = Which(ids, states=states or ((DONE, DEAD) if ids else (DEAD,)), **narrowed)
    _, store = open_store()
    with store.read() as connection:
        if which.destination is not None:
            registry.known(connection, which.destination)
        counted = replay.count(connection, which)
    owed = counted if dry_run else replay.again(store, which)
    click.echo(f"{owed} deliveries {'would be' if dry_run else 'are'} owed anew")


def _missed(narrowed: dict[str, Any], *, dry_run: bool) -> None:
    since: datetime | None = narrowed["since"]
    until: datetime | None = narrowed["until"]
    if other := [name for name in NARROWING if narrowed[name] is not None]:
        raise click.UsageError(f"--missed goes by the destination's filters: leave out {other[0]}")
    if since is None or until is None or not narrowed["destination"]:
        raise click.UsageError("--missed wants a --destination, --since and --until")
    settings, store = open_store()
    with store.read() as connection:
        entry = registry.find(connection, narrowed["destination"])
    owed = replay.missed(store, settings, entry, since, until, dry_run=dry_run)
    click.echo(f"{owed} postbacks {'would be' if dry_run else 'are now'} owed to {entry.name}")


def _brief(row: Any) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in row._fields if name != "identity"}
    return {**told, "name": delivery_name(row.identity, row.destination)}
