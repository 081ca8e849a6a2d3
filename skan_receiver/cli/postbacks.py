"""`postbacks list | show`."""

import base64
import math
from datetime import UTC, datetime
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.storage.meanings import NO_SCHEMA, Readings, meanings, rest, share
from skan_receiver.storage.search import SIGNED, UNSIGNED, Query, Story, find, story
from skan_receiver.web.words import name as postback_name
from skan_receiver.web.words import printable

COLUMNS = (
    *("id", "received_at", "verdict", "counted", "version", "window", "value"),
    *("app_id", "ad_network_id", "postback_id"),
)


class Moment(click.DateTime):
    """A day or a moment, UTC."""

    def convert(self, *arguments: Any) -> datetime:
        moment: datetime = super().convert(*arguments)
        return moment.replace(tzinfo=UTC)


@click.group()
def postbacks() -> None:
    """List stored postbacks, or show one."""


@postbacks.command("list")
@click.option("--id", help="Apple's id of it: transaction-id or postback-identifier.")
@click.option("--app-id", type=int)
@click.option("--ad-network-id")
@click.option("--verdict", type=click.Choice(["valid", "development", "invalid", "unverifiable"]))
@click.option("--window", type=click.IntRange(0, 2))
@click.option("--since", type=Moment(), help="The first moment, UTC.")
@click.option("--until", type=Moment(), help="The moment after the last, UTC.")
@click.option("--counted/--not-counted", default=None, help="Only what counts, or does not.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json
def list_(*, limit: int, as_json: bool, **query: Any) -> None:
    """List stored postbacks, the newest first."""
    settings, store = open_store()
    with store.read() as connection:
        rows, _ = find(connection, settings, Query(**query), limit=limit, seconds=math.inf)
    store.close()
    show(map(_brief, rows), COLUMNS, as_json=as_json)


@postbacks.command("show")
@click.argument("which")
@as_json
def show_(*, which: str, as_json: bool) -> None:
    """Show all that is known of one: WHICH is its row's number, or Apple's id of it."""
    settings, store = open_store()
    with store.read() as connection:
        if which.isdecimal():
            ids = [int(which)]
        else:
            rows, _ = find(connection, settings, Query(id=which), limit=100)
            ids = [row.id for row in rows]
        stories = [
            (one, meanings(connection, one.row, one.row.received_at))
            for id_ in ids
            if (one := story(connection, settings, id_))
        ]
    store.close()
    if not stories:
        raise click.ClickException(f"no postback {which} has arrived")
    for one, readings in stories:
        told = _told(one)
        click.echo(
            dumps({**told, "meanings": [reading.as_dict() for reading in readings]})
            if as_json
            else _prose({**told, "signed": _named(one), "means": _means(readings)})
        )


def _brief(row: Any) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in row._fields if name != "identity"}
    value = row.coarse_value if row.fine_value is None else row.fine_value
    return {**told, "version": row.version or "AAK", "value": value}


def _told(one: Story) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "received_at": row.received_at,
        "verdict": row.verdict,
        "reason": row.reason,
        "key_id": row.key_id,
        "counted": row.counted,
        "framework": row.framework,
        "signed": {name: getattr(row, name) for name in SIGNED},
        "unsigned": {name: getattr(row, name) for name in UNSIGNED},
        "flags": row.flags.split(),
        "endpoint": row.endpoint,
        "body": base64.b64encode(row.body).decode(),
        "signed_message": base64.b64encode(row.signed_message).decode(),
        "arrived": one.arrived,
        "arrivals": [
            {
                name: getattr(arrival, name)
                for name in ("received_at", "endpoint", "kind", *UNSIGNED)
            }
            for arrival in one.arrivals
        ],
        "collisions": [other.id for other in one.collisions],
        "supersedes": row.supersedes,
        "superseded_by": one.superseded_by,
        "deliveries": [
            {"destination": owed.destination, "state": owed.state, "attempts": owed.attempts}
            for owed, _ in one.deliveries
        ],
    }


def _named(one: Story) -> dict[str, Any]:
    """The signed fields for people, who see no id that is a space."""
    signed = {name: getattr(one.row, name) for name in SIGNED}
    return {**signed, "postback_id": postback_name(one.row)}


def _means(readings: Readings) -> str:
    """What the value means, by each version that can have been in force."""
    if not readings:
        return NO_SCHEMA
    told = [
        f"{'certain' if one.certain else one.share} by version {one.version.number}: {one.decoded}"
        for one in readings
    ]
    left = rest(readings)
    return "; ".join([*told, f"{share(left)} {NO_SCHEMA}"] if left else told)


def _prose(told: dict[str, Any]) -> str:
    lines = []
    for name, value in told.items():
        if isinstance(value, dict):
            lines.append(f"{name}:")
            lines += [f"    {member}: {_shown(each)}" for member, each in value.items()]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{name}:")
            lines += [
                "    " + ", ".join(f"{k} {_shown(v)}" for k, v in each.items()) for each in value
            ]
        else:
            lines.append(f"{name}: {_shown(value)}")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    return "–" if value is None or value == [] else printable(str(value))
