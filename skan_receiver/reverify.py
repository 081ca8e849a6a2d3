"""Judge stored postbacks again, after a key was added or withdrawn.

Rows are evidence and stay: a postback whose verdict changes gets a row under its new verdict
that names the old one, and the counts follow.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, exists, select, update

from skan_receiver.ingest import Incoming, candidate
from skan_receiver.protocol import Keys, judge, parse
from skan_receiver.storage import Fresh, Store, StoredPostback, caps
from skan_receiver.storage.columns import table
from skan_receiver.storage.place import COUNTED, Candidate, Outcome, place
from skan_receiver.storage.predicate import VOUCHED, superseded

POSTBACK, FRESH = table(StoredPostback), table(Fresh)

BATCH = 500

Change = tuple[Row[Any], Candidate]


def reverify(store: Store, keys: Keys) -> Counter[tuple[str, str]]:
    """Judge every stored postback by `keys`; how many went from which verdict to which."""
    changes: Counter[tuple[str, str]] = Counter()
    after = 0
    while rows := _next(store, after):
        after = rows[-1].id
        if changed := [row.id for row in rows if _judge_again(row, keys)]:
            changes.update(_record(store, keys, changed))
    return changes


def _next(store: Store, after: int) -> Sequence[Row[Any]]:
    some = select(POSTBACK).where(POSTBACK.c.id > after, ~superseded())
    with store.read() as connection:
        return connection.execute(some.order_by(POSTBACK.c.id).limit(BATCH)).all()


def _judge_again(row: Row[Any], keys: Keys) -> Candidate | None:
    postback = parse(row.body)
    judgement = judge(postback, keys)
    if judgement.verdict == row.verdict:
        return None
    again = candidate(Incoming(row.received_at, row.endpoint, row.body), postback, judgement)
    return replace(again, row={**again.row, "supersedes": row.id})


def _record(store: Store, keys: Keys, ids: Sequence[int]) -> Counter[tuple[str, str]]:
    def work(connection: Connection) -> Counter[tuple[str, str]]:
        changes = _locked(connection, keys, ids)
        placed = place(connection, [again for _, again in changes])
        done, sizes = Counter[tuple[str, str]](), []
        for (row, again), (outcome, stored_id) in zip(changes, placed, strict=True):
            new = outcome in (Outcome.STORED, Outcome.COLLISION)
            if new or _take_over(connection, stored_id, row.id):
                connection.execute(FRESH.insert(), _change(row, -1))
                done[row.verdict, again.row["verdict"]] += 1
            if new and again.row["verdict"] not in VOUCHED:
                sizes.append(len(row.body))
        caps.record(connection, "invalid", sizes)
        return done

    return store.write(work)


def _locked(connection: Connection, keys: Keys, ids: Sequence[int]) -> list[Change]:
    """The rows as they are now: a copy from closer to Apple may have changed them since.

    In the order of their new keys, so that two runs at once never wait in a circle.
    """
    rows = select(POSTBACK).where(POSTBACK.c.id.in_(ids), ~superseded()).order_by(POSTBACK.c.id)
    locked = connection.execute(rows.with_for_update(of=POSTBACK)).all()
    changes = [(row, again) for row in locked if (again := _judge_again(row, keys))]
    return sorted(changes, key=lambda change: change[1].key)


def _take_over(connection: Connection, stored_id: int, old_id: int) -> bool:
    """Let a row that is there already stand for the old one; False where it does.

    Either the postback came again after the keys changed, before we did; or the keys went
    forth and back, and what was judged anew then counts again now.
    """
    row = connection.execute(
        select(POSTBACK).where(POSTBACK.c.id == stored_id).with_for_update()
    ).one()
    later = POSTBACK.c.supersedes == stored_id
    if connection.scalar(select(exists().where(later))):
        connection.execute(update(POSTBACK).where(later).values(supersedes=None))
        connection.execute(FRESH.insert(), _change(row, +1))
    elif row.supersedes is not None:
        return False
    mine = POSTBACK.c.id == stored_id
    connection.execute(update(POSTBACK).where(mine).values(supersedes=old_id))
    return True


def _change(row: Row[Any], delta: int) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in COUNTED}
    return {"identity": row.identity, "stored_id": row.id, "delta": delta, **values}
