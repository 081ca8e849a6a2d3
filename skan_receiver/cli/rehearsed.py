"""What `ingest --dry-run` prints of a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from skan_receiver.cli.context import load_keys
from skan_receiver.cli.output import Row, dumps, reading, show
from skan_receiver.config import Settings
from skan_receiver.rehearsal import MOST_LINES, Rehearsal, rehearse
from skan_receiver.storage import Store
from skan_receiver.web.words import printable

COUNTS = ("lines", "postbacks", "new", "known", "repeated", "quarantined", "refused")
MEANINGS = ("app_id", "window", "value", "meaning", "lines")


def rehearse_all(files: Sequence[Path], settings: Settings, store: Store, *, as_json: bool) -> bool:
    """Say what is in `files`: an object each, or tables. Whether a line would be refused."""
    keys, refused = load_keys(settings), False
    for path in files:
        with reading(path):
            found = rehearse(path, store, settings, keys, datetime.now(UTC))
        refused = refused or found.refused > 0
        if as_json:
            click.echo(dumps({"file": str(path), **found.as_dict()}))
        else:
            _tell(path, found)
    return refused


def _tell(path: Path, found: Rehearsal) -> None:
    said = found.as_dict()
    click.echo(f"{path}: nothing of it is stored")
    if not found.is_whole:
        click.echo(f"Only the first {MOST_LINES:,} lines were looked at.")
    counts: list[Row] = [{"what": name, "lines": said[name]} for name in COUNTS]
    counts += [{"what": name, "lines": n} for name, n in said["verdicts"].items()]
    show(counts, ("what", "lines"), as_json=False)
    for one in said["reasons"]:
        click.echo(printable(f"{one['lines']} {one['verdict']}: {one['reason']}"))
    for one in said["unreadable"]:
        click.echo(printable(f"line {one['line']}: {one['reason']}"))
    if said["not_ours"]:
        click.echo(printable(f"not registered, so not counted: {', '.join(said['not_ours'])}"))
    if said["meanings"]:
        show(said["meanings"], MEANINGS, as_json=False)
