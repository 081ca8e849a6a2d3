"""What a database can tell of an hour: its day in any time zone, its distance to another."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, cast, column, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from skan_receiver.reports.period import Period
from skan_receiver.storage import CountHour
from skan_receiver.storage.columns import Int64, table

HOUR = table(CountHour).c.hour.type

AT: ColumnElement[datetime] = column("at", HOUR)


def utc_day() -> ColumnElement[Any]:
    """The UTC day of an hour."""
    # The connection's time zone is UTC on PostgreSQL, and SQLite's text is UTC: `date` means the
    # same on both.
    return func.date(AT)


def day_of(period: Period, ago: timedelta = timedelta()) -> ColumnElement[Any]:
    """The day of an hour, so long before it, in the time zone of a period which that lies in."""
    if period.zone is UTC and not ago:
        return utc_day()
    *earlier, (_, ahead) = period.offsets()
    changes = [since + ago for since, _ in period.offsets()][1:]
    whens = [
        (change > AT, _Ahead(AT, minutes=_minutes(was - ago)))
        for change, (_, was) in zip(changes, earlier, strict=True)
    ]
    day = _Ahead(AT, minutes=_minutes(ahead - ago))
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
def _ahead_on_sqlite(element: _Ahead, compiler: Any, **kw: Any) -> str:
    at, minutes = (compiler.process(one, **kw) for one in element.clauses)
    return f"date({at}, {minutes} || ' minutes')"


@compiles(_Ahead, "postgresql")
def _ahead_on_postgresql(element: _Ahead, compiler: Any, **kw: Any) -> str:
    at, minutes = (compiler.process(one, **kw) for one in element.clauses)
    return f"CAST(({at} + make_interval(mins => {minutes})) AS date)"


class HoursAfter(FunctionElement[int]):
    """How many hours an hour is after another."""

    inherit_cache = True
    name = "hours_after"
    type = Int64

    def __init__(self, at: ColumnElement[datetime], since: date) -> None:
        super().__init__(at, literal(since, HOUR))


@compiles(HoursAfter)
def _hours_on_sqlite(element: HoursAfter, compiler: Any, **kw: Any) -> str:
    at, since = (compiler.process(one, **kw) for one in element.clauses)
    return f"CAST(round((julianday({at}) - julianday({since})) * 24) AS INTEGER)"


@compiles(HoursAfter, "postgresql")
def _hours_on_postgresql(element: HoursAfter, compiler: Any, **kw: Any) -> str:
    at, since = (compiler.process(one, **kw) for one in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM {at} - {since}) / 3600 AS BIGINT)"
