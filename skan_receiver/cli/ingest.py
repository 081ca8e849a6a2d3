"""`ingest FILE…`."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, reading
from skan_receiver.cli.rehearsed import rehearse_all
from skan_receiver.importing import Imported, import_file

SHOWN_FAULTS = 20


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--processes", type=click.IntRange(min=1), help="As many as cores, by default.")
@click.option("--dry-run", is_flag=True, help="Say what is in FILES, and store nothing.")
@as_json
def ingest(files: tuple[Path, ...], processes: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Import postbacks from FILES of NDJSON, gzipped or not: bodies, or envelopes
    {"received_at", "endpoint", "body" (base64)} that keep their times.

    An import that was stopped goes on where it was; a file imported twice changes nothing.
    Prints a JSON line of outcomes for each file; exit status 1 where a line was refused, or with
    --dry-run would be. That prints tables: what is valid, what is not and why, what is here
    already, and what values mean.
    """
    settings, store = open_store()
    if dry_run:
        raise SystemExit(1 if rehearse_all(files, settings, store, as_json=as_json) else 0)
    store.close()
    refused = False
    for path in files:
        tally = _Tally(path)
        with tally.bar, reading(path):
            import_file(path, settings, tally.add, processes or 0)
        click.echo(dumps({"file": str(path), "lines": tally.lines, **tally.outcomes}))
        refused = refused or tally.outcomes["refused"] > 0
    raise SystemExit(1 if refused else 0)


class _Tally:
    """What became of a file, and a bar of its bytes on a terminal (none in a pipe)."""

    def __init__(self, path: Path) -> None:
        self.path, self.lines, self.shown = path, 0, 0
        self.outcomes: Counter[str] = Counter()
        self.bar: Any = click.progressbar(
            length=_size(path),
            label=path.name,
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        )

    def add(self, chunk: Imported, size: int) -> None:
        self.lines += chunk.lines
        self.outcomes.update(chunk.outcomes)
        self.bar.update(size)
        for line, reason in chunk.faults:
            self.shown += 1
            if self.shown <= SHOWN_FAULTS:
                click.echo(f"{self.path}:{line}: {reason}", err=True)
            elif self.shown == SHOWN_FAULTS + 1:
                click.echo(f"{self.path}: … more lines were refused", err=True)


def _size(path: Path) -> int:
    """How many bytes there are to read; gzip keeps it, up to 4 GiB, in its last four."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        if not zipped:
            return path.stat().st_size
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")
