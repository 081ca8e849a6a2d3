"""`events policy`: what the owner of the apps decides where no law and no platform does."""

from dataclasses import asdict

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.storage import consent

COLUMNS = ("at", "policy", "author", "reason")

_author = click.option("--author", required=True, help="Who decided.")
_reason = click.option("--reason", required=True, help="Why, for whoever asks later.")


@click.group()
def policy() -> None:
    """Say whether events may go out where no law and no platform decides: docs/consent.md."""


@policy.command()
@_reason
@_author
def allow(reason: str, author: str) -> None:
    """Let them go out, from now on."""
    _record(reason, author, allows=True)


@policy.command()
@_reason
@_author
def deny(reason: str, author: str) -> None:
    """Hold them, from now on."""
    _record(reason, author, allows=False)


@policy.command("show")
@as_json
def show_(*, as_json: bool) -> None:
    """Show what was decided; the first line stands. Exit status 1: nothing was."""
    _, store = open_store()
    with store.read() as connection:
        found = consent.policies(connection)
    rows = [{**asdict(one), "policy": _word(allows=one.allows)} for one in found]
    show(rows, COLUMNS, as_json=as_json)
    if not rows:
        raise click.ClickException("no policy is recorded, so nothing goes out by it: "
                                   "`events policy allow --reason … --author …`")  # fmt: skip


def _record(reason: str, author: str, *, allows: bool) -> None:
    _, store = open_store()
    made = consent.record(store, allows=allows, author=author, reason=reason)
    click.echo(f"{_word(allows=allows)}: of events from {made.at:%Y-%m-%d %H:%M:%S} UTC on")


def _word(*, allows: bool) -> str:
    return "allow" if allows else "deny"
