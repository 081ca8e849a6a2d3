"""The ledger of deliveries: owed, leased, done or dead.

Five verbs, and no other way to change a row:

    owe        rows of `postback` that just counted, in the transaction that counted them
    claim      take what is due, for the length of a lease
    complete   it was taken: done
    release    it was not: again at a later time, or never
    sweep      nothing to call: a lease that ran out makes a row due again by itself

A lease is measured by the database's clock, so that no worker's clock matters. Each change names
the claim it belongs to: a worker that was thought dead and comes back changes nothing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, text, update

from skan_receiver.delivery.destinations import Destination
from skan_receiver.storage import Attempt, Delivery, Store, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.storage.upsert import insert_new

DELIVERY, ATTEMPT, POSTBACK = table(Delivery), table(Attempt), table(StoredPostback)

# Longer than the longest exchange (15 s), with room to write it down.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Tried:
    """One try and what follows: `again` after that long, where the state is `owed`."""

    delivery_id: int
    claim_id: str
    state: str
    again: timedelta
    attempt: dict[str, Any]


def owe(
    connection: Connection,
    destinations: Sequence[Destination],
    rows: Sequence[Row[Any]],
    now: datetime,
) -> int:
    """Owe each of `rows` (of `postback`) to each destination that wants it; how many are new."""
    owed = [
        {
            "identity": row.identity,
            "stored_id": row.id,
            "destination": destination.name,
            "state": OWED,
            "attempts": 0,
            "next_at": now,
            "created_at": now,
        }
        for row in rows
        for destination in destinations
        if destination.wants(row)
    ]
    return insert_new(connection, DELIVERY, owed)


def claim(store: Store, destinations: Iterable[str], limit: int) -> list[Row[Any]]:
    """Lease up to `limit` due deliveries to each of `destinations`; each with its postback.

    By destination, so that a backlog to one keeps nobody else waiting.
    """

    def work(connection: Connection) -> list[Row[Any]]:
        now = _clock(connection)
        claimed: list[Row[Any]] = []
        for name in destinations:
            claimed += _claim(connection, name, now, limit)
        return claimed

    return store.write(work)


def record(store: Store, tries: Sequence[Tried]) -> None:
    """Write down tries and what follows from each; those whose claim is over change nothing."""

    def work(connection: Connection) -> None:
        now = _clock(connection)
        mine = DELIVERY.c.id == bindparam("at"), DELIVERY.c.claim_id == bindparam("claim")
        connection.execute(
            update(DELIVERY)
            .where(*mine)
            .values(
                state=bindparam("state_"),
                next_at=bindparam("next"),
                settled_at=bindparam("settled"),
                attempts=DELIVERY.c.attempts + 1,
                claim_id=None,
            ),
            [_following(one, now) for one in sorted(tries, key=lambda one: one.delivery_id)],
        )
        connection.execute(ATTEMPT.insert(), [one.attempt for one in tries])

    if tries:
        store.write(work)


def due(store: Store, destinations: Iterable[str]) -> list[str]:
    """Those of `destinations` that something is due to: a read, cheaper than a claim."""
    with store.read() as connection:
        now = _clock(connection)
        return [
            name
            for name in destinations
            if connection.execute(select(DELIVERY.c.id).where(*_due(name, now)).limit(1)).first()
        ]


def _claim(connection: Connection, name: str, now: datetime, limit: int) -> list[Row[Any]]:
    oldest = (
        select(DELIVERY.c.id)
        .where(*_due(name, now))
        .order_by(DELIVERY.c.next_at, DELIVERY.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    leased = (
        update(DELIVERY)
        .where(DELIVERY.c.id.in_(oldest.scalar_subquery()))
        .values(state=LEASED, next_at=now + LEASE, claim_id=uuid.uuid4().hex)
        .returning(DELIVERY.c.id)
    )
    ids = connection.scalars(leased).all()
    if not ids:
        return []
    with_postback = (
        select(DELIVERY.c.id.label("delivery_id"), DELIVERY.c.claim_id, DELIVERY.c.destination,
               DELIVERY.c.attempts, DELIVERY.c.created_at, POSTBACK)
        .join(POSTBACK, POSTBACK.c.id == DELIVERY.c.stored_id)
        .where(DELIVERY.c.id.in_(ids))
        .order_by(DELIVERY.c.id)
    )  # fmt: skip
    return list(connection.execute(with_postback))


def _due(name: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        DELIVERY.c.destination == name,
        DELIVERY.c.state.in_((OWED, LEASED)),
        DELIVERY.c.next_at <= now,
    )


def _following(one: Tried, now: datetime) -> dict[str, Any]:
    over = one.state in (DONE, DEAD)
    return {
        "at": one.delivery_id,
        "claim": one.claim_id,
        "state_": one.state,
        "next": now + one.again,
        "settled": now if over else None,
    }


def _clock(connection: Connection) -> datetime:
    """The database's time."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment
    iso = connection.scalar(text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"))
    return datetime.fromisoformat(str(iso))
