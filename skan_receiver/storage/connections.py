"""MMPs that may post to us. The token in their URL is shown once; what is kept is its SHA-256."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from skan_receiver.storage.access import AccessError, digest
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import Connected
from skan_receiver.storage.store import Store

CONNECTED = table(Connected)

NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")

# Events that come in otherwise say so in the same column.
TAKEN = {"api", "import", "simulator"}

# "When did it last send?" is asked by people: to the minute is enough, and spares writes.
LAST_EVENT_GRAIN = timedelta(minutes=1)


# Built once: making a statement costs more than running it.
ADMITTED = select(CONNECTED.c.name, CONNECTED.c.provider, CONNECTED.c.app_id).where(
    CONNECTED.c.token_hash == bindparam("hash"), CONNECTED.c.provider == bindparam("who")
)
_LAST = CONNECTED.c.last_event_at
USED = (
    update(CONNECTED)
    .where(CONNECTED.c.name == bindparam("mine"))
    .where(or_(_LAST.is_(None), bindparam("before") >= _LAST))
    .values(last_event_at=bindparam("at"))
)


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
    token = secrets.token_urlsafe(32)
    row = {
        "name": name,
        "provider": provider,
        "token_hash": digest(token),
        "app_id": app_id,
        "created_at": now,
    }
    add(store, row)
    return token


def add(store: Store, row: Mapping[str, Any]) -> None:
    """Add a connection; AccessError if it cannot have the name."""
    name = row["name"]
    if not NAME.fullmatch(name) or name in TAKEN:
        raise AccessError(
            f"{name!r}: a connection's name is small letters, digits and hyphens, at most 40, "
            f"and none of {', '.join(sorted(TAKEN))}"
        )

    def work(connection: Connection) -> None:
        if connection.execute(select(CONNECTED.c.name).where(CONNECTED.c.name == name)).first():
            raise AccessError(
                f"there is a connection {name!r} already; `events disconnect {name}` ends it"
            )
        connection.execute(CONNECTED.insert(), row)

    store.write(work)


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
    row = connection.execute(ADMITTED, {"hash": digest(token), "who": provider}).first()
    return None if row is None else Admitted(*row)


def app_of(connection: Connection, name: str) -> int | None:
    """Of which app a connection is, where it says so."""
    known = select(CONNECTED.c.app_id).where(CONNECTED.c.name == name)
    found: int | None = connection.scalar(known)
    return found


def note_use(connection: Connection, uses: Iterable[tuple[str, datetime]]) -> None:
    """When connections, by name, last told of something; a copy tells that one lives, too."""
    last: dict[str, datetime] = {}
    for name, at in uses:
        last[name] = max(at, last.get(name, at))
    for name, at in sorted(last.items()):
        connection.execute(USED, {"mine": name, "at": at, "before": at - LAST_EVENT_GRAIN})
