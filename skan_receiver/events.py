"""Events in: each once, what takes back linked with what it takes back, deliveries owed.

All of it in one durable transaction for everything that came together, up to a piece's length.
Unlike postbacks events are settled at once: they come in no flood that would have to wait for a
worker.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from skan_receiver import ingest
from skan_receiver.config import Settings
from skan_receiver.delivery.events import owe_events
from skan_receiver.delivery.registry import hold_still
from skan_receiver.errors import Malformed
from skan_receiver.ingest import Incoming, Outcome, Result, Unreadable
from skan_receiver.mmp.event import Event
from skan_receiver.mmp.withdrawals import WITHDRAWALS, takes_back
from skan_receiver.storage import GroupCommit, Store, event_intake, tombstones
from skan_receiver.storage.connections import note_use
from skan_receiver.storage.event_rows import event_of, row_of
from skan_receiver.touches import attribute_installs

# As many in a transaction: on SQLite nobody else writes meanwhile.
PIECE = 1_000

# Where an export was read: it tells of what was, and whoever was to hear of it has.
IMPORTED = "import"

log = structlog.get_logger("events")

__all__ = ["Intake", "Outcome", "Result", "Told", "Unreadable", "unreadable", "write"]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it came: when, and by which connection (an MMP's name, `api`, `import`)."""

    received_at: datetime
    connection: str
    event: Event


Item = Told | Unreadable
Numbered = tuple[int, Event]


def unreadable(
    received_at: datetime, provider: str, connection: str, body: bytes, fault: Malformed
) -> Unreadable:
    """What an MMP sent and we cannot read, for the quarantine; by its connection `reread` knows
    of which app it is."""
    claims = json.dumps({"connection": connection})
    return Unreadable(Incoming(received_at, f"mmp:{provider}", body, claims=claims), fault)


