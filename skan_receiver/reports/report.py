"""What a report is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from skan_receiver.reports.cells import Group
from skan_receiver.reports.period import HOUR, WEEK
from skan_receiver.reports.question import ARRIVAL, USUAL, Question, Unanswerable

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """A named table of numbers for a period."""

    title: str
    dimensions: tuple[str, ...]  # what it can be split by
    usually: tuple[str, ...]  # what it is split by when nothing is said
    measures: tuple[str, ...]  # the columns after those
    # -> rows in order, with an attribute for each column
    rows: Callable[[Connection, Question], Sequence[Group]]
    # Its rows as a Vega-Lite specification, given what they are split by.
    chart: Callable[[Rows, tuple[str, ...]], dict[str, Any]]
    bases: tuple[str, ...] = (ARRIVAL,)  # what its dates can be of; the first, when nothing is said
    has_amounts: bool = False  # they can be converted into one currency
    needs_statement: bool = False
    count: str | None = None  # the column that says how many postbacks a row is made of
    step: timedelta = HOUR  # what it is of is no shorter than this
    weekly: tuple[str, ...] = ()  # dimensions by which it is of whole weeks
    is_sent: bool = True  # a destination may get it; else it is for whoever runs this alone

    def columns(self, by: Sequence[str]) -> tuple[str, ...]:
        """The columns of its rows when it is split so."""
        return (*by, *self.measures)

    def shortest(self, by: Sequence[str]) -> timedelta:
        """The shortest time that its rows are of when it is split so."""
        return WEEK if set(by) & set(self.weekly) else self.step

    def clash(self, by: Sequence[str]) -> str | None:
        """Why it cannot be split by all of these; None where it can."""
        weekly = [name for name in by if name in self.weekly]
        if not weekly or "day" not in by:
            return None
        return f"{weekly[0]} are of whole weeks: leave `day` out"

    def asked(self, question: Question) -> Question:
        """The question with what was left to the report. Raises Unanswerable with the remedy."""
        if other := [name for name in question.by if name not in self.dimensions]:
            split = ", ".join(self.dimensions)
            raise Unanswerable("by", f"cannot be split by {other[0]!r}, but by: {split}")
        if clash := self.clash(question.by):
            raise Unanswerable("by", clash)
        basis = self.bases[0] if question.basis == USUAL else question.basis
        if basis not in self.bases:
            raise Unanswerable("basis", f"its dates are those of: {', '.join(self.bases)}")
        if question.currency and not self.has_amounts:
            raise Unanswerable("currency", "it has no amounts; leave it out")
        if self.needs_statement != bool(question.statement):
            remedy = "name one" if self.needs_statement else "leave it out"
            raise Unanswerable("statement", f"whose numbers to compare with; {remedy}")
        return question.but(by=question.by or self.usually, basis=basis)

    def table(self, connection: Connection, question: Question) -> list[dict[str, Any]]:
        """Its rows as plain dicts, with the columns that were asked for; hours of the zone."""
        names, zone = self.columns(question.by), question.period.zone
        told = [
            {name: getattr(row, name) for name in names} for row in self.rows(connection, question)
        ]
        for row in told:
            if row.get("hour") is not None:
                row["hour"] = row["hour"].astimezone(zone)
        return told
