"""Events into their table, each once; and what takes back what.

Statements for the one transaction of `skan_receiver.events`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, or_, select, text, update

from skan_receiver.mmp.event import Event, identity_of
from skan_receiver.mmp.withdrawals import BY, INSTALLS, WITHDRAWALS
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import StoredEvent
from skan_receiver.storage.upsert import insert_new

EVENT = table(StoredEvent)

# Of `pg_advisory_xact_lock`: who takes back waits for who tells, and the other way round.
LOCK = 7355611

# Built once: making a statement costs more than running it.
HELD = select(EVENT.c.id, EVENT.c.identity).where(
    EVENT.c.identity.in_(bindparam("identities", expanding=True))
)
TAKEN_BACK = (
    update(EVENT)
    .where(EVENT.c.id == bindparam("taken"), EVENT.c.withdrawn_by.is_(None))
    .values(withdrawn_by=bindparam("by"))
)
NAMED = (
    update(EVENT)
    .where(EVENT.c.id == bindparam("what"), EVENT.c.withdraws.is_(None))
    .values(withdraws=bindparam("of"))
)
NEXT_POSTGRESQL = text("SELECT nextval('event_id_seq') FROM generate_series(1, :count)")
LAST_SQLITE = text("SELECT seq FROM sqlite_sequence WHERE name = 'event'")

# Values by column.
Lookups = dict[str, Collection[Any]]

_TAKING = EVENT.c.kind.in_([kind.value for kind in WITHDRAWALS])
_INSTALLED = EVENT.c.kind.in_([kind.value for kind in INSTALLS])


def hold(connection: Connection, *, withdraws: bool) -> None:
    """Let no event pass unseen by what takes it back: neither sees what is not yet committed.

    On SQLite nobody else writes meanwhile. Call it before anything else in the transaction.
    """
    if connection.dialect.name == "postgresql":
        shared = "" if withdraws else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{shared}({LOCK})"))


def insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, bool]]:
    """Insert what is new; for each row the number it has, and whether it is new.

    Numbered as they came, written in the order of their identities, so that two batches never
    wait in a circle.
    """
    first: dict[bytes, Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(row["identity"], row)
    mine = dict(zip(first, _next_ids(connection, len(first)), strict=True))
    new = [{**first[identity], "id": mine[identity]} for identity in sorted(mine)]
    insert_new(connection, EVENT, new)
    held = {row.identity: row.id for row in connection.execute(HELD, {"identities": list(mine)})}
    found, seen = [], set()
    for row in rows:
        identity = row["identity"]
        is_new = held[identity] == mine[identity] and identity not in seen
        seen.add(identity)
        found.append((held[identity], is_new))
    return found


def taken_back_by(connection: Connection, what: Iterable[Event]) -> Sequence[Row[Any]]:
    """Rows that any of `what`, which takes back, may be about."""
    what = list(what)
    lookups: Lookups = {
        "identity": {identity_of(each.provider, each.withdraws) for each in what if each.withdraws},
        "order_id": {each.order_id for each in what if each.order_id and not each.withdraws},
        **_devices(what),
    }
    return _rows(connection, lookups, taking=False)


def taking_back(connection: Connection, told: Iterable[Event]) -> Sequence[Row[Any]]:
    """Rows that may take back any of `told`."""
    told = list(told)
    lookups: Lookups = {
        "withdraws": {each.event_id for each in told},
        "order_id": {each.order_id for each in told if each.order_id},
        **_devices(each for each in told if each.kind in INSTALLS),
    }
    return _rows(connection, lookups, taking=True)


def take_back(connection: Connection, links: Sequence[tuple[int, int, str]]) -> None:
    """Note for each (row, by whom, the row's event id) that it is withdrawn, and by what."""
    for taken, by, event_id in links:
        connection.execute(TAKEN_BACK, {"taken": taken, "by": by})
        connection.execute(NAMED, {"what": by, "of": event_id})


def _devices(events: Iterable[Event]) -> Lookups:
    events = list(events)
    return {
        name: {value for each in events if (value := getattr(each.person, name))} for name in BY
    }


def _rows(connection: Connection, lookups: Lookups, *, taking: bool) -> Sequence[Row[Any]]:
    """Rows that any of the look-ups finds, that take back or can be taken back."""
    asked = {name: list(values) for name, values in lookups.items() if values}
    if not asked:
        return []
    return connection.execute(_found(tuple(asked), taking=taking), asked).all()


@cache
def _found(names: Sequence[str], *, taking: bool) -> Select[Any]:
    """Rows by any of these columns, each of which has an index; by device installs alone."""
    others = _INSTALLED if not taking else _TAKING
    return select(EVENT).where(
        or_(
            *(
                and_(
                    EVENT.c[name].in_(bindparam(name, expanding=True)),
                    others if name in BY else (_TAKING if taking else ~_TAKING),
                )
                for name in names
            )
        )
    )


def _next_ids(connection: Connection, count: int) -> Iterable[int]:
    if connection.dialect.name == "postgresql":
        return connection.scalars(NEXT_POSTGRESQL, {"count": count}).all()
    last = connection.scalar(LAST_SQLITE) or 0
    return range(last + 1, last + 1 + count)
