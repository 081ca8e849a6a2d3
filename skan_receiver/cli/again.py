"""`reread` and `reverify`: what is stored, looked at again."""

import click

from skan_receiver.cli.context import load_keys, open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.reread import reread as read_again
from skan_receiver.reverify import reverify as verify_again


@click.command()
@as_json
def reread(*, as_json: bool) -> None:
    """Read the quarantine again, after an upgrade: what can be read now moves in."""
    settings, store = open_store()
    outcomes = read_again(store, settings, load_keys(settings))
    rows = [{"outcome": outcome, "bodies": n} for outcome, n in sorted(outcomes.items())]
    show(rows, ("outcome", "bodies"), as_json=as_json)


@click.command()
@as_json
def reverify(*, as_json: bool) -> None:
    """Judge every stored postback again, after a key was added or withdrawn."""
    settings, store = open_store()
    changes = verify_again(store, load_keys(settings))
    rows = [{"from": old, "to": new, "postbacks": n} for (old, new), n in sorted(changes.items())]
    show(rows, ("from", "to", "postbacks"), as_json=as_json)
