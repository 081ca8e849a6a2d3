"""Judge stored postbacks again, after a key was added or withdrawn.

Rows are evidence and stay: a postback whose verdict changes gets a row under its new verdict
that names the old one, and the counts follow.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

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
        changed = [(row, again) for row in rows if (again := _judge_again(row, keys))]
        if changed:
            _record(store, changed)
            changes.update((row.verdict, again.row["verdict"]) for row, again in changed)
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


def _record(store: Store, changed: Sequence[Change]) -> None:
    def work(connection: Connection) -> None:
        # Sorted, so that two runs at once never wait for each other in a circle.
        changes = sorted(changed, key=lambda change: change[1].key)
        placed = place(connection, [again for _, again in changes])
        taken_back, sizes = [], []
        for (row, again), (outcome, stored_id) in zip(changes, placed, strict=True):
            new = outcome in (Outcome.STORED, Outcome.COLLISION)
            if new or _link(connection, stored_id, row.id):
                taken_back.append(_take_back(row))
            if new and again.row["verdict"] not in VOUCHED:
                sizes.append(len(row.body))
        caps.record(connection, "invalid", sizes)
        if taken_back:
            connection.execute(FRESH.insert(), taken_back)

    store.write(work)


def _take_back(row: Row[Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in COUNTED}
    return {"identity": row.identity, "stored_id": row.id, "delta": -1, **values}


def _link(connection: Connection, stored_id: int, old_id: int) -> bool:
    """The postback came again after the keys changed, before we did: its row takes the link.

    False where it has one: another run was here, and took back what there was.
    """
    free = POSTBACK.c.id == stored_id, POSTBACK.c.supersedes.is_(None)
    linked = connection.execute(update(POSTBACK).where(*free).values(supersedes=old_id))
    return linked.rowcount == 1
