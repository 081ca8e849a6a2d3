"""`verify`: no database, no settings but the keys."""

from typing import BinaryIO

import click

from skan_receiver.cli.context import load_keys
from skan_receiver.cli.output import dumps
from skan_receiver.config import load
from skan_receiver.protocol import bodies, examine


@click.command()
@click.argument("file", type=click.File("rb"))
def verify(file: BinaryIO) -> None:
    """Say of each postback in FILE (JSON or NDJSON, `-` for standard input) who signed it.

    A JSON line each; exit status 1 unless all are valid.
    """
    keys = load_keys(load())
    every = True
    for body in bodies(file.read()):
        seen = examine(body, keys)
        every = every and seen.verdict == "valid"
        click.echo(
            dumps(
                {
                    "verdict": seen.verdict,
                    "framework": seen.framework,
                    "version": seen.version,
                    "key_id": seen.key_id,
                    "id": seen.postback.id if seen.postback else None,
                    "reason": seen.reason,
                }
            )
        )
    raise SystemExit(0 if every else 1)
