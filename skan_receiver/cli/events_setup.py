"""`events setup`: what is set up, and what is still to do."""

from dataclasses import asdict

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps
from skan_receiver.web.words import printable


@click.command("setup")
@as_json
def setup_(*, as_json: bool) -> None:
    """List what to set up for events, in order, with the commands. Exit status 1: not all is."""
    from skan_receiver.doctor.events import steps

    settings, store = open_store()
    with store.read() as connection:
        found = steps(connection, settings)
    for number, step in enumerate(found, start=1):
        if as_json:
            click.echo(dumps({"step": number, **asdict(step)}))
            continue
        click.echo(
            printable(f"{'done ' if step.is_done else 'to do'}  {number}. {step.what}: {step.said}")
        )
        if not step.is_done:
            click.echo(f"          {step.command}")
    raise SystemExit(0 if all(step.is_done for step in found) else 1)
