"""Where a postback goes: a row of its own, or an arrival of one we hold.

    new key                          a row, its first arrival, a change to count
    same key, same signed fields     an arrival; a conflict where unsigned values differ
    same key, other signed fields    a collision: a row under a key of its own, never counted

Everything here happens in the one transaction of `ingest`, for a whole batch at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text, update

from skan_receiver.storage import months
from skan_receiver.storage.columns import IDENTITY_BYTES, table
from skan_receiver.storage.postbacks import Arrival, Fresh, Seen, StoredPostback
from skan_receiver.storage.predicate import VOUCHED
from skan_receiver.storage.upsert import insert_new

POSTBACK, SEEN = table(StoredPostback), table(Seen)
ARRIVAL, FRESH = table(Arrival), table(Fresh)

# Built once: making a statement costs more than running it.
CLAIMED = (
    select(SEEN)
    .where(SEEN.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(SEEN.c.key)
    .with_for_update()
)
ARRIVED = update(SEEN).where(SEEN.c.key == bindparam("at")).values(arrivals=bindparam("now"))
INSERTS = POSTBACK.insert(), ARRIVAL.insert(), FRESH.insert()
NEXT_POSTGRESQL = text("SELECT nextval('postback_id_seq') FROM generate_series(1, :count)")
LAST_SQLITE = text("SELECT seq FROM sqlite_sequence WHERE name = 'postback'")

UNSIGNED = ("fine_value", "coarse_value", "country", "interaction_type")
COUNTED = ("fine_value", "coarse_value", "country")
MOST_ARRIVALS = 16

Values = Mapping[str, Any]


class Outcome(StrEnum):
    """What became of a body."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    COLLISION = "collision"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"  # a cap was reached
    REFUSED = "refused"  # not JSON


@dataclass(frozen=True, slots=True)
class Candidate:
    """A postback that has arrived: its row as column values, and how it came."""

    key: bytes
    row: Values
    endpoint: str
    received_at: datetime
    verbatim: bytes | None = None
    claims: str | None = None
    sealed_ip: bytes | None = None


@dataclass(slots=True)
class _Held:
    """What we hold under a key, kept up to date while a batch is placed."""

    stored_id: int
    row: Values
    arrivals: int
    written: int  # the arrivals its row in `seen` speaks of


@dataclass(slots=True)
class _Writes:
    """Rows to write, collected so that each table is written once."""

    postbacks: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[dict[str, Any]] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)


def place(connection: Connection, batch: Sequence[Candidate]) -> list[tuple[Outcome, int]]:
    """Write a batch; for each candidate its outcome and the id of its row, in order."""
    held, new = _hold(connection, batch)
    writes, placed, colliding = _Writes(), [], []
    for position, candidate in enumerate(batch):
        mine = held[candidate.key]
        if candidate.key in new:
            new.remove(candidate.key)
            placed.append(_store(writes, candidate, mine))
        elif candidate.row["signed_message"] == mine.row["signed_message"]:
            placed.append(_repeat(connection, writes, candidate, mine))
        else:
            placed.append((Outcome.COLLISION, mine.stored_id))
            colliding.append((position, _apart(candidate, mine.stored_id)))
    _write(connection, writes, held)
    if colliding:
        again = place(connection, [candidate for _, candidate in colliding])
        for (position, _), (outcome, stored_id) in zip(colliding, again, strict=True):
            first = outcome is Outcome.STORED
            placed[position] = (Outcome.COLLISION if first else outcome, stored_id)
    return placed


def _hold(
    connection: Connection, batch: Sequence[Candidate]
) -> tuple[dict[bytes, _Held], set[bytes]]:
    """Claim every key of the batch; say what is held under each, and which are new.

    Keys are claimed in order, so that two batches never wait for each other in a circle.
    """
    first: dict[bytes, Candidate] = {}
    for candidate in batch:
        first.setdefault(candidate.key, candidate)
    mine = dict(zip(first, _next_ids(connection, len(first)), strict=True))
    claimed = _claim(connection, mine)
    new = {key for key, row in claimed.items() if row.stored_id == mine[key]}
    known = _rows(connection, [row.stored_id for key, row in claimed.items() if key not in new])
    held = {
        key: _Held(
            row.stored_id,
            first[key].row if key in new else known[row.stored_id],
            0 if key in new else row.arrivals,
            row.arrivals,
        )
        for key, row in claimed.items()
    }
    return held, new


def _claim(connection: Connection, mine: Mapping[bytes, int]) -> dict[bytes, Row[Any]]:
    """The rows of `seen` under these keys, locked; those nobody held are ours from now on."""
    claimed: dict[bytes, Row[Any]] = {}
    # Twice only where retention takes a row between our two statements, on PostgreSQL.
    while missing := sorted(mine.keys() - claimed.keys()):
        claims = [{"key": key, "stored_id": mine[key], "arrivals": 1} for key in missing]
        insert_new(connection, SEEN, claims)
        claimed |= {row.key: row for row in connection.execute(CLAIMED, {"keys": missing})}
    return claimed


def _rows(connection: Connection, ids: Sequence[int]) -> dict[int, Values]:
    if not ids:
        return {}
    columns = (POSTBACK.c[name] for name in ("id", "signed_message", "body", "endpoint", *UNSIGNED))
    found = connection.execute(select(*columns).where(POSTBACK.c.id.in_(ids)))
    return {row["id"]: dict(row) for row in found.mappings()}


