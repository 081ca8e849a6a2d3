"""Copies of a postback that do not say the same.

What differs is signed by nobody where it is a conflict, and signed where it is a collision. Neither
counts; the values that stand are those of whoever is closest to Apple. Read through the index of
arrivals that are no first ones, by kind and time (`ix_arrival_again`), and so bounded by how many
conflicts there are in the period.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, cast, func, literal_column, or_

from skan_receiver.reports import charts
from skan_receiver.reports.cells import DIMENSIONS as COUNTED
from skan_receiver.reports.cells import Group
from skan_receiver.reports.question import Question
from skan_receiver.reports.report import Report
from skan_receiver.reports.report import Rows as Table
from skan_receiver.reports.stored import DIMENSIONS, POSTBACK, Example, Rows, in_order
from skan_receiver.storage import Arrival
from skan_receiver.storage.columns import table
from skan_receiver.storage.place import UNSIGNED
from skan_receiver.storage.postbacks import AGAIN

ARRIVAL = table(Arrival)
CONFLICT, COLLISION = "conflict", "collision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing(Group):
    """Arrivals that differ, and in what; one may differ in several fields."""

    kind: str | None = None
    endpoint: str | None = None

    arrivals: int
    fine_value: int
    coarse_value: int
    country: int
    interaction_type: int
    signed: int
    examples: tuple[Example, ...]  # the first and the last


ROWS = Rows(
    of=ARRIVAL.join(POSTBACK, POSTBACK.c.id == ARRIVAL.c.stored_id),
    at=ARRIVAL.c.received_at,
    dimensions={**DIMENSIONS, "kind": ARRIVAL.c.kind, "endpoint": ARRIVAL.c.endpoint},
    numbered=ARRIVAL.c.stored_id,
)


def _differs(name: str) -> ColumnElement[bool]:
    return ARRIVAL.c[name].is_distinct_from(POSTBACK.c[name])


def _sum(of: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(cast(of, Integer)), 0)


_COLLIDES = ARRIVAL.c.kind == COLLISION
# What differed once may be what stands now, if a third copy said so too.
_ONLY: tuple[ColumnElement[bool], ...] = (
    literal_column(AGAIN),
    ARRIVAL.c.kind.in_((CONFLICT, COLLISION)),
    or_(_COLLIDES, *map(_differs, UNSIGNED)),
)
_AMOUNTS = {
    "arrivals": func.count(),
    **{name: _sum(_differs(name)) for name in UNSIGNED},
    "signed": _sum(_COLLIDES),
}


def rows(connection: Connection, question: Question) -> list[Differing]:
    """By when the differing copy arrived."""
    found = ROWS.sums(connection, question, _AMOUNTS, _ONLY)
    return [
        Differing(**dict(zip(question.by, group, strict=True)), **found[group].told())
        for group in in_order(found)
    ]


def chart(rows: Table, by: tuple[str, ...]) -> dict[str, Any]:
    """Arrivals over time, or by group."""
    return charts.bars(rows, by, "arrivals", "Arrivals that differ")


CONFLICTS = Report(
    title="Conflicts and collisions: copies that do not say the same",
    dimensions=(*COUNTED, "kind", "endpoint"),
    usually=("day", "kind", "endpoint"),
    measures=("arrivals", *UNSIGNED, "signed", "examples"),
    rows=rows,
    chart=chart,
    is_sent=False,
)
