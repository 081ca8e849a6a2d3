"""Read the quarantine again, after an upgrade or a new key: what can be read now moves in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from skan_receiver import events, ingest
from skan_receiver.config import Settings
from skan_receiver.errors import Malformed
from skan_receiver.events import Told, connection_of
from skan_receiver.ingest import Incoming, Outcome, candidate
from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.apple import claims_of
from skan_receiver.mmp.providers.request import take
from skan_receiver.protocol import Keys, judge, parse
from skan_receiver.storage import Quarantined, Store, caps
from skan_receiver.storage.caps import FROM_MMP
from skan_receiver.storage.columns import table
from skan_receiver.storage.connections import app_of
from skan_receiver.storage.place import Candidate

QUARANTINE = table(Quarantined)

BATCH = 500


@dataclass(frozen=True, slots=True)
class _Readable:
    """A body of the quarantine that can be read now: a postback, or what an MMP told."""

    id: int
    endpoint: str
    size: int
    postbacks: Sequence[Candidate]
    told: Sequence[Told] = ()


def reread(store: Store, settings: Settings, keys: Keys) -> Counter[str]:
    """Read everything in the quarantine once; how many had which outcome ("unreadable" stays).

    A body moves in the transaction that takes it out of the quarantine, with the time and
    endpoint it came with: stopping half-way loses and doubles nothing.
    """
    outcomes: Counter[str] = Counter()
    after = 0
    while rows := _next(store, after):
        after = rows[-1].id
        readable = [one for row in rows if (one := _read(store, settings, keys, row)) is not None]
        outcomes["unreadable"] += len(rows) - len(readable)
        if readable:
            outcomes.update(_move(store, settings, readable))
    return +outcomes


def _next(store: Store, after: int) -> Sequence[Row[Any]]:
    some = select(QUARANTINE).where(QUARANTINE.c.id > after).order_by(QUARANTINE.c.id).limit(BATCH)
    with store.read() as connection:
        return connection.execute(some).all()


def _read(store: Store, settings: Settings, keys: Keys, row: Row[Any]) -> _Readable | None:
    size = caps.size_of(row.body, row.verbatim, row.claims)
    try:
        if row.endpoint.startswith(FROM_MMP):
            return _told(store, settings, keys, row, size)
        incoming = Incoming(row.received_at, row.endpoint, row.body, row.verbatim, row.claims)
        return _Readable(row.id, row.endpoint, size, [_judged(incoming, keys)])
    except Malformed:
        return None


def _judged(incoming: Incoming, keys: Keys) -> Candidate:
    postback = parse(incoming.body)
    return candidate(incoming, postback, judge(postback, keys))


def _told(
    store: Store, settings: Settings, keys: Keys, row: Row[Any], size: int
) -> _Readable | None:
    """What an MMP told, read as its connection would now; all of it, or it stays."""
    provider = PROVIDERS.get(row.endpoint.removeprefix(FROM_MMP))
    if provider is None:
        return None
    name = connection_of(row.claims)
    with store.read() as connection:
        app_id = app_of(connection, name)
    taken = take(provider, (), row.body, app_id=app_id, store_ip=settings.store_ip)
    if taken.unread:
        return None
    endpoint = f"forwarded:{provider.name}"
    apples = [
        Incoming(row.received_at, endpoint, one.body, one.verbatim, claims_of(one))
        for one in taken.apples
    ]
    return _Readable(
        row.id,
        row.endpoint,
        size,
        [_judged(one, keys) for one in apples],
        [Told(row.received_at, name, event) for event in taken.events],
    )


def _move(store: Store, settings: Settings, readable: Sequence[_Readable]) -> Counter[str]:
    def work(connection: Connection) -> Counter[str]:
        if told := [each for one in readable for each in one.told]:
            events.hold(connection, told)
        mine = _lock(connection, [one.id for one in readable])  # nobody else moves these
        ours = [one for one in readable if one.id in mine]
        postbacks = [(one.id, each) for one in ours for each in one.postbacks]
        stored = ingest.write(connection, settings=settings, batch=[each for _, each in postbacks])
        told = [each for one in ours for each in one.told]
        kept = events.write(connection, settings=settings, batch=told)
        # At a cap a postback stays here; an event that is dropped is of somebody erased.
        stays = {
            id_
            for (id_, _), result in zip(postbacks, stored, strict=True)
            if result.outcome is Outcome.DROPPED
        }
        moved = [one for one in ours if one.id not in stays]
        gone = QUARANTINE.c.id.in_([one.id for one in moved])
        connection.execute(delete(QUARANTINE).where(gone))
        caps.release(connection, [(one.endpoint, one.size) for one in moved])
        return Counter(result.outcome.value for result in (*stored, *kept))

    return store.write(work)


def _lock(connection: Connection, ids: Sequence[int]) -> set[int]:
    some = select(QUARANTINE.c.id).where(QUARANTINE.c.id.in_(ids)).order_by(QUARANTINE.c.id)
    return set(connection.scalars(some.with_for_update(skip_locked=True)))
