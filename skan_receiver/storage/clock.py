"""The database's clock: the one that all workers share, whatever their own say."""

from datetime import datetime

from sqlalchemy import Connection, func, select, text

_SQLITE = text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
_POSTGRESQL = select(func.clock_timestamp())


def clock(connection: Connection) -> datetime:
    """What time it is there; UTC."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(_POSTGRESQL).scalar_one()
        return moment
    return datetime.fromisoformat(str(connection.scalar(_SQLITE)))
