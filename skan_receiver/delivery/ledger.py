"""The ledger of deliveries: owed, leased, done or dead.

Seven verbs, and no other way to change a row:

    owe        rows that are to be delivered, in the transaction that made them so (`owing`)
    claim      take what is due, for the length of a lease
    renew      hold it for another
    complete   it was tried: done, owed again at a later time, or dead
    release    it was not tried: owed as before
    replay     owe anew what was done or dead (`replay`)
    sweep      nothing to call: a lease that ran out makes its rows due again

Where an engine has to be told what is due, `marks` keeps what it was told of, and when.

A lease is measured by the database's clock, so that no worker's clock matters. Each change names
the claim it belongs to: a worker that was thought dead and comes back changes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, distinct, func, select, update

from skan_receiver.delivery import marks
from skan_receiver.delivery.gate import DESTINATION, Ask, allowed
from skan_receiver.delivery.waiting import DELIVERY, DUE, NOW, TO
from skan_receiver.storage import Attempt, Store
from skan_receiver.storage.clock import in_seconds
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED

ATTEMPT = table(Attempt)

_MINE = and_(
    DELIVERY.c.id.in_(bindparam("ids", expanding=True)), DELIVERY.c.claim_id == bindparam("claim")
)

ANY_DUE = select(DELIVERY.c.id).where(DUE).order_by(DELIVERY.c.next_at).limit(1)
OLDEST = (
    select(DELIVERY.c.id)
    .where(DUE)
    .order_by(DELIVERY.c.next_at, DELIVERY.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
OLDEST_OF = OLDEST.where(DELIVERY.c.id.in_(bindparam("among", expanding=True)))
CLAIMED = tuple(
    DELIVERY.c[name]
    for name in (
        *("id", "identity", "stored_id", "destination", "claim_id", "attempts", "refusals"),
        *("replays", "sealed_ip"),
    )
)
LEASE = (
    update(DELIVERY)
    .where(DELIVERY.c.id.in_(bindparam("ids", expanding=True)))
    .values(state=LEASED, next_at=in_seconds(bindparam("lease")), claim_id=bindparam("new_claim"))
    .returning(*CLAIMED)
)
RENEW = update(DELIVERY).where(_MINE).values(next_at=in_seconds(bindparam("lease")))
RELEASE = (
    update(DELIVERY)
    .where(_MINE)
    .values(state=OWED, next_at=in_seconds(0), claim_id=None, hinted_at=None)
)
SETTLE = {
    state: update(DELIVERY)
    .where(_MINE)
    .values(
        state=state,
        next_at=in_seconds(0),
        settled_at=in_seconds(0),
        attempts=DELIVERY.c.attempts + 1,
        claim_id=None,
        sealed_ip=None,
    )
    for state in (DONE, DEAD)
}
AGAIN = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("at"), DELIVERY.c.claim_id == bindparam("claim"))
    .values(
        state=OWED,
        next_at=in_seconds(bindparam("again")),
        attempts=DELIVERY.c.attempts + 1,
        refusals=DELIVERY.c.refusals + bindparam("refused"),
        claim_id=None,
        hinted_at=None,
    )
)
ATTEMPTED = ATTEMPT.insert()

# How many claims of a destination are held. Those of `owed` rows are none, and no lease is longer.
HELD = select(func.count(distinct(DELIVERY.c.claim_id))).where(
    TO,
    DELIVERY.c.next_at > NOW,
    DELIVERY.c.next_at <= select(in_seconds(bindparam("lease"))).scalar_subquery(),
)
# Who claims of a destination counts what is held there; so that it stays so, one at a time.
ALONE = select(DESTINATION.c.name).where(DESTINATION.c.name == bindparam("name")).with_for_update()


@dataclass(frozen=True, slots=True)
class Tried:
    """One try and what follows: due again after `again`, where the state is `owed`."""

    delivery_id: int
    claim_id: str
    state: str
    again: timedelta
    attempt: Mapping[str, Any]
    refused: bool = False  # the request itself was the reason


def due(store: Store, destinations: Iterable[str]) -> list[str]:
    """Those of `destinations` that something is due to: a read, cheaper than a claim."""
    with store.read() as connection:
        return [
            name for name in destinations if connection.execute(ANY_DUE, {"name": name}).first()
        ]


def claim(store: Store, asks: Iterable[Ask], lease: timedelta) -> list[Row[Any]]:
    """Lease what is due of what is asked for, as far as each destination's gate allows, the
    oldest first. Rows of `delivery`, with their `claim_id`."""

    def work(connection: Connection) -> list[Row[Any]]:
        claimed: list[Row[Any]] = []
        for ask in sorted(asks, key=lambda ask: ask.name):
            if limit := allowed(connection, ask):
                which = {"name": ask.name, "limit": limit}
                claimed += _lease(connection, connection.scalars(OLDEST, which).all(), lease)
        return claimed

    return store.write(work)


def claim_these(
    store: Store, ask: Ask, ids: Sequence[int], lease: timedelta, at_once: int
) -> list[Row[Any]]:
    """As `claim`, of one destination and among these ids only: an engine was told of them.

    Over all workers, at most `at_once` claims of the destination are held. What that or the gate
    leaves, an engine is to be told of again.
    """
    which = {"name": ask.name, "limit": len(ids), "among": list(ids)}

    def work(connection: Connection) -> list[Row[Any]]:
        connection.execute(ALONE, {"name": ask.name})
        due = connection.scalars(OLDEST_OF, which).all()
        room = due and held(connection, ask.name, lease) < at_once
        limit = allowed(connection, replace(ask, limit=len(due))) if room else 0
        marks.forget(connection, due[limit:])
        return _lease(connection, due[:limit], lease)

    return store.write(work)


def held(connection: Connection, name: str, lease: timedelta) -> int:
    """How many claims of a destination are held, by leases that are no longer than this."""
    seconds = {"name": name, "lease": lease.total_seconds()}
    return connection.execute(HELD, seconds).scalar_one()


def renew(store: Store, held: Iterable[tuple[int, str]], lease: timedelta) -> None:
    """Hold these deliveries, each by its id and claim, for another lease from now."""
    seconds = lease.total_seconds()
    store.write(lambda connection: _each_claim(connection, RENEW, held, lease=seconds))


def complete(
    store: Store,
    tries: Sequence[Tried],
    also: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Write down tries and what follows from each; those whose claim is over change nothing.

    `also` is done in the same transaction.
    """

    def work(connection: Connection) -> None:
        for state, settle in SETTLE.items():
            settled = [(one.delivery_id, one.claim_id) for one in tries if one.state == state]
            _each_claim(connection, settle, settled)
        if again := [_again(one) for one in tries if one.state == OWED]:
            connection.execute(AGAIN, sorted(again, key=lambda one: one["at"]))
        connection.execute(ATTEMPTED, [dict(one.attempt) for one in tries])
        also(connection)

    store.write(work)


def release(store: Store, claimed: Iterable[tuple[int, str]]) -> None:
    """Give back deliveries, each by its id and claim, that were not tried: they are due at once."""
    if claimed := list(claimed):
        store.write(lambda connection: _each_claim(connection, RELEASE, claimed))


def _lease(connection: Connection, ids: Sequence[int], lease: timedelta) -> list[Row[Any]]:
    if not ids:
        return []
    leased = {"ids": ids, "lease": lease.total_seconds(), "new_claim": token_hex(8)}
    rows = {row.id: row for row in connection.execute(LEASE, leased)}
    return [rows[id_] for id_ in ids]


def _each_claim(
    connection: Connection, change: Any, held: Iterable[tuple[int, str]], **more: Any
) -> None:
    """Change rows that are still held, a statement for each claim."""
    claims = defaultdict(list)
    for id_, claim_id in held:
        claims[claim_id].append(id_)
    for claim_id, ids in sorted(claims.items()):
        connection.execute(change, {"ids": sorted(ids), "claim": claim_id, **more})


def _again(one: Tried) -> dict[str, Any]:
    return {
        "at": one.delivery_id,
        "claim": one.claim_id,
        "again": one.again.total_seconds(),
        "refused": int(one.refused),
    }
