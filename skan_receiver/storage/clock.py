"""The database's clock: the one that all workers share, whatever their own say."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel.sql.sqltypes import UTCDateTime

_SQLITE = text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
_POSTGRESQL = select(func.clock_timestamp())


def clock(connection: Connection) -> datetime:
    """What time it is there; UTC."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(_POSTGRESQL).scalar_one()
        return moment
    return datetime.fromisoformat(str(connection.scalar(_SQLITE)))


class in_seconds(FunctionElement[datetime]):  # noqa: N801  # it reads as a function of SQL's
    """The moment so many seconds from now, inside a statement: `in_seconds(60)`."""

    type = UTCDateTime()
    inherit_cache = True


@compiles(in_seconds, "postgresql")
def _on_postgresql(element: in_seconds, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + make_interval(secs => CAST({seconds} AS double precision)))"


@compiles(in_seconds, "sqlite")
def _on_sqlite(element: in_seconds, compiler: Any, **options: Any) -> str:
    # As SQLAlchemy writes moments there: text that compares as they do.
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"