def _store(writes: _Writes, candidate: Candidate, mine: _Held) -> tuple[Outcome, int]:
    mine.row = row = {
        **candidate.row,
        "id": mine.stored_id,
        "identity": candidate.key,
        "received_at": candidate.received_at,
        "endpoint": candidate.endpoint,
    }
    writes.postbacks.append(row)
    writes.fresh.append(_change(candidate, mine.stored_id, row, +1))
    _arrive(writes, candidate, mine, "collision" if row["collides_with"] else "standing")
    return Outcome.STORED, mine.stored_id


def _repeat(
    connection: Connection, writes: _Writes, candidate: Candidate, mine: _Held
) -> tuple[Outcome, int]:
    same = all(candidate.row[name] == mine.row[name] for name in UNSIGNED)
    closer = _rank(candidate.endpoint) < _rank(mine.row["endpoint"])
    # What nobody vouches for never counts, whoever brings it.
    if closer and candidate.row["verdict"] in VOUCHED:
        # What was collected so far must be there to be changed.
        _flush(connection, writes)
        _take_over(connection, writes, candidate, mine)
        _arrive(writes, candidate, mine, "standing")
    else:
        _arrive(writes, candidate, mine, "duplicate" if same else "conflict")
    return Outcome.DUPLICATE if same else Outcome.CONFLICT, mine.stored_id


def _take_over(connection: Connection, writes: _Writes, candidate: Candidate, mine: _Held) -> None:
    """Someone closer to Apple says it: their values stand from now on, the others' are conflict."""
    old, stands = mine.row, {name: candidate.row[name] for name in (*UNSIGNED, "flags", "body")}
    # Also where no value changes: destinations may want what came in here and not there.
    if any(old[name] != stands[name] for name in COUNTED) or old["endpoint"] != candidate.endpoint:
        writes.fresh.append(_change(candidate, mine.stored_id, old, -1))
        writes.fresh.append(_change(candidate, mine.stored_id, stands, +1))
    connection.execute(
        update(POSTBACK)
        .where(POSTBACK.c.id == mine.stored_id)
        .values(**stands, endpoint=candidate.endpoint)
    )
    earlier = ARRIVAL.c.stored_id == mine.stored_id
    if old["body"] != stands["body"]:
        unsaid = update(ARRIVAL).where(earlier, ARRIVAL.c.body.is_(None))
        connection.execute(unsaid.values(body=old["body"]))
    same = all(old[name] == stands[name] for name in UNSIGNED)
    standing = update(ARRIVAL).where(earlier, ARRIVAL.c.kind.in_(("standing", "duplicate")))
    connection.execute(standing.values(kind="duplicate" if same else "conflict"))
    mine.row = {**old, **stands, "endpoint": candidate.endpoint}


def _arrive(writes: _Writes, candidate: Candidate, mine: _Held, kind: str) -> None:
    mine.arrivals += 1
    # Who takes over is kept, too: an export learns from it that values changed.
    if mine.arrivals > MOST_ARRIVALS and kind != "standing":
        return
    body = candidate.verbatim or candidate.row["body"]
    writes.arrivals.append(
        {
            "identity": candidate.key,
            "stored_id": mine.stored_id,
            "received_at": candidate.received_at,
            "endpoint": candidate.endpoint,
            "kind": kind,
            **{name: candidate.row[name] for name in UNSIGNED},
            "body": None if body == mine.row["body"] else body,
            "claims": candidate.claims,
        }
    )


def _change(candidate: Candidate, stored_id: int, row: Values, delta: int) -> dict[str, Any]:
    return {
        "identity": candidate.key,
        "stored_id": stored_id,
        "delta": delta,
        **{name: row[name] for name in COUNTED},
        "sealed_ip": candidate.sealed_ip if delta > 0 else None,
    }


def _apart(candidate: Candidate, stored_id: int) -> Candidate:
    """The same candidate under a key of its own: identity and signed text together."""
    message = candidate.row["signed_message"]
    key = blake2b(message, digest_size=IDENTITY_BYTES, key=candidate.key).digest()
    return replace(candidate, key=key, row={**candidate.row, "collides_with": stored_id})


def _rank(endpoint: str) -> int:
    """How far from Apple a copy came in: less is closer."""
    if endpoint == "import":
        return 2
    return 1 if endpoint.startswith("forwarded:") else 0


def _next_ids(connection: Connection, count: int) -> Iterable[int]:
    if connection.dialect.name == "postgresql":
        return connection.scalars(NEXT_POSTGRESQL, {"count": count}).all()
    last = connection.scalar(LAST_SQLITE) or 0
    return range(last + 1, last + 1 + count)


def _write(connection: Connection, writes: _Writes, held: Mapping[bytes, _Held]) -> None:
    _flush(connection, writes)
    more = [key for key in sorted(held) if held[key].arrivals != held[key].written]
    if more:
        connection.execute(ARRIVED, [{"at": key, "now": held[key].arrivals} for key in more])


def _flush(connection: Connection, writes: _Writes) -> None:
    months.ensure(connection, (row["received_at"] for row in writes.postbacks))
    rows = writes.postbacks, writes.arrivals, writes.fresh
    for insert, some in zip(INSERTS, rows, strict=True):
        if some:
            connection.execute(insert, some)
            some.clear()
