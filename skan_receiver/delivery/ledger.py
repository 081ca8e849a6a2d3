"""The ledger of deliveries: owed, leased, done or dead.

Six verbs, and no other way to change a row:

    owe        rows of `postback` that just counted, in the transaction that counted them
    claim      take what is due, for the length of a lease
    renew      hold it for another
    complete   it was tried: done, owed again at a later time, or dead
    release    it was not tried: owed as before
    (sweep)    nothing to call: a lease that ran out makes its rows due again

A lease is measured by the database's clock, so that no worker's clock matters. Each change names
the claim it belongs to: a worker that was thought dead and comes back changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, select, text, update

from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.retry import PASSING
from skan_receiver.storage import Attempt, Delivery, Store, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.storage.upsert import insert_new

DELIVERY, ATTEMPT, POSTBACK = table(Delivery), table(Attempt), table(StoredPostback)

# Written out as the index of due rows has it: with parameters neither store would use it.
_OPEN = text(f"delivery.state IN ('{OWED}', '{LEASED}')")


@dataclass(frozen=True, slots=True)
class Tried:
    """One try and what follows: due again after `again`, where the state is `owed`."""

    delivery_id: int
    claim_id: str
    state: str
    again: timedelta
    attempt: Mapping[str, Any]


def owe(
    connection: Connection,
    destinations: Sequence[Destination],
    rows: Sequence[Row[Any]],
    now: datetime,
) -> None:
    """Owe each of `rows` (of `postback`) to each destination that wants it, once."""
    due_at = clock(connection)
    owed = [
        {
            "identity": row.identity,
            "stored_id": row.id,
            "destination": destination.name,
            "state": OWED,
            "attempts": 0,
            "next_at": due_at,
            "created_at": now,
        }
        # In the order of the unique key, so that two workers never wait in a circle.
        for row in sorted(rows, key=lambda row: (row.identity, row.id))
        for destination in sorted(destinations, key=lambda one: one.name)
        if destination.wants(row)
    ]
    insert_new(connection, DELIVERY, owed)


def due(store: Store, destinations: Iterable[str]) -> list[str]:
    """Those of `destinations` that something is due to: a read, cheaper than a claim."""
    with store.read() as connection:
        now = clock(connection)
        return [
            name
            for name in destinations
            if connection.execute(select(DELIVERY.c.id).where(_due(name, now)).limit(1)).first()
        ]


def claim(store: Store, wanted: Mapping[str, int], lease: timedelta) -> list[Row[Any]]:
    """Lease up to so many due deliveries to each destination, the oldest first.

    Each comes with the columns of its postback (all None where that is no longer kept),
    `delivery_id`, `claim_id`, `destination` and `attempts`.
    """

    def work(connection: Connection) -> list[int]:
        now = clock(connection)
        claimed: list[int] = []
        for name, limit in sorted(wanted.items()):
            claimed += _claim(connection, name, limit, now, now + lease)
        return claimed

    return _with_postbacks(store, store.write(work))


def renew(store: Store, held: Iterable[tuple[int, str]], lease: timedelta) -> None:
    """Hold these deliveries, each by its id and claim, for another lease from now."""
    ids, claims = zip(*held, strict=True)
    mine = and_(DELIVERY.c.id.in_(ids), DELIVERY.c.claim_id.in_(claims))

    def work(connection: Connection) -> None:
        connection.execute(update(DELIVERY).where(mine).values(next_at=clock(connection) + lease))

    store.write(work)


def complete(store: Store, tries: Sequence[Tried]) -> None:
    """Write down tries and what follows from each; those whose claim is over change nothing."""

    def work(connection: Connection) -> None:
        now = clock(connection)
        following = [_following(one, now) for one in tries]
        _change(connection, following, attempts=DELIVERY.c.attempts + 1)
        connection.execute(ATTEMPT.insert(), [dict(one.attempt) for one in tries])

    store.write(work)


def release(store: Store, claimed: Iterable[tuple[int, str]]) -> None:
    """Give back deliveries, each by its id and claim, that were not tried: they are due at once."""
    claimed = list(claimed)

    def work(connection: Connection) -> None:
        now = clock(connection)
        back = {"state_": OWED, "next": now, "settled": None}
        _change(connection, [{"at": id_, "claim": claim, **back} for id_, claim in claimed])

    if claimed:
        store.write(work)


def refusals(store: Store, delivery_id: int) -> int:
    """How often the destination refused this delivery itself, rather than being out of order."""
    refused = and_(ATTEMPT.c.status.between(400, 499), ATTEMPT.c.status.not_in(PASSING))
    counted = select(func.count()).where(ATTEMPT.c.delivery_id == delivery_id, refused)
    with store.read() as connection:
        return connection.execute(counted).scalar_one()


def clock(connection: Connection) -> datetime:
    """The database's time."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment
    iso = connection.scalar(text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"))
    return datetime.fromisoformat(str(iso))


def _claim(
    connection: Connection, name: str, limit: int, now: datetime, until: datetime
) -> Sequence[int]:
    oldest = (
        select(DELIVERY.c.id)
        .where(_due(name, now))
        .order_by(DELIVERY.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.scalars(oldest).all()
    leased = {"state": LEASED, "next_at": until, "claim_id": token_hex(8)}
    connection.execute(update(DELIVERY).where(DELIVERY.c.id.in_(ids)).values(**leased))
    return ids


def _with_postbacks(store: Store, ids: Sequence[int]) -> list[Row[Any]]:
    """Read after the claim, so that nobody waits for it."""
    columns = [DELIVERY.c[name] for name in ("claim_id", "destination", "attempts")]
    claimed = (
        select(DELIVERY.c.id.label("delivery_id"), *columns, POSTBACK)
        .outerjoin(POSTBACK, POSTBACK.c.id == DELIVERY.c.stored_id)
        .where(DELIVERY.c.id.in_(ids))
        .order_by(DELIVERY.c.id)
    )
    with store.read() as connection:
        return list(connection.execute(claimed))


def _due(name: str, now: datetime) -> ColumnElement[bool]:
    return and_(_OPEN, DELIVERY.c.destination == name, DELIVERY.c.next_at <= now)


def _change(connection: Connection, changes: Sequence[Mapping[str, Any]], **more: Any) -> None:
    mine = and_(DELIVERY.c.id == bindparam("at"), DELIVERY.c.claim_id == bindparam("claim"))
    connection.execute(
        update(DELIVERY)
        .where(mine)
        .values(
            state=bindparam("state_"),
            next_at=bindparam("next"),
            settled_at=bindparam("settled"),
            claim_id=None,
            **more,
        ),
        sorted(changes, key=lambda change: change["at"]),
    )


def _following(one: Tried, now: datetime) -> dict[str, Any]:
    return {
        "at": one.delivery_id,
        "claim": one.claim_id,
        "state_": one.state,
        "next": now + one.again,
        "settled": now if one.state in (DONE, DEAD) else None,
    }
