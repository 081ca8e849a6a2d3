"""PostgreSQL keeps postbacks in a partition a month, so that a month can be dropped at once."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text

# Partitions known to be there, so that the hot path asks once a month and process.
_known: WeakKeyDictionary[Engine, set[str]] = WeakKeyDictionary()


def ensure(connection: Connection, moments: Iterable[datetime]) -> None:
    """Make the partitions these moments fall in; on SQLite there is nothing to do.

    In a transaction of its own: what is remembered as made must not be rolled back with a batch.
    """
    if connection.dialect.name != "postgresql":
        return
    known = _known.setdefault(connection.engine, set())
    for first in {_first(moment) for moment in moments}:
        name = f"postback_{first:%Y_%m}"
        if name not in known:
            with connection.engine.begin() as own:
                _make(own, name, first)
            known.add(name)


def ensure_ahead(connection: Connection, now: datetime) -> None:
    """Make this month's partition and the next two, before anybody waits for them."""
    ensure(connection, (now + timedelta(days=31 * months) for months in range(3)))


def _make(connection: Connection, name: str, first: datetime) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}):
        return
    upto = _first(first + timedelta(days=31))
    # Made apart and attached: CREATE … PARTITION OF would wait for every reader of postbacks,
    # and everybody else would wait behind it.
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE postback INCLUDING ALL)")
    connection.exec_driver_sql(
        f"ALTER TABLE postback ATTACH PARTITION {name} "
        f"FOR VALUES FROM ('{first.isoformat()}') TO ('{upto.isoformat()}')"
    )


def _first(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return datetime(utc.year, utc.month, 1, tzinfo=UTC)
