"""The counted cells a report sums: which of them, and split by what.

    CELL.c.…     what a cell is: any column of `count_cell`
    N            how many were counted of it
    NT, NTT      the moments of N: see `moments`
    AT           the hour in which they came, where it matters: only then hours are summed, and
                 not days or months
    PLACE[…]     where the ad was and where the user is: with `grain=WIDE` only, whose time is a
                 DAY

A report's expressions are of these. Its amounts are sums: those of the parts of a period are added.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnClause,
    ColumnElement,
    Connection,
    Date,
    Label,
    Select,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.sql import visitors

from skan_receiver.reports import pieces
from skan_receiver.reports.clock import AT, day_of
from skan_receiver.reports.period import Period
from skan_receiver.reports.pieces import Piece
from skan_receiver.reports.question import Question
from skan_receiver.storage import CountCell, CountPlace
from skan_receiver.storage.columns import Int64, table

CELL = table(CountCell)
N: ColumnElement[int] = column("n", Int64)
# Sums of `n` times the hours since a period's start, and times their square; of hours, where no
# row is of a single hour.
NT: ColumnElement[int] = column("nt", Int64)
NTT: ColumnElement[int] = column("ntt", Int64)
DAY: ColumnElement[date] = column("at", Date())

_OF_CELLS = ("app_id", "ad_network_id", "framework", "version", "window", "verdict")
# A day is a sum of hours, or counted as such: `sums` says which.
DIMENSIONS: Mapping[str, ColumnElement[Any]] = {
    "hour": AT,
    "day": DAY,
    **{name: CELL.c[name] for name in _OF_CELLS},
}

PLACES = ("source_identifier", "source_app_id", "source_domain", "country")
PLACE: Mapping[str, ColumnElement[Any]] = {
    name: column(name, table(CountPlace).c[name].type) for name in PLACES
}

VALUES = {"fine_value", "coarse_value"}


@dataclass(frozen=True, slots=True)
class Grain:
    """What counts can be split by."""

    dimensions: Mapping[str, ColumnElement[Any]]


# By hour; and by UTC day, with where the ad was and where the user is.
NARROW = Grain(DIMENSIONS)
WIDE = Grain({name: of for name, of in DIMENSIONS.items() if name != "hour"} | dict(PLACE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a row is about. A dimension that the report is not split by is None."""

    hour: datetime | None = None  # of UTC, until it is told: two hours are one where clocks go back
    day: date | None = None
    app_id: int | None = None
    ad_network_id: str | None = None
    framework: str | None = None
    version: str | None = None
    window: int | None = None
    verdict: str | None = None


def _day(piece: Piece, period: Period) -> ColumnElement[Any]:
    """The day of a count in the period's time zone; what is counted by day keeps the day it has."""
    return day_of(period) if piece.counts is pieces.HOURS else DAY


def sums(
    connection: Connection,
    question: Question,
    *,
    also: Iterable[ColumnElement[Any]] = (),
    amounts: Iterable[ColumnElement[int]],
    only: Iterable[ColumnElement[bool]] = (),
    grain: Grain = NARROW,
) -> list[dict[str, Any]]:
    """`amounts` summed over the cells of a period, split as asked and by `also`; in order."""
    also, amounts, only = tuple(also), tuple(amounts), tuple(only)
    names = [*question.by, *(_name(one) for one in also)]
    found: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for piece in _pieces(question, _columns(*also, *amounts, *only), grain):
        for row in connection.execute(_statement(piece, question, also, amounts, only, grain)):
            key, more = _dated(question, row[: len(names)]), row[len(names) :]
            had = found.get(key)
            found[key] = more if had is None else tuple(map(sum, zip(had, more, strict=True)))
    named = [*names, *map(_name, amounts)]
    return [dict(zip(named, (*key, *found[key]), strict=True)) for key in sorted(found)]


def _pieces(question: Question, asked: Set[str], grain: Grain) -> Iterator[Piece]:
    """The counts that can tell it, with as few rows as can be."""
    period, by = question.period, question.by
    values = bool(VALUES & asked)
    if grain is WIDE:
        return pieces.places(period)
    by_hour = "hour" in by or {AT.name, NT.name, NTT.name} & asked
    if by_hour or ("day" in by and period.zone is not UTC):
        return pieces.hours(period)
    return (pieces.days if "day" in by else pieces.months)(period, values=values)


def _statement(
    piece: Piece,
    question: Question,
    also: tuple[ColumnElement[Any], ...],
    amounts: tuple[ColumnElement[int], ...],
    only: tuple[ColumnElement[bool], ...],
    grain: Grain,
) -> Select[Any]:
    at = {"day": _day(piece, question.period)}
    split = {name: at.get(name, grain.dimensions[name]) for name in question.by}
    keys = [*(of.label(name) for name, of in split.items()), *also]
    of_cells = (*question.filters.conditions(CELL), *only)
    # A set of cells is looked into more quickly than each cell is looked up.
    among = select(CELL.c.id).where(*of_cells) if of_cells else None
    timed = {_name(key): key for key in keys if AT.name in _columns(key)}
    moments = bool({NT.name, NTT.name} & _columns(*amounts))
    if grain is WIDE or (AT.name in _columns(*keys, *amounts, *only) and not moments):
        counts = piece.rows()
    else:
        by = list(timed.values())
        counts = piece.sums(by, among=among if moments else None, moments=moments)
        keys = [column(_name(key), key.type) if _name(key) in timed else key for key in keys]
    sums = select(*keys, *amounts).group_by(*map(_by_name, keys))
    if _columns(*keys, *amounts) & set(CELL.c.keys()):
        return sums.select_from(counts.join(CELL, CELL.c.id == counts.c.cell)).where(*of_cells)
    return sums.select_from(counts).where(*([] if among is None else [counts.c.cell.in_(among)]))


def _columns(*expressions: ColumnElement[Any]) -> set[str]:
    """The columns that they mention."""
    parts = (part for one in expressions for part in visitors.iterate(one))
    return {part.name for part in parts if isinstance(part, ColumnClause)}


def _by_name(key: ColumnElement[Any]) -> Any:
    """PostgreSQL does not see that an expression with parameters is the one selected.

    Where the name is that of a column as well, the column is meant on either side.
    """
    if isinstance(key, Label):
        return key.element if isinstance(key.element, Column) else key.name
    return key


def total(of: ColumnElement[Any], name: str) -> ColumnElement[int]:
    """A sum as an int; PostgreSQL would make it a decimal."""
    return cast(func.coalesce(func.sum(of), 0), BigInteger).label(name)


def _name(of: ColumnElement[Any]) -> str:
    name: str = of.name
    return name


def _dated(question: Question, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A day is text in SQLite where it is worked out."""
    if "day" not in question.by or isinstance(key[at := question.by.index("day")], date):
        return tuple(key)
    return (*key[:at], date.fromisoformat(key[at]), *key[at + 1 :])
