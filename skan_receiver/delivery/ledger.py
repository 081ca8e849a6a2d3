"""The ledger of deliveries: owed, leased, done or dead.

Seven verbs, and no other way to change a row:

    owe        rows that are to be delivered, in the transaction that made them so
    claim      take what is due, for the length of a lease
    renew      hold it for another
    complete   it was tried: done, owed again at a later time, or dead
    release    it was not tried: owed as before
    replay     owe anew what was done or dead (`replay`)
    sweep      nothing to call: a lease that ran out makes its rows due again; `hints` tells an
               engine of them

A lease is measured by the database's clock, so that no worker's clock matters. Each change names
the claim it belongs to: a worker that was thought dead and comes back changes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, select, text, update

from skan_receiver.delivery.gate import Ask, allowed
from skan_receiver.storage import Attempt, Delivery, Store
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.storage.upsert import insert_new

DELIVERY, ATTEMPT = table(Delivery), table(Attempt)

# Written out as the index of due rows has it: with parameters neither store would use it.
_OPEN = text(f"delivery.state IN ('{OWED}', '{LEASED}')")

CLAIMED = tuple(
    DELIVERY.c[name]
    for name in (
        *("id", "identity", "stored_id", "destination", "claim_id", "attempts", "refusals"),
        *("replays", "sealed_ip"),
    )
)


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is owed: a row of `postback`, or of `report_window`, to a destination."""

    identity: bytes
    stored_id: int
    destination: str
    sealed_ip: bytes | None = None

    @property
    def key(self) -> tuple[bytes, int, str]:
        return self.identity, self.stored_id, self.destination


@dataclass(frozen=True, slots=True)
class Tried:
    """One try and what follows: due again after `again`, where the state is `owed`."""

    delivery_id: int
    claim_id: str
    state: str
    again: timedelta
    attempt: Mapping[str, Any]
    refused: bool = False  # the request itself was the reason


def owe(connection: Connection, owed: Iterable[Owed], now: datetime) -> None:
    """Owe each once, whoever owes it again; due at once."""
    due_at = clock(connection)
    rows = [
        {
            "identity": one.identity,
            "stored_id": one.stored_id,
            "destination": one.destination,
            "state": OWED,
            "attempts": 0,
            "refusals": 0,
            "replays": 0,
            "next_at": due_at,
            "created_at": now,
            "sealed_ip": one.sealed_ip,
        }
        # In the order of the unique key, so that two workers never wait in a circle.
        for one in sorted(owed, key=lambda one: one.key)
    ]
    insert_new(connection, DELIVERY, rows)


def due(store: Store, destinations: Iterable[str]) -> list[str]:
    """Those of `destinations` that something is due to: a read, cheaper than a claim."""
    with store.read() as connection:
        now = clock(connection)
        return [
            name
            for name in destinations
            if connection.execute(select(DELIVERY.c.id).where(_due(name, now)).limit(1)).first()
        ]


def claim(store: Store, asks: Iterable[Ask], lease: timedelta) -> list[Row[Any]]:
    """Lease what is due of what is asked for, as far as each destination's gate allows, the
    oldest first. Rows of `delivery`, with their `claim_id`."""

    def work(connection: Connection) -> list[Row[Any]]:
        now = clock(connection)
        claimed: list[Row[Any]] = []
        for ask in sorted(asks, key=lambda ask: ask.name):
            limit = allowed(connection, ask, now)
            claimed += _claim(connection, _due(ask.name, now), limit, now + lease) if limit else ()
        return claimed

    return store.write(work)


def claim_these(store: Store, ask: Ask, ids: Sequence[int], lease: timedelta) -> list[Row[Any]]:
    """As `claim`, of one destination and among these ids only: an engine was told of them."""

    def work(connection: Connection) -> list[Row[Any]]:
        now = clock(connection)
        limit = allowed(connection, ask, now)
        among = and_(_due(ask.name, now), DELIVERY.c.id.in_(ids))
        return list(_claim(connection, among, limit, now + lease)) if limit else []

    return store.write(work)


