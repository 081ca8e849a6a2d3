"""`apps` and `networks`: whose postbacks count. Until one is registered, everybody's do."""

import re

import click
from sqlalchemy import select

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.settle import register, unregister
from skan_receiver.storage import Registered
from skan_receiver.storage.columns import table

REGISTERED = table(Registered)


@click.group()
def apps() -> None:
    """Register the apps that are ours; what they received before is adopted."""


@click.group()
def networks() -> None:
    """Register the ad networks that are ours; what they received before is adopted."""


def _list(kind: str, *, as_json: bool) -> None:
    _, store = open_store()
    of_kind = select(REGISTERED).where(REGISTERED.c.kind == kind).order_by(REGISTERED.c.value)
    with store.read() as connection:
        rows = [
            {"id": row.value, "name": row.name}
            for row in connection.execute(of_kind)
        ]  # fmt: skip
    show(rows, ("id", "name"), as_json=as_json)


def _add(kind: str, value: str, name: str) -> None:
    settings, store = open_store()
    register(store, settings, kind, value, name)
    click.echo(f"{value} is ours")


def _remove(kind: str, value: str) -> None:
    settings, store = open_store()
    try:
        unregister(store, settings, kind, value)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{value} is no longer ours")


@apps.command("list")
@as_json
def list_apps(*, as_json: bool) -> None:
    """List the registered apps."""
    _list("app", as_json=as_json)


@apps.command("add")
@click.argument("app_id", type=click.IntRange(min=0))
@click.option("--name", default="", help="What people call it.")
def add_app(app_id: int, name: str) -> None:
    """Register the app with this App Store id; counts follow."""
    _add("app", str(app_id), name)


@apps.command("remove")
@click.argument("app_id", type=click.IntRange(min=0))
def remove_app(app_id: int) -> None:
    """Register the app no longer; its postbacks stay, and no longer count."""
    _remove("app", str(app_id))


@networks.command("list")
@as_json
def list_networks(*, as_json: bool) -> None:
    """List the registered ad networks."""
    _list("ad-network", as_json=as_json)


def _network(_ctx: object, _parameter: object, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+", value):
        raise click.BadParameter("an ad-network id looks like abc123.skadnetwork")
    return value


@networks.command("add")
@click.argument("ad_network_id", callback=_network)
@click.option("--name", default="", help="What people call it.")
def add_network(ad_network_id: str, name: str) -> None:
    """Register the ad network with this id; counts follow."""
    _add("ad-network", ad_network_id, name)


@networks.command("remove")
@click.argument("ad_network_id", callback=_network)
def remove_network(ad_network_id: str) -> None:
    """Register the ad network no longer; its postbacks stay, and no longer count."""
    _remove("ad-network", ad_network_id)
