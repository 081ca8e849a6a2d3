"""Statements: what an MMP or an ad network says was installed, kept to be compared with."""

from datetime import date, datetime

from sqlalchemy import Index, SmallInteger, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, utc


class Statement(SQLModel, table=True):
    """One file of theirs. While it has no name it is being imported, or about to go."""

    __table_args__ = (UniqueConstraint("name"), {"sqlite_autoincrement": True})

    id: int | None = big(primary_key=True, default=None)
    name: str | None = None
    format: str
    zone: str  # of its days
    basis: str  # what its days are of: arrival or install
    file: str

    # The days it speaks of, the last included.
    first_day: date | None = None
    last_day: date | None = None

    lines: int = big(default=0)
    counted: int = big(default=0)  # what the lines add up to
    left_out: int = big(default=0)  # rows of what nobody calls an install
    names_networks: bool = True
    networks: str = Field(default="{}", sa_type=Text)  # JSON: ids by what the file calls them
    destinations: str = Field(default="[]", sa_type=Text)  # JSON: by which they get our postbacks
    begun_at: datetime = utc()


class StatementLine(SQLModel, table=True):
    """So many of a kind on a day; with an id it is one postback."""

    __tablename__ = "statement_line"
    # With a rowid: SQLite would rather walk through a primary key that is the table than look into
    # this index.
    __table_args__ = (Index("ix_statement_line_postback_id", "statement_id", "postback_id"),)

    statement_id: int = big(primary_key=True)
    number: int = big(primary_key=True)
    day: date
    app_id: int = big()
    ad_network_id: str | None = None  # lower case; None in one that names no networks
    postback_id: str | None = None  # Apple's, lower case
    window: int | None = Field(default=None, sa_type=SmallInteger, nullable=True)
    kind: str
    count: int = big()
    revenue: float | None = None
    currency: str | None = None
