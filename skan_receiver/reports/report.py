"""What a report is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from skan_receiver.reports.cells import Filters, Group
from skan_receiver.reports.period import Period


@dataclass(frozen=True, slots=True)
class Report:
    """A named table of numbers for a period."""

    title: str
    dimensions: tuple[str, ...]  # what it can be split by
    usually: tuple[str, ...]  # what it is split by when nothing is said
    measures: tuple[str, ...]  # the columns after those
    # connection, period, filters, by -> rows in order, with an attribute for each column
    rows: Callable[[Connection, Period, Filters, Sequence[str]], Sequence[Group]]

    def columns(self, by: Sequence[str]) -> tuple[str, ...]:
        """The columns of its rows when it is split so."""
        return (*by, *self.measures)

    def table(
        self, connection: Connection, period: Period, filters: Filters, by: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Its rows as plain dicts, with the columns that were asked for."""
        names = self.columns(by)
        found = self.rows(connection, period, filters, by)
        return [{name: getattr(row, name) for name in names} for row in found]
