"""The counted cells a report sums: which of them, and split by what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Label,
    Row,
    Table,
    cast,
    func,
    select,
)

from skan_receiver.reports.period import Period
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


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look at; None is: all of them."""

    app_id: int | None = None
    ad_network_id: str | None = None
    framework: str | None = None
    version: str | None = None
    window: int | None = None
    verdict: str | None = None
    counted: bool | None = None

    def conditions(self, cells: Table = HOURS) -> Iterator[ColumnElement[bool]]:
        """One for each filter that is set."""
        for name in self.__slots__:
            if (value := getattr(self, name)) is not None:
                # Ids compare without case; the cells hold them in lower case.
                yield cells.c[name] == (value.lower() if name == "ad_network_id" else value)


def sums(
    connection: Connection,
    period: Period,
    filters: Filters,
    by: Sequence[str],
    *,
    also: Iterable[ColumnElement[Any]] = (),
    amounts: Iterable[ColumnElement[int]],
    only: Iterable[ColumnElement[bool]] = (),
    grain: Grain = NARROW,
) -> list[dict[str, Any]]:
    """`amounts` summed over the cells of a period, split by dimensions and by `also`."""
    also = tuple(also)
    split = {name: grain.dimensions[name] for name in by}
    keys = [*(column.label(name) for name, column in split.items()), *also]
    statement = (
        select(*keys, *amounts)
        .where(grain.at >= period.start, grain.at < period.end)
        .where(*filters.conditions(grain.cells), *only)
        .group_by(*split.values(), *map(_by_name, also))
        .order_by(*split.values(), *also)
    )
    return [_plain(row) for row in connection.execute(statement)]


def _by_name(key: ColumnElement[Any]) -> Any:
    """PostgreSQL does not see that an expression with parameters is the one selected."""
    return key.name if isinstance(key, Label) else key


def total(of: ColumnElement[Any], name: str) -> ColumnElement[int]:
    """A sum as an int; PostgreSQL would make it a decimal."""
    return cast(func.coalesce(func.sum(of), 0), BigInteger).label(name)


def _plain(row: Row[Any]) -> dict[str, Any]:
    """A day is text in SQLite."""
    named = dict(row._mapping)
    if "day" in named:
        named["day"] = date.fromisoformat(str(named["day"]))
    return named
