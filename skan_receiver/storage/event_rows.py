"""Events as rows of `event`, and rows as events: one column for each field, by its name."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from skan_receiver.mmp.event import Att, Attribution, Device, Event, Kind, Person, Platform, Signals

PARTS = {"person": Person, "attribution": Attribution, "signals": Signals, "device": Device}
_OWN = tuple(field.name for field in fields(Event) if field.name not in (*PARTS, "revenue"))

# The columns of each part.
COLUMNS = {part: tuple(field.name for field in fields(kind)) for part, kind in PARTS.items()}

MILLION = 1_000_000


def row_of(event: Event) -> dict[str, Any]:
    """The columns that an event fills."""
    row = {name: getattr(event, name) for name in _OWN}
    for part, kind in PARTS.items():
        row |= {field.name: getattr(getattr(event, part), field.name) for field in fields(kind)}
    return {"identity": event.identity, "revenue_micros": micros(event.revenue), **row}


def event_of(row: Row[Any]) -> Event:
    """The event that a row holds; `event_of(row_of(event))` is the event."""
    own = {name: getattr(row, name) for name in _OWN}
    own["kind"] = Kind(row.kind)
    own["revenue"] = amount(row.revenue_micros)
    own["platform"] = None if row.platform is None else Platform(row.platform)
    parts: dict[str, Any] = {
        part: kind(**{field.name: getattr(row, field.name) for field in fields(kind)})
        for part, kind in PARTS.items()
        if part != "signals"
    }
    said = {field.name: getattr(row, field.name) for field in fields(Signals)}
    said["att"] = None if row.att is None else Att(row.att)
    return Event(**own, **parts, signals=Signals(**said))


def micros(revenue: Decimal | None) -> int | None:
    """An amount in millionths; what is finer is rounded."""
    return None if revenue is None else int((revenue * MILLION).to_integral_value())


def amount(of: int | None) -> Decimal | None:
    """Millionths as an amount."""
    return None if of is None else Decimal(of) / MILLION
