"""`destinations`: where results go."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.destinations_add import add
from skan_receiver.cli.destinations_presets import presets, translate_
from skan_receiver.cli.destinations_secrets import secret
from skan_receiver.cli.destinations_trial import test
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.delivery import Entry, documents, registry, vault
from skan_receiver.delivery.search import tallies

COLUMNS = ("name", "kind", "state", "owed", "dead", "url")


@click.group()
def destinations() -> None:
    """Say where results go, and try it."""


destinations.add_command(presets)
destinations.add_command(translate_)
destinations.add_command(add)
destinations.add_command(test)
destinations.add_command(secret)


@destinations.command("list")
@as_json
def list_(*, as_json: bool) -> None:
    """List destinations, how each is doing, and how much it is owed or was given up."""
    _, store = open_store()
    with store.read() as connection:
        counts = tallies(connection)
        known, unreadable = registry.readable(connection)
        rows = [_brief(entry, counts.get(entry.name, {})) for entry in known]
        rows += [_spoilt(name, why, counts.get(name, {})) for name, why in unreadable.items()]
    show(rows, COLUMNS, as_json=as_json)


@destinations.command("show")
@click.argument("name")
@as_json
def show_(name: str, *, as_json: bool) -> None:
    """Show one: its definition, its health, and the names of its secrets."""
    _, store = open_store()
    with store.read() as connection:
        entry = registry.find(connection, name)
        told = _told(entry, [row.name for row in vault.secret_names(connection, name)])
        told["deliveries"] = tallies(connection).get(name, {})
    click.echo(dumps(told) if as_json else documents.as_yaml(_plain(told)), nl=as_json)


@destinations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check, and say what would change.")
def import_(file: Path, *, dry_run: bool) -> None:
    """Add and change destinations as FILE (YAML) says; those it does not name stay."""
    settings, store = open_store()
    written = documents.read_file(file, settings)
    with store.read() as connection:
        before = {entry.name: entry for entry in registry.readable(connection)[0]}
    if not dry_run:
        registry.put(store, written)
    for destination, _ in written:
        known = before.get(destination.name)
        same = known and registry.written(known.destination) == registry.written(destination)
        click.echo(f"{destination.name}: {'as it was' if same else 'changed' if known else 'new'}")


@destinations.command()
def export() -> None:
    """Print all destinations as YAML, without their secrets."""
    _, store = open_store()
    with store.read() as connection:
        click.echo(documents.write(registry.entries(connection)), nl=False)


@destinations.command()
@click.argument("name")
def pause(name: str) -> None:
    """Send NAME nothing more for now; it is owed all the same."""
    _, store = open_store()
    registry.pause(store, name)
    click.echo(f"{name}: paused; what it is owed waits")


@destinations.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on sending to NAME, with what has waited first."""
    _, store = open_store()
    registry.resume(store, name)
    click.echo(f"{name}: going on")


@destinations.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget NAME and its secrets; what is still owed to it is given up, on record."""
    _, store = open_store()
    given_up = registry.remove(store, name)
    click.echo(f"{name}: removed; {given_up} deliveries given up")


def _brief(entry: Entry, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.destination.kind,
        "state": entry.state,
        **_amounts(counts),
        "url": ", ".join(dict.fromkeys(entry.destination.masked)),
    }


def _spoilt(name: str, why: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """One that nothing is settled without: it is to be mended with `import`, or removed."""
    return {"name": name, "kind": None, "state": why, **_amounts(counts), "url": None}


def _amounts(counts: Mapping[str, int]) -> dict[str, int]:
    owed = counts.get("owed", 0) + counts.get("leased", 0)
    return {"owed": owed, "dead": counts.get("dead", 0)}


def _told(entry: Entry, secrets: Sequence[str]) -> dict[str, Any]:
    return {
        **documents.described_as(entry),
        "state": entry.state,
        "since": entry.since,
        "failing_since": entry.failing_since,
        "revision": entry.revision,
        "secrets": list(secrets),
    }


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
