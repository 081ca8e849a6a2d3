"""Owing anew, on purpose: what was delivered or given up, and what was never owed.

A replay keeps a delivery's name, so that a receiver that remembers can tell it has had it, and
says `webhook-replay` with the number of the replay.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select, update

from skan_receiver.config import Settings
from skan_receiver.delivery.destinations import KINDS
from skan_receiver.delivery.firsts import DECISION, IS_ITS_OWN
from skan_receiver.delivery.firsts import OWED as DECIDED
from skan_receiver.delivery.owing import Owed, owe
from skan_receiver.delivery.registry import Changed, Entry, settling
from skan_receiver.storage import Delivery, Fresh, Store, StoredDestination, StoredPostback
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, OWED
from skan_receiver.storage.predicate import qualifies, superseded

DELIVERY, POSTBACK = table(Delivery), table(StoredPostback)
DESTINATION, FRESH = table(StoredDestination), table(Fresh)

# As many in a transaction: on SQLite nobody else writes meanwhile.
PIECE = 2_000

SETTLED = (DONE, DEAD)
OF_POSTBACKS = [name for name, kind in KINDS.items() if kind.about_postbacks]


@dataclass(frozen=True, slots=True)
class Which:
    """Which deliveries. None, or nothing, does not narrow; only what is settled is replayed."""

    ids: tuple[int, ...] = ()
    destination: str | None = None
    states: tuple[str, ...] = (DEAD,)
    since: datetime | None = None  # when they were first owed
    until: datetime | None = None  # left out itself
    app_id: int | None = None
    ad_network_id: str | None = None
    window: int | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """One for each that narrows."""
        yield DELIVERY.c.state.in_([state for state in self.states if state in SETTLED])
        yield from _is_its_own()
        if self.ids:
            yield DELIVERY.c.id.in_(self.ids)
        if self.destination is not None:
            yield DELIVERY.c.destination == self.destination
        if self.since is not None:
            yield DELIVERY.c.created_at >= self.since
        if self.until is not None:
            yield DELIVERY.c.created_at < self.until
        if about := list(self._about()):
            mine = POSTBACK.c.id == DELIVERY.c.stored_id, POSTBACK.c.identity == DELIVERY.c.identity
            yield exists().where(*mine, *about)

    def _about(self) -> Iterator[ColumnElement[bool]]:
        if self.app_id is not None:
            yield POSTBACK.c.app_id == self.app_id
        if self.ad_network_id is not None:
            yield func.lower(POSTBACK.c.ad_network_id) == self.ad_network_id.lower()
        if self.window is not None:
            yield POSTBACK.c.window == self.window


def _is_its_own() -> Iterator[ColumnElement[bool]]:
    """To a destination that is no more, it would be owed for ever. What was decided or added up for
    one that was removed goes to no other of its name, which may be another partner's; postbacks
    tell of nobody, and go by the networks of who asks (`destinations.decoded`)."""
    named = DESTINATION.c.name == DELIVERY.c.destination
    same = DELIVERY.c.created_at >= DESTINATION.c.created_at
    yield exists().where(named, or_(DESTINATION.c.kind.in_(OF_POSTBACKS), same))
    decided = exists().where(
        DECISION.c.event_id == DELIVERY.c.stored_id,
        DECISION.c.destination == DELIVERY.c.destination,
        DECISION.c.outcome == DECIDED,
        IS_ITS_OWN,
    )
    yield or_(exists().where(named, DESTINATION.c.kind != "event"), decided)


def count(connection: Connection, which: Which) -> int:
    """How many `again` would replay."""
    found = select(func.count()).select_from(DELIVERY).where(*which.conditions())
    return connection.execute(found).scalar_one()


def again(store: Store, which: Which) -> int:
    """Owe them anew, due at once; how many. In pieces, so that nobody waits for a million."""
    with store.read() as connection:
        last = connection.scalar(select(func.max(DELIVERY.c.id))) or 0
    after, replayed = 0, 0
    while piece := _piece(store, which, after, last):
        replayed += store.write(lambda connection, ids=piece: _anew(connection, which, ids))  # type: ignore[misc]  # bound at once
        after = piece[-1]
    return replayed


def _piece(store: Store, which: Which, after: int, last: int) -> Sequence[int]:
    some = select(DELIVERY.c.id).where(*which.conditions(), DELIVERY.c.id > after)
    with store.read() as connection:
        found = some.where(DELIVERY.c.id <= last).order_by(DELIVERY.c.id).limit(PIECE)
        return connection.scalars(found).all()


def _anew(connection: Connection, which: Which, ids: Sequence[int]) -> int:
    anew = {
        "state": OWED,
        "attempts": 0,
        "refusals": 0,
        "replays": DELIVERY.c.replays + 1,
        "next_at": clock(connection),
        "settled_at": None,
        "hinted_at": None,
    }
    settled = and_(DELIVERY.c.id.in_(ids), *which.conditions())
    return connection.execute(update(DELIVERY).where(settled).values(**anew)).rowcount


def missed(
    store: Store,
    settings: Settings,
    entry: Entry,
    since: datetime,
    until: datetime,
    *,
    dry_run: bool = False,
) -> int:
    """Owe a destination what arrived in a period and was never owed to it, by its filters of now;
    how many. With `dry_run` they are only counted."""
    owed = 0
    for rows in _arrived(store, settings, entry, since, until):
        wanted = [row for row in rows if entry.destination.wants(row)]
        owed += len(wanted)
        if wanted and not dry_run:
            store.write(lambda connection, some=wanted: _owe(connection, entry, some))  # type: ignore[misc]  # bound at once
    return owed


def _owe(connection: Connection, entry: Entry, rows: Iterable[Row[Any]]) -> None:
    revisions = {one.name: one.revision for one in settling(connection)}
    if revisions.get(entry.name) != entry.revision:
        raise Changed(f"{entry.name!r} was changed meanwhile: look again")
    owed = (Owed(row.identity, row.id, entry.name) for row in rows)
    owe(connection, owed, clock(connection))


def _arrived(
    store: Store, settings: Settings, entry: Entry, since: datetime, until: datetime
) -> Iterator[Sequence[Row[Any]]]:
    """What arrived then and has no delivery to this destination yet, a piece at a time."""
    mine = and_(
        DELIVERY.c.identity == POSTBACK.c.identity,
        DELIVERY.c.stored_id == POSTBACK.c.id,
        DELIVERY.c.destination == entry.name,
    )
    waits = FRESH.c.stored_id == POSTBACK.c.id
    columns = [column for column in POSTBACK.c if column.name not in ("body", "signed_message")]
    some = (
        select(*columns, qualifies(settings).label("counted"))
        .where(POSTBACK.c.received_at >= since, POSTBACK.c.received_at < until)
        # What is fresh is about to be owed as everything is.
        .where(~superseded(), ~exists().where(mine), ~exists().where(waits))
        .order_by(POSTBACK.c.id)
        .limit(PIECE)
    )
    after = 0
    while True:
        with store.read() as connection:
            rows: Any = connection.execute(some.where(POSTBACK.c.id > after)).all()
        if not rows:
            return
        yield rows
        after = rows[-1].id
