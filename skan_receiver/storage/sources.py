"""What MMPs call an ad network that Apple knows by ids: media source by ad-network id."""

import json
import re
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from skan_receiver.errors import SkanError
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import NetworkSource
from skan_receiver.storage.statements import Statement
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import put

SOURCE, STATEMENT = table(NetworkSource), table(Statement)

AD_NETWORK_ID = re.compile(r"[a-z0-9._-]{1,200}")


class SourceRefused(SkanError):
    """What was given is no ad-network id or no media source; the message has the remedy."""


def map_source(store: Store, media_source: str, ids: Sequence[str]) -> None:
    """These ad-network ids are what MMPs call so; each in place of what it was called before."""
    if not (source := media_source.strip()):
        raise SourceRefused("media source: is empty; write what your MMP calls the network")
    wanted = sorted({one.strip().lower() for one in ids})
    for one in wanted:
        if not AD_NETWORK_ID.fullmatch(one):
            raise SourceRefused(f"{one!r}: is no ad-network id, as in cstr6suwn9.skadnetwork")
    rows = [{"ad_network_id": one, "media_source": source} for one in wanted]
    store.write(lambda connection: put(connection, SOURCE, rows, ("ad_network_id",)))


def forget_source(store: Store, ad_network_id: str) -> bool:
    """Whether there was one to forget."""
    gone = delete(SOURCE).where(SOURCE.c.ad_network_id == ad_network_id.strip().lower())
    return bool(store.write(lambda connection: connection.execute(gone).rowcount))


def mapped(connection: Connection) -> Mapping[str, str]:
    """The media source of each ad-network id that somebody named."""
    return {row.ad_network_id: row.media_source for row in connection.execute(select(SOURCE))}


def sources(connection: Connection) -> Mapping[str, str]:
    """As `mapped`; of other ids what statements call them: whoever imported one has said so."""
    said: dict[str, str] = {}
    for row in connection.execute(select(STATEMENT.c.networks).order_by(STATEMENT.c.id)):
        for name, ids in json.loads(row.networks).items():
            said |= {one.lower(): name for one in ids if name}
    return {**said, **mapped(connection)}
