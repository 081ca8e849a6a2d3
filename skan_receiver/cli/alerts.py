"""`alerts`: what is not well, from which numbers on it is told, and whom."""

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from skan_receiver.alerting import book, telling, thresholds, watch
from skan_receiver.alerting.book import Wanted
from skan_receiver.alerting.channels import KINDS
from skan_receiver.alerting.channels.kind import Wires
from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.storage import alerts as kept
from skan_receiver.worker import transport

COLUMNS = ("severity", "rule", "since", "message")
PAST = ("rule", "subject", "since", "resolved_at", "message")


@click.group()
def alerts() -> None:
    """Say what is not well, and who is told."""


@alerts.command("list")
@click.option("--past", is_flag=True, help="Those that have ended, the newest first.")
@as_json
def list_(*, past: bool, as_json: bool) -> None:
    """List alerts, as the worker last found them. Exit status 1: some are open."""
    _, store = open_store()
    with store.read() as connection:
        rows = (kept.past_alerts if past else kept.open_alerts)(connection)
    show([row._asdict() for row in rows], PAST if past else COLUMNS, as_json=as_json)
    raise SystemExit(1 if rows and not past else 0)


@alerts.command("check")
@as_json
def check(*, as_json: bool) -> None:
    """Look now, and write down what was found; the worker tells it. Exit status 1: not all is well.

    By the settings of this environment, which may not be the worker's.
    """
    settings, store = open_store()
    found = watch.check(store, settings, datetime.now(UTC))
    rows = [{"rule": rule, **asdict(one)} for rule, some in found.items() for one in some]
    show(rows, ("severity", "rule", "message"), as_json=as_json)
    raise SystemExit(1 if rows else 0)


@alerts.command("rules")
@as_json
def rules(*, as_json: bool) -> None:
    """List what is looked for, and from which numbers on."""
    _, store = open_store()
    with store.read() as connection:
        rows = [one.as_dict() for one in thresholds.settings(connection).values()]
    if not as_json:
        for row in rows:
            row["limits"] = " ".join(f"{name}={n:g}" for name, n in row["limits"].items())
            row["state"] = "off" if row["is_off"] else "on"
    show(rows, ("name", "state", "limits", "says"), as_json=as_json)


def _limit(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> Any:
    limits = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            limits[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not as in points=20") from None
    return limits


@alerts.command("set")
@click.argument("rule")
@click.option("--limit", "limits", multiple=True, callback=_limit, help="As in points=20; others "
              "are as usual.")  # fmt: skip
@click.option("--off", "is_off", is_flag=True, help="Do not look for it.")
def set_(rule: str, limits: dict[str, float], *, is_off: bool) -> None:
    """Say from which numbers on RULE tells; without options, as usual."""
    _, store = open_store()
    done = thresholds.set_rule(store, rule, limits, is_off=is_off)
    click.echo(f"{rule}: {'off' if is_off else 'on'}, {dumps(done.limits)}")


@alerts.group("channels")
def channels() -> None:
    """Say who is told, and how."""


@channels.command("list")
@as_json
def list_channels(*, as_json: bool) -> None:
    """List who is told."""
    _, store = open_store()
    with store.read() as connection:
        rows = [one.as_dict() for one in book.channels(connection)]
    show(rows, ("name", "kind", "where", "rules", "told_at", "last_error"), as_json=as_json)


@channels.command("put")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True)
@click.option("--url", is_flag=True, help="Ask for the URL, of a webhook or Slack's.")
@click.option("--secret", is_flag=True, help="Ask for the secret that signs a webhook.")
@click.option("--to", multiple=True, help="An address of e-mail; several are several.")
@click.option("--rule", "rules", multiple=True, help="A rule it is told of; none: all.")
def put(
    name: str, kind: str, to: tuple[str, ...], rules: tuple[str, ...], *, url: bool, secret: bool
) -> None:
    """Add the channel NAME, or change it; what is not asked for stays.

    Addresses may hold tokens: they are asked for, so that no shell remembers them.
    """
    settings, store = open_store()
    asked = {
        what: click.prompt(what, hide_input=True).strip() if is_asked else ""
        for what, is_asked in (("url", url), ("secret", secret))
    }
    wanted = Wanted(name=name, kind=kind, to=to, rules=rules, **asked)
    channel = book.put_channel(store, settings, wanted)
    click.echo(f"{channel.name} leads to {channel.where}; `alerts channels test {name}` tries it")


@channels.command("test")
@click.argument("name")
def test(name: str) -> None:
    """Send the channel NAME a test."""
    settings, store = open_store()
    with closing(transport(settings)) as sending:
        telling.test(store, Wires(sending, settings), name)
    click.echo(f"{name} took a test")


@channels.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Tell the channel NAME nothing more."""
    _, store = open_store()
    book.remove_channel(store, name)
    click.echo(f"{name} is told nothing more")
