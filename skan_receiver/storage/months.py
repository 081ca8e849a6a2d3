"""PostgreSQL keeps postbacks in a partition a month, so that a month can be dropped at once."""

from collections.abc import Iterable
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text

# Partitions known to be there, so that the hot path asks once a month and process.
_known: WeakKeyDictionary[Engine, set[str]] = WeakKeyDictionary()


def ensure(connection: Connection, moments: Iterable[datetime]) -> None:
    """Make the partitions these moments fall in; on SQLite there is nothing to do."""
    if connection.dialect.name != "postgresql":
        return
    known = _known.setdefault(connection.engine, set())
    for first in {_first(moment) for moment in moments}:
        name = f"postback_{first:%Y_%m}"
        if name in known:
            continue
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}):
            known.add(name)
            continue
        # Not remembered yet: this transaction may still be rolled back.
        _make(connection, name, first)


def _make(connection: Connection, name: str, first: datetime) -> None:
    upto = _first(first.replace(day=28) + (first.replace(day=28) - first.replace(day=20)))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
    connection.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF postback "
        f"FOR VALUES FROM ('{first.isoformat()}') TO ('{upto.isoformat()}')"
    )


def _first(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return datetime(utc.year, utc.month, 1, tzinfo=UTC)
