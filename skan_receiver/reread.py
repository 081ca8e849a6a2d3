"""Read the quarantine again, after an upgrade or a new key: what can be read now moves in."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from skan_receiver.config import Settings
from skan_receiver.errors import Malformed
from skan_receiver.ingest import Incoming, Outcome, candidate, write
from skan_receiver.protocol import Keys, judge, parse
from skan_receiver.storage import Quarantined, Store, caps
from skan_receiver.storage.columns import table
from skan_receiver.storage.place import Candidate

QUARANTINE = table(Quarantined)

BATCH = 500


def reread(store: Store, settings: Settings, keys: Keys) -> Counter[str]:
    """Read everything in the quarantine once; how many had which outcome ("unreadable" stays).

    A body moves in the transaction that takes it out of the quarantine, with the time and
    endpoint it came with: stopping half-way loses and doubles nothing.
    """
    outcomes: Counter[str] = Counter()
    after = 0
    while rows := _next(store, after):
        after = rows[-1].id
        read = [(row.id, _size(row), _read(row, keys)) for row in rows]
        readable = [(id_, size, one) for id_, size, one in read if one is not None]
        outcomes["unreadable"] += len(rows) - len(readable)
        if readable:
            outcomes.update(_move(store, settings, readable))
    return +outcomes


def _next(store: Store, after: int) -> Sequence[Row[Any]]:
    some = select(QUARANTINE).where(QUARANTINE.c.id > after).order_by(QUARANTINE.c.id).limit(BATCH)
    with store.read() as connection:
        return connection.execute(some).all()


def _size(row: Row[Any]) -> int:
    return caps.size_of(row.body, row.verbatim, row.claims)


def _read(row: Row[Any], keys: Keys) -> Candidate | None:
    try:
        postback = parse(row.body)
    except Malformed:
        return None
    incoming = Incoming(row.received_at, row.endpoint, row.body, row.verbatim, row.claims)
    return candidate(incoming, postback, judge(postback, keys))


def _move(
    store: Store, settings: Settings, readable: Sequence[tuple[int, int, Candidate]]
) -> Counter[str]:
    def work(connection: Connection) -> Counter[str]:
        mine = _lock(connection, [id_ for id_, _, _ in readable])  # nobody else moves these
        ours = [(id_, size, one) for id_, size, one in readable if id_ in mine]
        results = write(connection, settings=settings, batch=[one for _, _, one in ours])
        moved = [
            (id_, size)
            for (id_, size, _), result in zip(ours, results, strict=True)
            if result.outcome is not Outcome.DROPPED  # a cap was reached: it stays here
        ]
        gone = QUARANTINE.c.id.in_([id_ for id_, _ in moved])
        connection.execute(delete(QUARANTINE).where(gone))
        caps.record(connection, "quarantine", (size for _, size in moved), sign=-1)
        return Counter(result.outcome.value for result in results)

    return store.write(work)


def _lock(connection: Connection, ids: Sequence[int]) -> set[int]:
    some = select(QUARANTINE.c.id).where(QUARANTINE.c.id.in_(ids)).order_by(QUARANTINE.c.id)
    return set(connection.scalars(some.with_for_update(skip_locked=True)))
