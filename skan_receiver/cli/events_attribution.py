"""`events attribution`: to which ad an install was given, and why."""

from collections.abc import Iterator

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps
from skan_receiver.storage.attribution import Verdict, verdict
from skan_receiver.web.words import printable


@click.command()
@click.argument("event_id", type=int, metavar="ID")
@as_json
def attribution(event_id: int, *, as_json: bool) -> None:
    """Say to which ad install ID was given, why, and which touches lost: docs/touches.md."""
    _, store = open_store()
    with store.read() as connection:
        found = verdict(connection, event_id)
    if as_json:
        click.echo(dumps(found.as_dict()))
        return
    click.echo("\n".join(_prose(found)))


def _prose(found: Verdict) -> Iterator[str]:
    yield printable(f"{found.media_source or 'nobody'}: {found.reason}")
    for name, value in (found.touch or {}).items():
        if value is not None:
            yield printable(f"    {name}: {value}")
    for one in found.losers:
        which = f"touch {one['touch']}" if one["touch"] else "Apple's answer"
        when = one["at"] or "at a time that is not known"
        yield printable(f"lost: {one['kind']} of {one['media_source']} ({which}, {when}): "
                        f"{one['why']}")  # fmt: skip
