"""The counted cells a report sums: which of them, and split by what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Label,
    Row,
    Table,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from skan_receiver.reports.period import Period
from skan_receiver.reports.question import Question
from skan_receiver.storage import CountDay, CountHour
from skan_receiver.storage.columns import table

HOURS, DAYS = table(CountHour), table(CountDay)

# A dimension is a column, but for the day, which is a sum of hours. The connection's time zone
# is UTC on PostgreSQL, and SQLite's text is UTC: `date` means the same on both.
DIMENSIONS: dict[str, ColumnElement[Any]] = {
    "hour": HOURS.c.hour,
    "day": func.date(HOURS.c.hour),
    "app_id": HOURS.c.app_id,
    "ad_network_id": HOURS.c.ad_network_id,
    "framework": HOURS.c.framework,
    "version": HOURS.c.version,
    "window": HOURS.c.window,
    "verdict": HOURS.c.verdict,
}


@dataclass(frozen=True, slots=True)
class Grain:
    """A table of cells: when they are of, and what they can be split by."""

    cells: Table
    at: ColumnElement[datetime]
    dimensions: Mapping[str, ColumnElement[Any]]


NARROW = Grain(HOURS, HOURS.c.hour, DIMENSIONS)

# Where the ad was and where the user is: counted by day only.
PLACES = ("source_identifier", "source_app_id", "source_domain", "country")
WIDE = Grain(
    DAYS,
    DAYS.c.day,
    {
        "day": func.date(DAYS.c.day),
        **{name: DAYS.c[name] for name in (*DIMENSIONS, *PLACES) if name not in ("hour", "day")},
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a row is about. A dimension that the report is not split by is None."""

    hour: datetime | None = None
    day: date | None = None
    app_id: int | None = None
    ad_network_id: str | None = None
    framework: str | None = None
    version: str | None = None
    window: int | None = None
    verdict: str | None = None


def _day(grain: Grain, period: Period) -> ColumnElement[Any]:
    """The day of a cell in the period's time zone; what is counted by day keeps the day it has."""
    if period.zone is UTC or grain.at.name != "hour":
        return grain.dimensions["day"]
    *earlier, (_, ahead) = period.offsets()
    changes = [since for since, _ in period.offsets()][1:]
    whens = [
        (grain.at < change, _Ahead(grain.at, minutes=_minutes(was)))
        for change, (_, was) in zip(changes, earlier, strict=True)
    ]
    day = _Ahead(grain.at, minutes=_minutes(ahead))
    return case(*whens, else_=day) if whens else day


def _minutes(ahead: timedelta) -> int:
    return round(ahead.total_seconds() / 60)


class _Ahead(FunctionElement[Any]):
    """The date so many minutes later: what the calendar says where clocks are ahead of UTC."""

    inherit_cache = True
    name = "ahead"

    def __init__(self, at: ColumnElement[datetime], *, minutes: int) -> None:
        super().__init__(at, cast(minutes, Integer))


@compiles(_Ahead)
def _on_sqlite(element: _Ahead, compiler: Any, **kw: Any) -> str:
    at, minutes = (compiler.process(one, **kw) for one in element.clauses)
    return f"date({at}, {minutes} || ' minutes')"


@compiles(_Ahead, "postgresql")
def _on_postgresql(element: _Ahead, compiler: Any, **kw: Any) -> str:
    at, minutes = (compiler.process(one, **kw) for one in element.clauses)
    return f"CAST(({at} + make_interval(mins => {minutes})) AS date)"


def sums(
    connection: Connection,
    question: Question,
    *,
    also: Iterable[ColumnElement[Any]] = (),
    amounts: Iterable[ColumnElement[int]],
    only: Iterable[ColumnElement[bool]] = (),
    grain: Grain = NARROW,
) -> list[dict[str, Any]]:
    """`amounts` summed over the cells of a period, split as asked and by `also`."""
    also, period = tuple(also), question.period
    at = {"day": _day(grain, period)}
    split = {name: at.get(name, grain.dimensions[name]) for name in question.by}
    keys = [*(column.label(name) for name, column in split.items()), *also]
    statement = (
        select(*keys, *amounts)
        .where(grain.at >= period.start, grain.at < period.end)
        .where(*question.filters.conditions(grain.cells), *only)
        .group_by(*map(_by_name, keys))
        .order_by(*map(_by_name, keys))
    )
    return [_plain(row, period) for row in connection.execute(statement)]


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


def _plain(row: Row[Any], period: Period) -> dict[str, Any]:
    """A day is text in SQLite; an hour is told in the period's time zone."""
    named = dict(row._mapping)
    if "day" in named:
        named["day"] = date.fromisoformat(str(named["day"]))
    if "hour" in named:
        named["hour"] = named["hour"].astimezone(period.zone)
    return named
