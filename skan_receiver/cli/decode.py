"""`decode`: what postbacks mean under a schema; no database."""

from pathlib import Path
from typing import Any, BinaryIO

import click

from skan_receiver.cli.context import load_keys
from skan_receiver.cli.output import dumps
from skan_receiver.config import load
from skan_receiver.conversion import Schema, load_folder, load_schema
from skan_receiver.conversion import decode as decode_postback
from skan_receiver.protocol import Examination, bodies, examine


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--schema",
    "schema_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YAML file to read values by; without it, the app's own in SKAN_SCHEMAS.",
)
def decode(file: BinaryIO, schema_file: Path | None) -> None:
    """Say what each postback in FILE (JSON or NDJSON, `-` for standard input) means.

    A JSON line each; exit status 1 unless all have a meaning.
    """
    settings = load()
    given = load_schema(schema_file) if schema_file else None
    folder = {} if given else load_folder(settings.schemas)
    keys = load_keys(settings)
    every = True
    for body in bodies(file.read()):
        seen = examine(body, keys)
        schema = given or (folder.get(seen.postback.app_id) if seen.postback else None)
        line = _line(seen, schema)
        every = every and line["meaning"] is not None
        click.echo(dumps(line))
    raise SystemExit(0 if every else 1)


def _line(seen: Examination, schema: Schema | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "verdict": seen.verdict,
        "id": seen.postback.id if seen.postback else None,
        "meaning": None,
        "reason": seen.reason,
    }
    if seen.postback is None:
        return line
    if schema is None:
        return {**line, "reason": f"no schema for app {seen.postback.app_id}"}
    return {**line, **decode_postback(seen.postback, schema).as_dict()}
