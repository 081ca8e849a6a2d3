"""`redecode`: a version with a date in the past."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.cli.versions import author, effective_from, note, rollout, tell, written
from skan_receiver.redecode import correction
from skan_receiver.redecode import redecode as decode_again
from skan_receiver.storage.schemas import Publication

COLUMNS = ("window", "value", "conversion_type", "was", "now", "cells", "postbacks")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--corrects",
    type=click.IntRange(min=1),
    help="The version that was wrong: this one takes its place, dates and all.",
)
@effective_from
@rollout
@author
@note
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@as_json
def redecode(
    file: Path, *, corrects: int | None, dry_run: bool, as_json: bool, **details: Any
) -> None:
    """Publish FILE with a date in the past, and say which counted values change meaning.

    No postback and no count is touched: what they mean is looked up when somebody asks.
    """
    if corrects and (details["effective_from"] or details["rollout_hours"]):
        raise click.UsageError("--corrects takes the dates of the version it corrects")
    wanted = Publication(written(file), **details)
    _, store = open_store()
    if corrects:
        wanted = correction(store, wanted, corrects)
    done = decode_again(store, wanted, datetime.now(UTC), dry_run=dry_run)
    store.close()
    rows = [{name: getattr(one, name) for name in one.__slots__} for one in done.changes]
    if rows or as_json:
        show(rows, COLUMNS, as_json=as_json)
    changed = sum(one.postbacks for one in done.changes)
    cells = sum(one.cells for one in done.changes)
    click.echo(
        f"{changed} of {done.postbacks} postbacks change meaning, "
        f"{cells} of {done.cells} counted cells",
        err=True,
    )
    if done.published and not as_json:
        tell(done.published, as_json=False)
