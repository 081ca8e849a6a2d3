"""What an engine was told of, and when: so that it is told of each delivery once in a while."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, or_, select, update

from skan_receiver.delivery.waiting import DELIVERY, DUE, NOW, OPEN
from skan_receiver.storage import Store
from skan_receiver.storage.clock import in_seconds

# What an engine was told of lately, it knows of.
_UNKNOWN = or_(
    DELIVERY.c.hinted_at.is_(None), DELIVERY.c.hinted_at <= in_seconds(bindparam("lately"))
)
FRONT = (
    select(DELIVERY.c.id, _UNKNOWN.label("unknown"))
    .where(DUE)
    .order_by(DELIVERY.c.next_at, DELIVERY.c.id)
    .limit(bindparam("limit"))
)
_AMONG = DELIVERY.c.id.in_(bindparam("ids", expanding=True))
_STILL = select(DELIVERY.c.id).where(_AMONG, OPEN, DELIVERY.c.next_at <= NOW, _UNKNOWN)
MARK = (
    update(DELIVERY)
    .where(DELIVERY.c.id.in_(_STILL.with_for_update(skip_locked=True)))
    .values(hinted_at=in_seconds(0))
    .returning(DELIVERY.c.id)
)
UNMARK = update(DELIVERY).where(_AMONG).values(hinted_at=None)


def unknown(connection: Connection, name: str, limit: int, patience: float) -> list[int]:
    """Of the oldest `limit` that are due to a destination, those that an engine was not told of
    in the last `patience` seconds."""
    which = {"name": name, "limit": limit, "lately": -patience}
    return [row.id for row in connection.execute(FRONT, which) if row.unknown]


def mark(store: Store, ids: Sequence[int], patience: float) -> set[int]:
    """An engine is about to be told of these; which of them it is ours to tell."""
    which = {"ids": list(ids), "lately": -patience}
    return store.write(lambda connection: set(connection.scalars(MARK, which)))


def unmark(store: Store, ids: Sequence[int]) -> None:
    """It was not told of these."""
    store.write(lambda connection: forget(connection, ids))


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """As `unmark`, within the caller's own transaction."""
    if ids:
        connection.execute(UNMARK, {"ids": ids})
