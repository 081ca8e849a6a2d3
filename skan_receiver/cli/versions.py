"""`schemas publish | list | diff | rollback | import`: versions of schemas in the store."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.cli.postbacks import Moment
from skan_receiver.config import load
from skan_receiver.conversion import Schema, load_schema
from skan_receiver.conversion.differences import differences
from skan_receiver.conversion.rollout import rollout_hours
from skan_receiver.storage import schemas as storage
from skan_receiver.storage.folder import import_folder
from skan_receiver.storage.schemas import Publication, Published, Version

COLUMNS = (
    *("app_id", "version", "from", "rollout_hours", "state", "encoder", "content", "source"),
    *("published_at", "author", "note"),
)


class Hours(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """A length of time, kept in hours: 48h, 2d or 2w."""

    name = "hours"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        try:
            return rollout_hours(value)
        except ValueError as error:
            self.fail(f"{value} {error}", param, ctx)


effective_from = click.option(
    "--effective-from",
    type=Moment(),
    help="When devices begin to use it, UTC. [default: now; for a first version: always]",
)
rollout = click.option(
    "--rollout",
    "rollout_hours",
    type=Hours(),
    default=0,
    help="How long until every device uses it: 48h for remote configuration, 4w for an update.",
)
author = click.option("--author", default="", help="Who publishes it.")
note = click.option("--note", default="", help="Why.")


@click.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@effective_from
@rollout
@author
@note
@as_json
def publish(file: Path, *, as_json: bool, **details: Any) -> None:
    """Publish FILE as the next version of its app's schema. Versions are never changed.

    A file with mistakes is refused, and so is a date that would change what postbacks mean that
    have arrived: that is `redecode`.
    """
    text = written(file)
    _, store = open_store()
    published = storage.publish(store, Publication(text, **details), datetime.now(UTC))
    store.close()
    tell(published, as_json=as_json)


def written(file: Path) -> str:
    """The text of a schema without mistakes; SchemaError names them with the file's name."""
    load_schema(file)
    return file.read_text(encoding="utf-8")


@click.command("rollback")
@click.argument("app_id", type=click.IntRange(min=1))
@click.argument("number", type=click.IntRange(min=1))
@effective_from
@rollout
@author
@note
@as_json
def rollback(app_id: int, number: int, *, as_json: bool, **details: Any) -> None:
    """Publish what version NUMBER of APP_ID's schema says again, under a new number."""
    _, store = open_store()
    wanted = Publication("", **details)
    published = storage.roll_back(store, app_id, number, wanted, datetime.now(UTC))
    store.close()
    tell(published, as_json=as_json)


def tell(published: Published, *, as_json: bool) -> None:
    """What was published, what it does not do, and what comes next."""
    version = published.version
    if as_json:
        click.echo(dumps({**_row(version), "is_new": published.is_new}))
        return
    if not published.is_new:
        click.echo(f"version {version.number} of app {version.app_id} says so already")
        return
    click.echo(f"version {version.number} of app {version.app_id}, {_when(version)}")
    if version.is_mirror:
        click.echo(
            f"It mirrors what {version.encoder} sets on the phone, and changes no device: "
            f"change the schema at {version.encoder} too."
        )
    if (after := published.next) is not None:
        click.echo(f"Version {after.number} is to take over, {_when(after)}.")


def _when(version: Version) -> str:
    since = f"from {version.since:%Y-%m-%d %H:%M} UTC on" if version.since else "from the beginning"
    reached = f", on every device {version.rollout_hours} hours later"
    return since + (reached if version.rollout_hours else "")


@click.command("list")
@click.option("--app", "app_id", type=click.IntRange(min=1), help="One app.")
@as_json
def list_(app_id: int | None, *, as_json: bool) -> None:
    """List every version, and which of them are in force."""
    _, store = open_store()
    with store.read() as connection:
        versions = storage.history(connection, app_id)
    store.close()
    states = storage.states(versions, datetime.now(UTC))
    rows = [{**_row(one), "state": states[one.app_id, one.number]} for one in versions]
    show(rows, COLUMNS, as_json=as_json)


def _row(version: Version) -> dict[str, Any]:
    return {
        "app_id": version.app_id,
        "version": version.number,
        "from": version.since,
        "rollout_hours": version.rollout_hours,
        "encoder": version.encoder,
        "content": version.content_hash[:12],
        "source": version.source,
        "published_at": version.published_at,
        "author": version.author,
        "note": version.note,
    }


@click.command("diff")
@click.argument("a")
@click.argument("b")
@as_json
def diff(a: str, b: str, *, as_json: bool) -> None:
    """Say what changes meaning from A to B: files, or versions as APP@NUMBER.

    Exit status 1 where anything does.
    """
    found = differences(_schema(a), _schema(b))
    last: tuple[str, int | None] = ("", None)
    for one in found:
        if as_json:
            click.echo(dumps({name: getattr(one, name) for name in one.__slots__}))
            continue
        if (place := (one.conversion, one.window)) != last:
            click.echo(f"{one.conversion}, window {one.window}")
            last = place
        click.echo(f"  {one}")
    raise SystemExit(1 if found else 0)


def _schema(which: str) -> Schema:
    found = re.fullmatch(r"(\d{1,18})@(\d{1,9})", which)
    if found is None:
        return load_schema(Path(which))
    _, store = open_store()
    app_id, number = map(int, found.groups())
    with store.read() as connection:
        version = storage.find(storage.history(connection, app_id), app_id, number)
    store.close()
    return storage.read(version.text)


@click.command("import")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@as_json
def import_(folder: Path | None, *, as_json: bool) -> None:
    """Publish the files in FOLDER (without: SKAN_SCHEMAS) that are new or changed.

    `serve` and `worker` do so by themselves. Exit status 1 where a file was left alone.
    """
    _, store = open_store()
    folder = folder or load().schemas
    done = import_folder(store, folder, datetime.now(UTC), deliberate=True)
    store.close()
    for version in done.published:
        tell(Published(version, is_new=True, next=None), as_json=as_json)
    for problem in done.problems:
        click.echo(problem, err=True)
    raise SystemExit(1 if done.problems else 0)


COMMANDS = (publish, list_, diff, rollback, import_)
