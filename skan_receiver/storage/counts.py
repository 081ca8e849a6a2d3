"""Counts of raw values, in several grains. The meaning is joined when a report is made.

What is counted is a cell, a row of `count_cell`; how many there were of it is in narrow tables of
numbers, one for each grain, which are quick to add to and quick to sum.
"""

from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Date
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, table, utc

# A cell is found by its members, so none may be NULL: here, and only here, what is absent is
# written -1 or the empty text.
ABSENT = -1
NOTHING = ""

KEY_BYTES = 16


class CountCell(SQLModel, table=True):
    """What can be counted. Rows are added, never edited and never deleted."""

    __tablename__ = "count_cell"

    id: int | None = big(primary_key=True, default=None)
    # `cell_key` of all that follows: an index of eleven columns costs more than all counting.
    key: str = Field(unique=True)
    app_id: int = big()
    ad_network_id: str  # lower case: ids compare so
    framework: str
    version: str
    window: int
    verdict: str
    counted: bool  # what `counts()` said of it
    conversion_type: str
    did_win: bool
    fine_value: int
    coarse_value: str


class CountHour(SQLModel, table=True):
    """By UTC hour of the first arrival."""

    __tablename__ = "count_hour"
    __table_args__ = {"sqlite_with_rowid": False}

    # Time comes first in every grain, so that what is counted now is in few pages.
    hour: datetime = utc(primary_key=True)
    cell: int = big(primary_key=True)
    n: int = big()


class CountDay(SQLModel, table=True):
    """By UTC day: the sum of its hours."""

    __tablename__ = "count_day"
    __table_args__ = {"sqlite_with_rowid": False}

    day: date = Field(primary_key=True, sa_type=Date)
    cell: int = big(primary_key=True)
    n: int = big()


class CountMonth(SQLModel, table=True):
    """By UTC month, named by its first day: the sum of its days."""

    __tablename__ = "count_month"
    __table_args__ = {"sqlite_with_rowid": False}

    month: date = Field(primary_key=True, sa_type=Date)
    cell: int = big(primary_key=True)
    n: int = big()


class CountVolume(SQLModel, table=True):
    """By UTC day, whatever the values: the cell without a value stands for all that differ from
    it in nothing else. A fifth of the rows of `count_day`, for a year split by day."""

    __tablename__ = "count_volume"
    __table_args__ = {"sqlite_with_rowid": False}

    day: date = Field(primary_key=True, sa_type=Date)
    cell: int = big(primary_key=True)
    n: int = big()


class CountPlace(SQLModel, table=True):
    """Wide: by UTC day, with where the ad was and where the user is."""

    __tablename__ = "count_place"
    __table_args__ = {"sqlite_with_rowid": False}

    day: date = Field(primary_key=True, sa_type=Date)
    cell: int = big(primary_key=True)
    source_identifier: str = Field(primary_key=True)  # or the campaign id, before SKAN 4
    source_app_id: int = big(primary_key=True)
    source_domain: str = Field(primary_key=True)
    country: str = Field(primary_key=True)
    n: int = big()


# What a cell is, in the order of its key.
MEMBERS = (
    *("app_id", "ad_network_id", "framework", "version", "window", "verdict", "counted"),
    *("conversion_type", "did_win", "fine_value", "coarse_value"),
)

Cell = tuple[Any, ...]  # values of MEMBERS

# Where what is counted is counted.
_MODELS: tuple[type[SQLModel], ...] = (CountHour, CountDay, CountMonth, CountVolume, CountPlace)
GRAINS = tuple(map(table, _MODELS))


def cell_key(cell: Cell) -> str:
    """What a cell is found by."""
    return blake2b(ascii(cell).encode(), digest_size=KEY_BYTES).hexdigest()


def valueless(cell: Cell) -> Cell:
    """The cell that stands for this one where values are of no interest."""
    return (*cell[:-2], ABSENT, NOTHING)
