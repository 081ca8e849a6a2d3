"""What every table is made of: names for constraints, 64-bit keys, UTC times."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, Table
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

# SQLite's batch migrations and PostgreSQL must agree on every constraint's name.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata

# Apple's item ids exceed 32 bits, and so may we. SQLite numbers only INTEGER keys by itself.
Int64 = BigInteger().with_variant(Integer(), "sqlite")

IDENTITY_BYTES = 16


def big(**options: Any) -> Any:
    """A 64-bit column; SQLModel's own `int` is 32 bits on PostgreSQL."""
    return Field(sa_type=Int64, **options)


def utc(**options: Any) -> Any:
    """A moment. Aware in, aware UTC out, on both stores; a naive one is an error."""
    return Field(sa_type=UTCDateTime, **options)


def identity_column(**options: Any) -> Any:
    """The 16-byte identity: what a distributed PostgreSQL would shard by."""
    return Field(sa_type=LargeBinary(IDENTITY_BYTES), **options)


def table(model: type[SQLModel]) -> Table:
    """The Core table under a model, for statements on many rows."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]  # SQLModel sets it


def hour_of(moment: datetime) -> datetime:
    """The grain of every count: the UTC hour."""
    return moment.replace(minute=0, second=0, microsecond=0)
