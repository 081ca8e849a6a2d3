"""What became of an install of our own: who won it, why, and who lost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from skan_receiver.errors import SkanError
from skan_receiver.mmp.touches import AD
from skan_receiver.storage import events
from skan_receiver.storage.columns import table

ATTRIBUTION, TOUCH, EVENT = (
    table(model) for model in (events.Attributed, events.Touch, events.StoredEvent)
)

# Of a touch, without who it was.
SHOWN = ("id", "kind", "at", "media_source", "app_id", "bundle_id", *AD)


class NotAttributed(SkanError):
    """Nothing was decided of it here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one install."""

    event_id: int
    at: datetime
    media_source: str | None  # None: nobody
    reason: str
    touch: Mapping[str, Any] | None  # None too where the touch is past its time
    losers: Sequence[Mapping[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def verdict(connection: Connection, event_id: int) -> Verdict:
    """What was decided of event `event_id`. NotAttributed where nothing was."""
    row = connection.execute(select(ATTRIBUTION).where(ATTRIBUTION.c.event_id == event_id)).first()
    if row is None:
        raise NotAttributed(_why_not(connection, event_id))
    shown = select(*(TOUCH.c[name] for name in SHOWN)).where(TOUCH.c.id == row.touch_id)
    touch = connection.execute(shown).first()
    return Verdict(
        event_id,
        row.at,
        row.media_source,
        row.reason,
        None if touch is None else dict(touch._mapping),
        json.loads(row.losers),
    )


def _why_not(connection: Connection, event_id: int) -> str:
    known = connection.execute(select(EVENT.c.provider).where(EVENT.c.id == event_id)).first()
    if known is None:
        return f"there is no event {event_id}: see `events list`"
    return (
        f"event {event_id} was not attributed here: only installs that the app's own server tells "
        "of are, by POST /api/v1/events"
    )
