"""What ad networks are called: a list that we ship, and before it what people here say."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection, delete, select

from skan_receiver.storage.columns import table
from skan_receiver.storage.people import NetworkName, Registered
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import insert_new

NAME, REGISTERED = table(NetworkName), table(Registered)


@cache
def shipped() -> Mapping[str, str]:
    """Ids, lower case, with names, as Google's page for publishers has them.

    https://developers.google.com/admob/ios/3p-skadnetworks
    """
    text = files("skan_receiver.storage").joinpath("ad_networks.csv").read_text("utf-8")
    return {row["ad_network_id"]: row["name"] for row in csv.DictReader(text.splitlines())}


def names(connection: Connection) -> dict[str, str]:
    """All that have one, by id: the list we ship, over it those registered, over it those named."""
    registered = select(REGISTERED.c.value, REGISTERED.c.name).where(
        REGISTERED.c.kind == "ad-network", REGISTERED.c.name != ""
    )
    found = dict(shipped())
    for statement in (registered, select(NAME.c.ad_network_id, NAME.c.name)):
        found.update((row[0], row[1]) for row in connection.execute(statement))
    return found


def put_name(store: Store, ad_network_id: str, name: str) -> None:
    """Call a network so; an empty name is the shipped one again."""
    value = ad_network_id.lower()

    def work(connection: Connection) -> None:
        connection.execute(delete(NAME).where(NAME.c.ad_network_id == value))
        if name:
            insert_new(connection, NAME, [{"ad_network_id": value, "name": name}])

    store.write(work)
