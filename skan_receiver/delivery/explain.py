"""What became of an event at each destination, and why. No identifier of a user is told here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from skan_receiver.delivery.destinations import EventDestination
from skan_receiver.delivery.firsts import DECISION, EVENT
from skan_receiver.delivery.registry import find, readable
from skan_receiver.delivery.waiting import DELIVERY
from skan_receiver.errors import SkanError

# Of an event what people know it by.
SUMMARY = (
    *("id", "provider", "event_id", "kind", "name", "at", "received_at", "app_id", "bundle_id"),
    *("platform", "media_source", "is_attributed", "is_restricted", "country", "att"),
    *("limit_ad_tracking", "gdpr_applies", "ad_user_data", "ad_personalization"),
    *("limited_data_use", "child_directed", "withdrawn_by"),
)

UNDECIDED = "undecided"


class UnknownEvent(SkanError):
    """There is no event of this number."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What was decided of an event for one destination, and what came of it."""

    destination: str
    outcome: str  # owed, held, or undecided
    reason: str  # why it is not owed
    withheld: Mapping[str, str]  # of what is owed: a field, and why it is not sent
    at: datetime | None
    delivery: int | None = None  # its number, and where it is on its way
    state: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Story:
    """An event without who it was, and what became of it."""

    event: Mapping[str, Any]
    decisions: Sequence[Explained]


def explain(connection: Connection, event_id: int, destination: str | None = None) -> Story:
    """What became of an event, everywhere or at one destination. UnknownEvent, or
    UnknownDestination, where there is none."""
    columns = (EVENT.c[name] for name in SUMMARY)
    row = connection.execute(select(*columns).where(EVENT.c.id == event_id)).first()
    if row is None:
        raise UnknownEvent(f"there is no event {event_id}: see `events list`")
    found = {one.destination: one for one in _decided(connection, event_id)}
    if destination is not None and destination not in found:
        find(connection, destination)
    wanted = _destinations(connection) if destination is None else [destination]
    names = sorted({*wanted, *(found if destination is None else ())})
    why = _undecided(row)
    decisions = [found.get(name) or Explained(name, UNDECIDED, why, {}, None) for name in names]
    return Story(dict(row._mapping), decisions)


def _decided(connection: Connection, event_id: int) -> Sequence[Explained]:
    theirs = and_(
        DELIVERY.c.stored_id == DECISION.c.event_id,
        DELIVERY.c.destination == DECISION.c.destination,
        DELIVERY.c.identity == EVENT.c.identity,
    )
    said = (
        select(*DECISION.c, DELIVERY.c.id.label("delivery"), DELIVERY.c.state)
        .join(EVENT, EVENT.c.id == DECISION.c.event_id)
        .outerjoin(DELIVERY, theirs)
        .where(DECISION.c.event_id == event_id)
    )
    return [
        Explained(
            row.destination, row.outcome, row.reason, json.loads(row.withheld), row.at,
            row.delivery, row.state,
        )
        for row in connection.execute(said)
    ]  # fmt: skip


def _destinations(connection: Connection) -> list[str]:
    """Those that get events."""
    entries, _ = readable(connection)
    return [one.name for one in entries if isinstance(one.destination, EventDestination)]


def _undecided(row: Row[Any]) -> str:
    if row.withdrawn_by is not None:
        return f"it was taken back by event {row.withdrawn_by} before it was decided of"
    return "it came before this destination, or the destination gets no events"
