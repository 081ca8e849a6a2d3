"""`/events`: the latest events, without who it was, what became of each, and what is to set up."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Row, select

from skan_receiver.doctor.events import steps
from skan_receiver.mmp.personal import masked
from skan_receiver.storage import EventDecision, event_search
from skan_receiver.storage.columns import table
from skan_receiver.storage.event_rows import COLUMNS, amount
from skan_receiver.storage.newest import Place
from skan_receiver.web import cursor
from skan_receiver.web.access import unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services

DECISION = table(EventDecision)

SHOWN = 50

bp = page_blueprint("events", __name__, url_prefix="/events")
bp.before_request(unlimited_only)


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an event at one destination."""

    destination: str
    outcome: str
    reason: str
    withheld: int  # so many fields were kept back


@dataclass(frozen=True, slots=True)
class Line:
    """An event, as a page may show it."""

    row: Row[Any]
    person: Mapping[str, str]  # the first letters of each identifier
    revenue: str
    decisions: Sequence[Decided]


@bp.get("")
def listing() -> ResponseReturnValue:
    """The latest events, and the list of what to set up."""
    with services().store.read() as connection:
        rows, place = event_search.find(
            connection, event_search.Query(), after=_place(), limit=SHOWN
        )
        decided = _decided(connection, [row.id for row in rows])
        found = steps(connection, services().settings)
    lines = [Line(row, _masked(row), _revenue(row), decided[row.id]) for row in rows]
    more = f"/events?cursor={cursor.written(place)}" if place else None
    return render_template("events.html", lines=lines, steps=found, more=more)


def _place() -> Place | None:
    """A bookmark of another release begins at the top."""
    with suppress(ValueError):
        return cursor.read(request.args["cursor"]) if "cursor" in request.args else None
    return None


def _decided(connection: Connection, ids: Sequence[int]) -> Mapping[int, list[Decided]]:
    found: defaultdict[int, list[Decided]] = defaultdict(list)
    theirs = select(DECISION).where(DECISION.c.event_id.in_(ids)).order_by(DECISION.c.destination)
    for row in connection.execute(theirs):
        withheld = len(json.loads(row.withheld))
        found[row.event_id].append(Decided(row.destination, row.outcome, row.reason, withheld))
    return found


def _masked(row: Row[Any]) -> Mapping[str, str]:
    named = ((name, getattr(row, name)) for name in COLUMNS["person"])
    return {name: masked(value) for name, value in named if value}


def _revenue(row: Row[Any]) -> str:
    worth = amount(row.revenue_micros)
    return "–" if worth is None else f"{worth:,.2f} {row.currency or ''}".strip()