def renew(store: Store, held: Iterable[tuple[int, str]], lease: timedelta) -> None:
    """Hold these deliveries, each by its id and claim, for another lease from now."""

    def work(connection: Connection) -> None:
        until = clock(connection) + lease
        _each_claim(connection, held, next_at=until)

    store.write(work)


def complete(
    store: Store,
    tries: Sequence[Tried],
    also: Callable[[Connection, datetime], None] = lambda *_: None,
) -> None:
    """Write down tries and what follows from each; those whose claim is over change nothing.

    `also` is done in the same transaction.
    """

    def work(connection: Connection) -> None:
        now = clock(connection)
        for state in (DONE, DEAD):
            settled = [(one.delivery_id, one.claim_id) for one in tries if one.state == state]
            _each_claim(connection, settled, **_settled(state, now))
        if again := [_again(one, now) for one in tries if one.state == OWED]:
            connection.execute(AGAIN, sorted(again, key=lambda one: one["at"]))
        connection.execute(ATTEMPTED, [dict(one.attempt) for one in tries])
        also(connection, now)

    store.write(work)


def release(store: Store, claimed: Iterable[tuple[int, str]]) -> None:
    """Give back deliveries, each by its id and claim, that were not tried: they are due at once."""
    claimed = list(claimed)

    def work(connection: Connection) -> None:
        now = clock(connection)
        _each_claim(connection, claimed, state=OWED, next_at=now, claim_id=None)

    if claimed:
        store.write(work)


# Built once: making a statement costs more than running it.
ATTEMPTED = ATTEMPT.insert()
AGAIN = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("at"), DELIVERY.c.claim_id == bindparam("claim"))
    .values(
        state=OWED,
        next_at=bindparam("next"),
        attempts=DELIVERY.c.attempts + 1,
        refusals=DELIVERY.c.refusals + bindparam("refused"),
        claim_id=None,
        hinted_at=None,
    )
)


def _claim(
    connection: Connection, which: ColumnElement[bool], limit: int, until: datetime
) -> Sequence[Row[Any]]:
    oldest = (
        select(DELIVERY.c.id)
        .where(which)
        .order_by(DELIVERY.c.next_at, DELIVERY.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.scalars(oldest).all()
    if not ids:
        return ()
    leased = {"state": LEASED, "next_at": until, "claim_id": token_hex(8)}
    taken = update(DELIVERY).where(DELIVERY.c.id.in_(ids)).values(**leased).returning(*CLAIMED)
    rows = {row.id: row for row in connection.execute(taken)}
    return [rows[id_] for id_ in ids]


def _due(name: str, now: datetime) -> ColumnElement[bool]:
    return and_(_OPEN, DELIVERY.c.destination == name, DELIVERY.c.next_at <= now)


def _each_claim(
    connection: Connection, held: Iterable[tuple[int, str]], **values: Any
) -> None:
    """Change rows that are still held, a statement for each claim."""
    claims = defaultdict(list)
    for id_, claim_id in held:
        claims[claim_id].append(id_)
    for claim_id, ids in sorted(claims.items()):
        mine = (DELIVERY.c.id.in_(sorted(ids)), DELIVERY.c.claim_id == claim_id)
        connection.execute(update(DELIVERY).where(*mine).values(**values))


def _settled(state: str, now: datetime) -> dict[str, Any]:
    return {
        "state": state,
        "next_at": now,
        "settled_at": now,
        "attempts": DELIVERY.c.attempts + 1,
        "claim_id": None,
        "sealed_ip": None,
    }


def _again(one: Tried, now: datetime) -> dict[str, Any]:
    return {
        "at": one.delivery_id,
        "claim": one.claim_id,
        "next": now + one.again,
        "refused": int(one.refused),
    }
