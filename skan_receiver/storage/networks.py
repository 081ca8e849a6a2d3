"""Networks that tell of touches, with two tokens each.

The one in a tracking link is read by whoever clicks, so it opens nothing but that link. It is made
from the network server's own, which it does not give away.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import Connection, select, update

from skan_receiver.storage.access import AccessError, digest
from skan_receiver.storage.columns import table
from skan_receiver.storage.connections import add
from skan_receiver.storage.events import Connected
from skan_receiver.storage.store import Store

CONNECTED = table(Connected)

# What mmp_connection calls them: no MMP is called so, and `/mmp/network/…` leads nowhere.
PROVIDER = "network"

_LINK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Network:
    """Who may tell of touches, of which apps."""

    name: str
    media_source: str
    apps: tuple[str, ...]
    last_touch_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is shown once."""

    server: str
    link: str


def connect(
    store: Store, name: str, media_source: str, apps: Sequence[str], now: datetime
) -> Tokens:
    """A new network; its tokens. This is the only time anybody sees them."""
    server = secrets.token_urlsafe(32)
    row = {
        "name": name,
        "provider": PROVIDER,
        "token_hash": digest(link := link_of(server)),
        "media_source": media_source,
        "apps": json.dumps(sorted(set(apps))),
        "created_at": now,
    }
    add(store, row)
    return Tokens(server, link)


def set_apps(store: Store, name: str, apps: Sequence[str]) -> None:
    """The apps that a network advertises from now on. AccessError if there is no such network."""
    which = (CONNECTED.c.name == name, CONNECTED.c.provider == PROVIDER)
    said = update(CONNECTED).where(*which).values(apps=json.dumps(sorted(set(apps))))
    if not store.write(lambda connection: connection.execute(said).rowcount):
        raise AccessError(f"there is no network {name!r}: see `touches networks`")


def networks(connection: Connection) -> list[Network]:
    """All of them, by name."""
    mine = select(CONNECTED).where(CONNECTED.c.provider == PROVIDER).order_by(CONNECTED.c.name)
    return [_network(row) for row in connection.execute(mine)]


def by_link(connection: Connection, token: str) -> Network | None:
    """Whose tracking link has this token."""
    mine = (CONNECTED.c.token_hash == digest(token), CONNECTED.c.provider == PROVIDER)
    row = connection.execute(select(CONNECTED).where(*mine)).first()
    return None if row is None else _network(row)


def by_server(connection: Connection, token: str) -> Network | None:
    """Whose server shows this token."""
    return by_link(connection, link_of(token))


def link_of(server: str) -> str:
    """The token in the links of whose server has this one."""
    said = server.encode(errors="surrogatepass")
    made = blake2b(said, digest_size=_LINK_BYTES, person=b"tracking link")
    return urlsafe_b64encode(made.digest()).decode().rstrip("=")


def _network(row: object) -> Network:
    name, source, apps, last = (
        getattr(row, column) for column in ("name", "media_source", "apps", "last_event_at")
    )
    return Network(name, source, tuple(json.loads(apps)), last)
