"""Why an MMP's or a network's number is not ours: a waterfall from theirs to ours.

Where their rows have Apple's ids each postback finds its like or a reason; elsewhere the numbers
of a day, app and network are compared (`reconciling`). Only apps and networks that the statement
names are looked at, so that whoever reports on one network is not held to account for another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from skan_receiver.reports import charts
from skan_receiver.reports.cells import Group
from skan_receiver.reports.question import Question, Unanswerable
from skan_receiver.reports.reconciling import by_count, by_id
from skan_receiver.reports.reconciling.ids import Ids
from skan_receiver.reports.reconciling.numbers import Numbers
from skan_receiver.reports.reconciling.reasons import OURS, THEIRS, WORDS
from skan_receiver.reports.reconciling.sides import Frame, View
from skan_receiver.reports.reconciling.statement import Read, read
from skan_receiver.reports.reconciling.waterfall import Waterfall
from skan_receiver.reports.report import Report, Rows

TOTALS = (THEIRS, OURS)

# What both sides can be asked for alike.
SHARED = ("app_id", "ad_network_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Group):
    """One step from their number to ours: theirs, a reason with what it changes, and ours."""

    step: str
    says: str
    count: int
    examples: tuple[Mapping[str, str], ...]  # postbacks, by their ids


def rows(connection: Connection, question: Question) -> list[Reconciled]:
    """The steps of each group, in order. Days are whole ones: a statement knows no hours."""
    statement = read(connection, question.statement or "")
    view = _view(statement, question)
    waterfall = Waterfall()
    _compare(connection, statement, view, waterfall)
    keys = waterfall.groups() or ([()] if not view.by else [])
    return [
        Reconciled(
            **dict(zip(view.by, key, strict=True)),  # type: ignore[arg-type]  # of each its own
            step=step.name,
            says=WORDS[step.name],
            count=step.count,
            examples=tuple({"postback_id": one} for one in step.examples),
        )
        for key in keys
        for step in waterfall.steps(key)
    ]


def _compare(connection: Connection, statement: Read, view: View, waterfall: Waterfall) -> None:
    if view.terms.by_id:
        ids = Ids(connection, statement, view)
        for claims, helds in ids.pairs():
            by_id.compare(view, claims, helds, waterfall)
        for held in ids.unclaimed():
            by_id.compare(view, (), [held], waterfall)
    if view.terms.by_id != view.terms.strata:
        numbers = Numbers(connection, statement, view)
        theirs, labelled = numbers.theirs()
        by_count.compare(view, theirs, labelled, numbers.ours(), waterfall)


def _view(statement: Read, question: Question) -> View:
    filters, period = question.filters, question.period
    if wrong := [name for name, _ in filters.given() if name not in SHARED]:
        raise Unanswerable(wrong[0], "a statement does not know it; leave it out")
    networks = dict(filters.given()).get("ad_network_id")
    return View(
        terms=statement.terms,
        frame=Frame(period.zone),
        first=period.first_day,
        last=period.last_day,
        by=question.by,
        apps=_set(filters.app_id),
        networks=_named(statement, networks),
    )


def _set(value: Any) -> frozenset[Any] | None:
    if value is None:
        return None
    return frozenset(value if isinstance(value, tuple) else (value,))


def _named(statement: Read, networks: str | tuple[str, ...] | None) -> frozenset[str] | None:
    """Networks as the statement's lines name them."""
    if networks is None:
        return None
    if not statement.terms.names_networks:
        raise Unanswerable("ad_network_id", "this statement names no networks; leave it out")
    named = (statement.terms.network(name) for name in _set(networks) or ())
    return frozenset(name for name in named if name is not None)


def chart(rows: Rows, _by: tuple[str, ...]) -> dict[str, Any]:
    """From theirs down and up to ours, all groups together."""
    steps = {str(name): sum(row["count"] for row in rows if row["step"] == name) for name in WORDS}
    shown = {name: n for name, n in steps.items() if n or name in TOTALS}
    return charts.waterfall(shown, TOTALS, "Installs")


RECONCILE = Report(
    title="Reconcile: why their number is not ours",
    dimensions=("day", *SHARED),
    usually=(),
    measures=("step", "says", "count", "examples"),
    rows=rows,
    chart=chart,
    needs_statement=True,
)
