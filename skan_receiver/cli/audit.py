"""`audit`: who changed what, when."""

import json
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.storage import audit as log

COLUMNS = ("number", "at", "actor", "action", "subject", "detail")


@click.group()
def audit() -> None:
    """Say who changed what, and whether the log is whole."""


@audit.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--before", type=click.IntRange(min=1), help="Older than this number.")
@as_json
def list_(limit: int, before: int | None, *, as_json: bool) -> None:
    """List changes, the newest first."""
    _, store = open_store()
    with store.read() as connection:
        rows = [_row(row) for row in log.entries(connection, before=before, limit=limit)]
    show(rows, COLUMNS, as_json=as_json)


def _row(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS} | {"detail": json.loads(row.detail)}


@audit.command("verify")
@as_json
def verify(*, as_json: bool) -> None:
    """Go through the log and say whether every entry is as it was written. Exit status 1: not.

    Keep the hash it prints somewhere else: with it you can tell later that nothing before it was
    made anew.
    """
    _, store = open_store()
    found = log.verify(store)
    if as_json:
        told = {"entries": found.entries, "last_hash": found.last_hash}
        click.echo(json.dumps({**told, "broken_at": found.broken_at}))
    elif found.broken_at is None:
        click.echo(f"{found.entries} entries are as they were written; the last hash is")
        click.echo(found.last_hash)
    else:
        click.echo(f"entry {found.broken_at} is not as it was written, or is missing", err=True)
    raise SystemExit(0 if found.broken_at is None else 1)
