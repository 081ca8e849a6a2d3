"""Which counts say what a period came to, with the fewest rows: months, days and hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, Table, cast, func, select

from skan_receiver.reports.clock import HoursAfter
from skan_receiver.reports.period import DAY, Period
from skan_receiver.storage import CountDay, CountHour, CountMonth, CountPlace, CountVolume
from skan_receiver.storage.columns import table

HOURS, DAYS, MONTHS = table(CountHour), table(CountDay), table(CountMonth)
VOLUMES, PLACES = table(CountVolume), table(CountPlace)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a period, and the counts to sum for it."""

    counts: Table
    start: date  # a moment, for hours
    end: date

    @property
    def at(self) -> ColumnElement[Any]:
        """When what is counted came: the hour, the day or the month."""
        return next(iter(self.counts.c))

    def rows(self, among: Select[Any] | None = None) -> Subquery:
        """Every count of it: `at`, `cell`, `n` and whatever else it is counted by."""
        named = (column for column in self.counts.c if column is not self.at)
        within = [self.at >= self.start, self.at < self.end]
        if among is not None:
            within.append(self.counts.c.cell.in_(among))
        return select(self.at.label("at"), *named).where(*within).subquery("counts")

    def sums(
        self,
        by: Sequence[ColumnElement[Any]] = (),
        *,
        among: Select[Any] | None = None,
        moments: bool = False,
    ) -> Subquery:
        """By `cell` the `n` of all of it: what a cell is can then be looked up once for each.

        Also `by` labelled expressions of the time; of cells `among` these only. Of hours their
        `moments` too: `nt` and `ntt`, each `n` times its hours since the start, and their square.
        """
        rows = self.rows(among)
        if moments:
            t = HoursAfter(rows.c.at, self.start).label("t")
            # Worked out once for each row and not at each use: neither store looks behind OFFSET.
            rows = select(rows, t).offset(0).subquery("timed")
        cell, n = rows.c.cell, rows.c.n
        amounts = [_total(n, "n")]
        if moments:
            amounts += [_total(n * rows.c.t, "nt"), _total(n * rows.c.t * rows.c.t, "ntt")]
        found = select(*by, cell, *amounts).select_from(rows)
        return found.group_by(*(one.name for one in by), cell).subquery("sums")


def _total(of: ColumnElement[Any], name: str) -> ColumnElement[int]:
    return cast(func.sum(of), BigInteger).label(name)


def hours(period: Period) -> Iterator[Piece]:
    """Where it matters at which hour."""
    yield Piece(HOURS, period.start, period.end)


def days(period: Period, *, values: bool) -> Iterator[Piece]:
    """Where it matters on which UTC day; `values`: and which values they were."""
    first, last = _next_day(period.start), _day(period.end)
    if first >= last:
        yield from hours(period)
        return
    yield from _edge(period.start, _midnight(first))
    yield Piece(DAYS if values else VOLUMES, first, last)
    yield from _edge(_midnight(last), period.end)


def months(period: Period, *, values: bool) -> Iterator[Piece]:
    """Where it does not matter when."""
    for piece in days(period, values=values):
        if piece.counts is HOURS:
            yield piece
            continue
        first, last = _next_month(piece.start), piece.end.replace(day=1)
        if first >= last:
            yield piece
            continue
        if piece.start < first:
            yield Piece(piece.counts, piece.start, first)
        yield Piece(MONTHS, first, last)
        if last < piece.end:
            yield Piece(piece.counts, last, piece.end)


def places(period: Period) -> Iterator[Piece]:
    """The days that begin in it."""
    yield Piece(PLACES, _next_day(period.start), _next_day(period.end))


def _edge(start: datetime, end: datetime) -> Iterator[Piece]:
    if start < end:
        yield Piece(HOURS, start, end)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _next_day(moment: datetime) -> date:
    """The first day that begins then or later."""
    return _day(moment + DAY - datetime.resolution)


def _next_month(day: date) -> date:
    """The first month that begins then or later."""
    return day if day.day == 1 else (day.replace(day=1) + 31 * DAY).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
