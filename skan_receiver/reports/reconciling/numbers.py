"""What is compared by number: sums of their lines, and of our counts dated in several ways."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from skan_receiver.mmp.statements.format import INSTALLED
from skan_receiver.reports.cells import CELL, total
from skan_receiver.reports.period import DAY
from skan_receiver.reports.pieces import HOURS
from skan_receiver.reports.reconciling.by_count import Cell, Counted
from skan_receiver.reports.reconciling.by_id import label
from skan_receiver.reports.reconciling.postbacks import (
    INSTALLS,
    POSTBACK,
    around,
    believed,
    forwarded,
    sandbox,
)
from skan_receiver.reports.reconciling.reasons import INSTALL, Reason, standing
from skan_receiver.reports.reconciling.sides import Claim, Frame, View, frames
from skan_receiver.reports.reconciling.statement import LINE, Read
from skan_receiver.storage.counts import ABSENT, NOTHING
from skan_receiver.storage.predicate import counts

# The longest from an install to its postback: in window 2, see `usual_install`.
LATEST = 40 * DAY

GRAIN = ("app_id", "ad_network_id", "version", "window", "conversion_type", "verdict")
FACTS = ("counted", "did_win")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Reads what a statement has no ids for."""

    connection: Connection
    statement: Read
    view: View

    def theirs(self) -> tuple[Counter[Cell], dict[Reason, Counter[Cell]]]:
        """What its lines add up to; and of that, what by its own words is no install."""
        every: Counter[Cell] = Counter()
        labelled: defaultdict[Reason, Counter[Cell]] = defaultdict(Counter)
        split = tuple(LINE.c[name] for name in ("day", "app_id", "ad_network_id", "window", "kind"))
        rows = self.connection.execute(
            select(*split, total(LINE.c.count, "count"))
            .where(LINE.c.statement_id == self.statement.id)
            .where(LINE.c.day >= self.view.first, LINE.c.day <= self.view.last)
            .group_by(*split)
        )
        for row in rows:
            claim = Claim(**row._mapping)
            cell = claim.day, claim.app_id, claim.ad_network_id
            if not self._has(cell):
                continue
            every[cell] += claim.count
            if reason := label(claim):
                labelled[reason][cell] += claim.count
        return every, labelled

    def ours(self) -> dict[Frame, Counted]:
        """Our installs, and what they may count beside them or leave out, dated in each way."""
        found = {frame: Counted() for frame in frames(self.view.terms, self.view.frame)}
        verdicts = believed(sandbox(self.connection))
        for row in self._cells():
            why = standing(row, verdicts)
            for frame, cell in self._dated(found, row, row.hour):
                if why is not INSTALL:
                    found[frame].candidates[why][cell] += row.n
                    continue
                found[frame].installs[cell] += row.n
                if row.is_null:
                    found[frame].candidates[Reason.NULLS][cell] -= row.n
        for row in self._kept_back():
            for frame, cell in self._dated(found, row, row.received_at):
                found[frame].candidates[Reason.NEVER_FORWARDED][cell] -= 1
        return found

    def _dated(
        self, found: Mapping[Frame, Counted], row: Row[Any], at: datetime
    ) -> Iterator[tuple[Frame, Cell]]:
        network = self.view.terms.network(row.ad_network_id.lower())
        for frame in found:
            cell = frame.day(at, row.version, row.window), row.app_id, network
            if self._has(cell):
                yield frame, cell

    def _has(self, cell: Cell) -> bool:
        """Whether a cell is in sight, and compared by number."""
        return cell[1:] not in self.view.terms.by_id and self.view.key(*cell) is not None

    def _cells(self) -> Iterator[Any]:
        start, end = around(self.view)
        if self.view.terms.frame.basis == INSTALLED:
            end += LATEST
        is_null = (CELL.c.fine_value == ABSENT) & (CELL.c.coarse_value == NOTHING)
        keys = [HOURS.c.hour, *(CELL.c[name] for name in (*GRAIN, *FACTS))]
        yield from self.connection.execute(
            select(*keys, is_null.label("is_null"), total(HOURS.c.n, "n"))
            .join_from(HOURS, CELL, CELL.c.id == HOURS.c.cell)
            .where(HOURS.c.hour >= start, HOURS.c.hour < end, CELL.c.app_id.in_(self._apps))
            .group_by(*keys, is_null),
            execution_options={"yield_per": 10_000},
        )

    def _kept_back(self) -> Iterator[Row[Any]]:
        """Installs that have been delivered to none of their destinations, where they have some."""
        if not self.statement.destinations:
            return
        start, end = around(self.view)
        if self.view.terms.frame.basis == INSTALLED:
            end += LATEST
        names = ("received_at", "app_id", "ad_network_id", "version", "window")
        yield from self.connection.execute(
            select(*(POSTBACK.c[name] for name in names))
            .where(POSTBACK.c.received_at >= start, POSTBACK.c.received_at < end)
            .where(*INSTALLS, POSTBACK.c.app_id.in_(self._apps), counts(sandbox(self.connection)))
            .where(~forwarded(self.statement.destinations)),
            execution_options={"yield_per": 10_000},
        )

    @property
    def _apps(self) -> list[int]:
        strata = self.view.terms.strata - self.view.terms.by_id
        return sorted({app_id for app_id, _ in strata})
