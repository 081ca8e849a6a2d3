"""Counts of raw values, in two grains. The meaning is joined when a report is made.

A key may not hold NULL: here, and only here, what is absent is written -1 or the empty text.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, utc

ABSENT = -1
NOTHING = ""


class _Cell(SQLModel):
    app_id: int = big(primary_key=True)
    ad_network_id: str = Field(primary_key=True)  # lower case: ids compare so
    framework: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    window: int = Field(primary_key=True)
    verdict: str = Field(primary_key=True)
    counted: bool = Field(primary_key=True)  # what `counts()` said of it
    conversion_type: str = Field(primary_key=True)
    did_win: bool = Field(primary_key=True)
    fine_value: int = Field(primary_key=True)
    coarse_value: str = Field(primary_key=True)


class CountHour(_Cell, table=True):
    """Narrow: by UTC hour of the first arrival, for dashboards."""

    __tablename__ = "count_hour"
    __table_args__ = {"sqlite_with_rowid": False}

    hour: datetime = utc(primary_key=True)
    n: int = big(default=0)


class CountDay(_Cell, table=True):
    """Wide: by UTC day, with where the ad was and where the user is."""

    __tablename__ = "count_day"
    __table_args__ = {"sqlite_with_rowid": False}

    day: datetime = utc(primary_key=True)
    source_identifier: str = Field(primary_key=True)  # or the campaign id, before SKAN 4
    source_app_id: int = big(primary_key=True)
    source_domain: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    n: int = big(default=0)


def cell_key(row: Any, *, fine: int | None, coarse: str | None) -> tuple[Any, ...]:
    """The part of a cell's key both grains share, from a row of `postback` with `counted`."""
    return (
        row.app_id,
        row.ad_network_id.lower(),
        row.framework,
        row.version,
        row.window,
        row.verdict,
        bool(row.counted),
        row.conversion_type or NOTHING,
        row.did_win,
        ABSENT if fine is None else fine,
        coarse or NOTHING,
    )
