"""MMPs that may post to us. The token in their URL is shown once; what is kept is its SHA-256."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from skan_receiver.storage.access import AccessError, digest
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import Connected
from skan_receiver.storage.store import Store

CONNECTED = table(Connected)

NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")

# Events that come in by our API say so in the same column.
TAKEN = {"api", "simulator"}


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may post: by which connection, and of which app, where what it posts names none."""

    name: str
    provider: str
    app_id: int | None


def connect(
    store: Store, name: str, provider: str, now: datetime, *, app_id: int | None = None
) -> str:
    """A new connection; the token of its URL. This is the only time anybody sees it."""
    if not NAME.fullmatch(name) or name in TAKEN:
        raise AccessError(
            f"{name!r}: a connection's name is small letters, digits and hyphens, at most 40, "
            f"and none of {', '.join(sorted(TAKEN))}"
        )
    token = secrets.token_urlsafe(32)
    row = {
        "name": name,
        "provider": provider,
        "token_hash": digest(token),
        "app_id": app_id,
        "created_at": now,
    }

    def work(connection: Connection) -> None:
        if connection.execute(select(CONNECTED.c.name).where(CONNECTED.c.name == name)).first():
            raise AccessError(
                f"there is a connection {name!r} already; `events disconnect {name}` ends it"
            )
        connection.execute(CONNECTED.insert(), row)

    store.write(work)
    return token


def disconnect(store: Store, name: str) -> bool:
    """Whether there was one to end. Its token is dead at once; what it told stays."""
    gone = delete(CONNECTED).where(CONNECTED.c.name == name)
    return bool(store.write(lambda connection: connection.execute(gone).rowcount))


def connections(store: Store) -> Sequence[Row[Any]]:
    """Every connection, by name."""
    columns = (column for column in CONNECTED.c if column.name != "token_hash")
    with store.read() as connection:
        return connection.execute(select(*columns).order_by(CONNECTED.c.name)).all()


def admitted(connection: Connection, provider: str, token: str) -> Admitted | None:
    """Whose token this is; None where it is nobody's, or another provider's."""
    known = select(CONNECTED.c.name, CONNECTED.c.provider, CONNECTED.c.app_id)
    mine = CONNECTED.c.token_hash == digest(token)
    row = connection.execute(known.where(mine, CONNECTED.c.provider == provider)).first()
    return None if row is None else Admitted(*row)


def app_of(connection: Connection, name: str) -> int | None:
    """Of which app a connection is, where it says so."""
    known = select(CONNECTED.c.app_id).where(CONNECTED.c.name == name)
    found: int | None = connection.scalar(known)
    return found
