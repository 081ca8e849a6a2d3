"""`events explain`: what became of an event, and why."""

from collections.abc import Iterator

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps
from skan_receiver.delivery.explain import Explained, Story, explain
from skan_receiver.web.words import printable


@click.command("explain")
@click.argument("event_id", type=int, metavar="ID")
@click.option("--destination", help="At this one. [at all that get events]")
@as_json
def explain_(event_id: int, destination: str | None, *, as_json: bool) -> None:
    """Say who was sent event ID, who was not, and which fields were kept back, each with why."""
    _, store = open_store()
    with store.read() as connection:
        story = explain(connection, event_id, destination)
    if as_json:
        for one in story.decisions:
            click.echo(dumps({"event": event_id, **one.as_dict()}))
        return
    click.echo("\n".join(_prose(story)))


def _prose(story: Story) -> Iterator[str]:
    said = ", ".join(f"{name}: {value}" for name, value in story.event.items() if value is not None)
    yield printable(said)
    if not story.decisions:
        yield "no destination gets events: see `destinations presets`"
    for one in story.decisions:
        yield ""
        yield from _of_one(one)


def _of_one(one: Explained) -> Iterator[str]:
    if one.outcome != "owed":
        yield printable(f"{one.destination}: {one.outcome}: {one.reason}")
        return
    sent = f"; delivery {one.delivery} is {one.state}" if one.delivery is not None else ""
    yield f"{one.destination}: {one.outcome}{sent}"
    for name, why in one.withheld.items():
        yield printable(f"    {name} is not sent: {why}")
