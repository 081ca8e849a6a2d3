"""`events sources`: what MMPs call the ad networks that Apple knows by ids."""

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.storage import sources as names


@click.group()
def sources() -> None:
    """Say which media source of your MMP is which ad network of Apple's: the report overlap."""


@sources.command("map")
@click.argument("media_source")
@click.argument("ad_network_ids", nargs=-1, required=True, metavar="AD_NETWORK_ID…")
def map_(media_source: str, ad_network_ids: tuple[str, ...]) -> None:
    """MEDIA_SOURCE is what your MMP calls these: "Facebook Ads" v9wttpbfk9.skadnetwork."""
    _, store = open_store()
    names.map_source(store, media_source, ad_network_ids)
    click.echo(f"{media_source}: {', '.join(one.lower() for one in ad_network_ids)}")


@sources.command("list")
@as_json
def list_(*, as_json: bool) -> None:
    """List which is which; statements that were imported name some as well."""
    _, store = open_store()
    with store.read() as connection:
        known, own = names.sources(connection), names.mapped(connection)
    rows = [
        {
            "media_source": source,
            "ad_network_id": id_,
            "said_by": "sources map" if id_ in own else "a statement",
        }
        for id_, source in sorted(known.items(), key=lambda one: (one[1], one[0]))
    ]
    show(rows, ("media_source", "ad_network_id", "said_by"), as_json=as_json)


@sources.command()
@click.argument("ad_network_id")
def forget(ad_network_id: str) -> None:
    """Nobody knows any more what AD_NETWORK_ID is called."""
    _, store = open_store()
    if not names.forget_source(store, ad_network_id):
        raise click.ClickException(f"{ad_network_id!r} has no media source: `events sources list`")
    click.echo(f"{ad_network_id} has no media source any more")
