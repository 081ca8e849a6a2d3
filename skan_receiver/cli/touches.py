"""`touches`: which networks tell of clicks and views, and their tracking links."""

import re
from datetime import UTC, datetime

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.events import base_of
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.mmp.stores import App
from skan_receiver.storage import connections, networks


class _App(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    name = "app"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(App.of(value))
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


@click.group()
def touches() -> None:
    """Attribute installs without an MMP: tracking links, and networks' servers: docs/touches.md."""


@touches.command()
@click.argument("media_source")
@click.option("--app", "apps", type=_App(), multiple=True, required=True,
              help="App Store id or package that it advertises; once for each.")  # fmt: skip
@click.option("--name", help="What you call it. [default: made of MEDIA_SOURCE]")
@as_json
def connect(media_source: str, apps: tuple[str, ...], name: str | None, *, as_json: bool) -> None:
    """Let a network tell of clicks and views, and print its tracking links and its token.

    Installs are given to MEDIA_SOURCE: write it so among the `media_sources` of the network's
    destination. This is the only time that anybody sees the token and the links.
    """
    settings, store = open_store()
    name = name or re.sub("[^a-z0-9]+", "-", media_source.lower()).strip("-")[:40]
    tokens = networks.connect(store, name, media_source, apps, datetime.now(UTC))
    base = base_of(settings)
    links = {app: f"{base}/touch/{tokens.link}?app={app}" for app in apps}
    if as_json:
        click.echo(dumps({"network": name, "links": links, "post": f"{base}/touch",
                          "token": tokens.server}))  # fmt: skip
        return
    for app, link in links.items():
        click.echo(
            f"Tracking link of {app}; its parameters are in docs/touches.md:\n\n    {link}\n"
        )
    click.echo(f"For its server: POST {base}/touch with\n\n"
               f"    Authorization: Bearer {tokens.server}\n")  # fmt: skip
    if not settings.public_url:
        click.echo("SKAN_PUBLIC_URL is not set: put the address the world knows us by in front.",
                   err=True)  # fmt: skip


@touches.command("networks")
@as_json
def networks_(*, as_json: bool) -> None:
    """List networks that may tell of touches, and when they last did; tokens are not kept."""
    _, store = open_store()
    with store.read() as connection:
        found = networks.networks(connection)
    rows = [
        {
            "name": one.name,
            "media_source": one.media_source,
            "apps": list(one.apps) if as_json else ", ".join(one.apps),
            "last_touch_at": one.last_touch_at,
        }
        for one in found
    ]
    show(rows, ("name", "media_source", "apps", "last_touch_at"), as_json=as_json)


@touches.command()
@click.argument("name")
@click.argument("apps", type=_App(), nargs=-1, required=True)
def apps(name: str, apps: tuple[str, ...]) -> None:
    """Say which APPS network NAME advertises, from now on; links to others lead nowhere."""
    _, store = open_store()
    networks.set_apps(store, name, apps)
    click.echo(f"{name} advertises {', '.join(sorted(set(apps)))}")


@touches.command()
@click.argument("name")
def disconnect(name: str) -> None:
    """End a network at once: its links lead nowhere, and its server is refused. What it told
    stays."""
    _, store = open_store()
    with store.read() as connection:
        known = {one.name for one in networks.networks(connection)}
    if name not in known or not connections.disconnect(store, name):
        raise click.ClickException(f"there is no network {name!r}: see `touches networks`")
    click.echo(f"{name} may no longer tell of touches; what it told stays")
