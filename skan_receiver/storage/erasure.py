"""A person taken out of everything that is stored: `events erase`.

    erased = erase(store, settings, Asked("device_id", "9B1C6E1A-…"))

In pieces, a transaction each, so that nobody waits. Whoever is stopped in the middle begins again:
what leads from the identifier that was asked for to all else goes last.

1. Tombstones, so that nothing of the time before comes back meanwhile. Who is writing events is
   waited for, and then the person is looked for again.
2. What repeats an identifier elsewhere: tries of other deliveries, the quarantine, claims.
3. Touches, and events that were found by what was followed.
4. Events with the identifier itself.
5. On SQLite the log's own copy; the file's was overwritten as rows went (`secure_delete`).

An event goes with its decisions, its attribution, and its deliveries that were settled. A delivery
that is still owed ends as a dead letter, `gone`: nothing is there to be sent.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, or_, select, text, update

from skan_receiver.config import Settings
from skan_receiver.mmp.traces import Traces
from skan_receiver.storage import caps, event_intake
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, Attempt, Delivery
from skan_receiver.storage.events import Attributed, EventDecision, StoredEvent, Touch
from skan_receiver.storage.persons import Asked, Person, find
from skan_receiver.storage.postbacks import CLAIMED, Arrival, Quarantined
from skan_receiver.storage.store import Store
from skan_receiver.storage.tombstones import TOMBSTONE, tombstone
from skan_receiver.storage.upsert import put

EVENT, DECISION, TOUCH = table(StoredEvent), table(EventDecision), table(Touch)
ATTRIBUTION, DELIVERY, ATTEMPT = table(Attributed), table(Delivery), table(Attempt)
QUARANTINE, ARRIVAL = table(Quarantined), table(Arrival)

PIECE = 200
READ = 500  # rows that are looked through at once

# In place of what a receiver said, where that names somebody who was erased.
ERASED = "[erased]"


@dataclass(slots=True)
class Erased:
    """What went, by what it was."""

    person: Person
    rows: Counter[str] = field(default_factory=Counter)
    # False: somebody reads on, so that the log still holds what was deleted. Erase again.
    is_scrubbed: bool = True


def erase(store: Store, settings: Settings, asked: Asked) -> Erased:
    """Take a person out. Raises StoreUnavailable; then do it again."""
    person = _buried(store, settings, asked)
    erased = Erased(person)
    traces = Traces(person.identifiers)
    for step in (_attempts, _quarantine, _claims):
        erased.rows += step(store, traces)
    erased.rows += _each_piece(store, person.touches, forget_touches)
    erased.rows += _each_piece(store, person.further, forget_events)
    erased.rows += _each_piece(store, person.direct, forget_events)
    erased.is_scrubbed = store.scrub()
    return erased


def _buried(store: Store, settings: Settings, asked: Asked) -> Person:
    """The person, for all of whose identifiers there are tombstones."""
    laid: set[str] = set()
    while True:
        with store.read() as connection:
            person = find(connection, asked)
        if laid.issuperset(person.identifiers):
            return person
        laid.update(person.identifiers)
        _lay(store, settings.vault_keys[0], sorted(laid))


def _lay(store: Store, secret: str, identifiers: Sequence[str]) -> None:
    keys = sorted({tombstone(secret, one) for one in identifiers})

    def work(connection: Connection) -> None:
        # Nobody may be about to keep what he looked up the tombstones for before.
        event_intake.hold(connection, withdraws=True)
        now = clock(connection)
        put(connection, TOMBSTONE, [{"key": key, "erased_at": now} for key in keys], ("key",))

    store.write(work)


def forget_events(connection: Connection, ids: Sequence[int]) -> Counter[str]:
    """Delete events with all that is of them."""
    rows: Counter[str] = Counter()
    rows["deliveries"], rows["attempts"] = _forget_deliveries(connection, ids)
    for name, of, column in (
        ("decisions", DECISION, DECISION.c.event_id),
        ("attributions", ATTRIBUTION, ATTRIBUTION.c.event_id),
        ("events", EVENT, EVENT.c.id),
    ):
        rows[name] = connection.execute(delete(of).where(column.in_(ids))).rowcount
    return rows


def forget_touches(connection: Connection, ids: Sequence[int]) -> Counter[str]:
    """Delete touches; an install that was given to one is given to its media source still."""
    given = update(ATTRIBUTION).where(ATTRIBUTION.c.touch_id.in_(ids))
    connection.execute(given.values(touch_id=None))
    return Counter(touches=connection.execute(delete(TOUCH).where(TOUCH.c.id.in_(ids))).rowcount)


def _forget_deliveries(connection: Connection, events: Sequence[int]) -> tuple[int, int]:
    """Settled ones go. The others stay, with nothing in them, and end by themselves: gone."""
    identities = select(EVENT.c.identity).where(EVENT.c.id.in_(events)).scalar_subquery()
    theirs = (DELIVERY.c.identity.in_(identities), DELIVERY.c.stored_id.in_(events))
    found = connection.execute(select(DELIVERY.c.id, DELIVERY.c.state).where(*theirs)).all()
    settled = [row.id for row in found if row.state in (DONE, DEAD)]
    tries = delete(ATTEMPT).where(ATTEMPT.c.delivery_id.in_([row.id for row in found]))
    attempts = connection.execute(tries).rowcount
    connection.execute(delete(DELIVERY).where(DELIVERY.c.id.in_(settled)))
    connection.execute(update(DELIVERY).where(*theirs).values(sealed_ip=None))
    return len(found), attempts


def _attempts(store: Store, traces: Traces) -> Counter[str]:
    """Tries of other deliveries, whose receiver named them: the try stays, what it said goes."""
    said = {"answer": ERASED, "error": ERASED, "url": ERASED}

    def work(connection: Connection, rows: Sequence[Row[Any]]) -> int:
        which = ATTEMPT.c.id.in_([row.id for row in rows])
        return connection.execute(update(ATTEMPT).where(which).values(said)).rowcount

    columns = (ATTEMPT.c.answer, ATTEMPT.c.error, ATTEMPT.c.url)
    return Counter(answers=_look_through(store, traces, ATTEMPT, columns, work))


def _quarantine(store: Store, traces: Traces) -> Counter[str]:
    """Bodies that nobody could read go whole."""

    def work(connection: Connection, rows: Sequence[Row[Any]]) -> int:
        gone = delete(QUARANTINE).where(QUARANTINE.c.id.in_([row.id for row in rows]))
        named = [QUARANTINE.c[name] for name in ("endpoint", "body", "verbatim", "claims")]
        found = connection.execute(gone.returning(*named)).all()
        return caps.release(connection, [(row[0], caps.size_of(*row[1:])) for row in found])

    columns = [QUARANTINE.c[name] for name in ("body", "verbatim", "claims", "reason", "member")]
    return Counter(quarantined=_look_through(store, traces, QUARANTINE, columns, work))


def _claims(store: Store, traces: Traces) -> Counter[str]:
    """What forwarders added to postbacks, and how they wrote it; Apple's own fields name nobody."""
    emptied = {"claims": None, "body": None}

    def work(connection: Connection, rows: Sequence[Row[Any]]) -> int:
        which = ARRIVAL.c.id.in_([row.id for row in rows])
        return connection.execute(update(ARRIVAL).where(which).values(emptied)).rowcount

    forwarded = ARRIVAL.c.endpoint.startswith("forwarded:", autoescape=True)
    only = (forwarded, or_(text(CLAIMED), ARRIVAL.c.body.is_not(None)))
    columns = (ARRIVAL.c.body, ARRIVAL.c.claims)
    return Counter(claims=_look_through(store, traces, ARRIVAL, columns, work, only=only))


def _look_through(
    store: Store,
    traces: Traces,
    of: Table,
    columns: Sequence[ColumnElement[Any]],
    work: Callable[[Connection, Sequence[Row[Any]]], int],
    only: Sequence[Any] = (),
) -> int:
    """Do `work` with the rows that hold an identifier; read in pieces, in the order of their
    numbers, and written only where there are some."""
    total, last = 0, 0
    while True:
        rows = select(of.c.id, *columns).where(of.c.id > last, *only).order_by(of.c.id).limit(READ)
        with store.read() as connection:
            found = connection.execute(rows).all()
        if not found:
            return total
        last = found[-1].id
        if held := [found[place] for place in traces.rows_in([row[1:] for row in found])]:
            total += store.write(lambda connection, held=held: work(connection, held))  # type: ignore[misc]  # mypy cannot infer it


def _each_piece(
    store: Store, ids: Sequence[int], work: Callable[[Connection, Sequence[int]], Counter[str]]
) -> Counter[str]:
    total: Counter[str] = Counter()
    for at in range(0, len(ids), PIECE):
        some = ids[at : at + PIECE]
        total += store.write(lambda connection, some=some: work(connection, some))  # type: ignore[misc]  # mypy cannot infer it
    return total