class Intake:
    """Takes batches from any number of threads; concurrent ones share a commit."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._commit: GroupCommit[Item, Result] = GroupCommit(self._write)

    def __call__(self, batch: Sequence[Item]) -> Sequence[Result]:
        """Keep a batch, all of it durable when this returns.

        Raises StoreUnavailable when that could not be: then nothing of it is kept, or, of one that
        is longer than a piece, those before. Told again, these are copies.
        """
        pieces = (batch[at : at + PIECE] for at in range(0, len(batch), PIECE))
        return [result for piece in pieces for result in self._commit(piece)]

    def _write(self, batch: Sequence[Item]) -> Sequence[Result]:
        results = self._store.write(partial(write, settings=self._settings, batch=batch))
        log.info(
            "events kept",
            outcomes=Counter(result.outcome.value for result in results),
            ids=[result.stored_id for result in results],
        )
        return results


def write(connection: Connection, *, settings: Settings, batch: Sequence[Item]) -> list[Result]:
    """Write a batch, in one transaction; a result for each, in order."""
    told = [(place, one) for place, one in enumerate(batch) if isinstance(one, Told)]
    others = [(place, one) for place, one in enumerate(batch) if isinstance(one, Unreadable)]
    results: dict[int, Result] = {}
    if told:
        results |= _tell(connection, settings, told)
    if others:
        kept = ingest.write(connection, settings=settings, batch=[one for _, one in others])
        results |= {place: result for (place, _), result in zip(others, kept, strict=True)}
    return [results[place] for place in range(len(batch))]


def _tell(
    connection: Connection, settings: Settings, told: Sequence[tuple[int, Told]]
) -> dict[int, Result]:
    """Keep events:

    1. Nobody changes a destination meanwhile, nor takes back what only we can see.
    2. What is of somebody who was erased is dropped.
    3. What is there already is a copy.
    4. What is taken back is linked with what takes it back.
    5. What the app's own server told is given to the ads that led to it.
    6. What is new, and no history, is decided on for each destination, and owed.
    """
    # 1.
    hold(connection, [one for _, one in told])

    # 2.
    gone = _erased(connection, settings, told)
    results = {place: Result(Outcome.DROPPED, reason="of somebody erased") for place in gone}

    # 3.
    kept = [(place, one) for place, one in told if place not in gone]
    placed = event_intake.insert(connection, [_row(one) for _, one in kept])
    for (place, _), (id_, is_new) in zip(kept, placed, strict=True):
        results[place] = Result(Outcome.STORED if is_new else Outcome.DUPLICATE, id_)
    note_use(connection, [(one.connection, one.received_at) for _, one in kept])

    # 4. to 6.
    new = {id_: one for (_, one), (id_, is_new) in zip(kept, placed, strict=True) if is_new}
    if new:
        _settle(connection, settings, new)
    return results


def hold(connection: Connection, told: Iterable[Told]) -> None:
    """Let nobody change a destination meanwhile, nor take back what only we can see. Before any
    row is locked: who waits for this must not be waited for."""
    hold_still(connection)
    withdraws = any(one.event.kind in WITHDRAWALS for one in told)
    event_intake.hold(connection, withdraws=withdraws)


def _settle(connection: Connection, settings: Settings, new: Mapping[int, Told]) -> None:
    """Link what takes back with what it takes back, attribute, and owe what stands, by row."""
    links = _Links([(id_, one.event) for id_, one in new.items()])
    links.find(connection)
    event_intake.take_back(connection, links.found)
    now = max(one.received_at for one in new.values())
    owed = [(id_, event) for id_, event in links.standing() if new[id_].connection != IMPORTED]
    owe_events(connection, attribute_installs(connection, settings, owed, now))


def _erased(
    connection: Connection, settings: Settings, told: Sequence[tuple[int, Told]]
) -> set[int]:
    """The places of what nobody may keep."""
    if not tombstones.any_lie(connection):
        return set()
    events = [one.event for _, one in told]
    found = tombstones.erased(connection, settings.vault_keys, events)
    return {told[at][0] for at in found}


def _row(one: Told) -> dict[str, Any]:
    own = {"received_at": one.received_at, "connection": one.connection, "withdrawn_by": None}
    return {**row_of(one.event), **own}


@dataclass(slots=True)
class _Links:
    """What of a batch, and of what is stored, takes back what."""

    new: Sequence[Numbered]
    found: list[tuple[int, int, str]] = field(default_factory=list)  # (row, by whom, its event id)

    def find(self, connection: Connection) -> None:
        """Both ways round: what is new may take back, and be taken back by what came before."""
        taking = [(id_, event) for id_, event in self.new if event.kind in WITHDRAWALS]
        others = [(id_, event) for id_, event in self.new if event.kind not in WITHDRAWALS]
        for id_, event in taking:
            rows = event_intake.taken_back_by(connection, [event])
            self._link((id_, event), [_numbered(row) for row in rows if row.withdrawn_by is None])
        if others:
            mine = {id_ for id_, _ in taking}
            for row in event_intake.taking_back(connection, [event for _, event in others]):
                if row.id not in mine:
                    self._link(_numbered(row), others)

    def standing(self) -> list[Numbered]:
        """What is new and was not taken back before it came; what takes back says what."""
        gone = {row for row, _, _ in self.found}
        names = {by: event_id for _, by, event_id in reversed(self.found)}
        return [(id_, _naming(event, names.get(id_))) for id_, event in self.new if id_ not in gone]

    def _link(self, what: Numbered, candidates: Iterable[Numbered]) -> None:
        by, taking = what
        gone = {row for row, _, _ in self.found}
        theirs = [
            (id_, event)
            for id_, event in candidates
            if id_ not in gone and takes_back(taking, event)
        ]
        if taking.withdraws is None and taking.order_id is None:
            # By device: one install, the nearest.
            theirs = sorted(theirs, key=lambda one: abs(one[1].at - taking.at))[:1]
        self.found += [(id_, by, event.event_id) for id_, event in theirs]


def _numbered(row: Any) -> Numbered:
    return row.id, event_of(row)


def _naming(event: Event, withdraws: str | None) -> Event:
    if withdraws is None or event.withdraws is not None:
        return event
    return replace(event, withdraws=withdraws)


def connection_of(claims: str | None) -> str:
    """By which connection a body came that is in the quarantine."""
    found: Mapping[str, Any] = json.loads(claims) if claims else {}
    return str(found.get("connection", ""))
