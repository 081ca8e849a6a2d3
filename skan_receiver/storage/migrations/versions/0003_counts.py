"""Counts by the number of a cell, and by day and by month beside the hours

What was counted is moved, not counted again: of verdicts that nobody vouches for the postbacks
may be gone.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0003"
down_revision = "0002"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()

Columns = dict[str, Any]  # by their names their types

MEMBERS: Columns = {
    "app_id": INT64,
    "ad_network_id": TEXT,
    "framework": TEXT,
    "version": TEXT,
    "window": sa.Integer(),
    "verdict": TEXT,
    "counted": sa.Boolean(),
    "conversion_type": TEXT,
    "did_win": sa.Boolean(),
    "fine_value": sa.Integer(),
    "coarse_value": TEXT,
}
PLACE: Columns = {
    "source_identifier": TEXT,
    "source_app_id": INT64,
    "source_domain": TEXT,
    "country": TEXT,
}
ABSENT, NOTHING = -1, ""

HOUR: Columns = {"hour": UTC, "cell": INT64}
DAY: Columns = {"day": sa.Date(), "cell": INT64}
MONTH: Columns = {"month": sa.Date(), "cell": INT64}
GRAINS = {
    "count_hour": HOUR,
    "count_day": DAY,
    "count_month": MONTH,
    "count_volume": DAY,
    "count_place": DAY | PLACE,
}
OLD = {"count_hour": MEMBERS | {"hour": UTC}, "count_day": MEMBERS | {"day": UTC} | PLACE}

PIECE = 5_000


def upgrade() -> None:
    hours, days = _aside("count_hour", OLD), _aside("count_day", OLD)
    op.create_table(
        "count_cell",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        *(sa.Column(name, type_, nullable=False) for name, type_ in MEMBERS.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_cell")),
        sa.UniqueConstraint("key", name=op.f("uq_count_cell_key")),
    )
    for name, key in GRAINS.items():
        _make(name, key)
    _number(hours, days)
    own, standing = _cells("own"), _cells("standing")
    _move("count_hour", own, hours, hours.c.hour)
    _move("count_day", own, hours, _day(hours.c.hour))
    _move("count_month", own, hours, _month(hours.c.hour))
    _move("count_volume", standing, hours, _day(hours.c.hour))
    _move("count_place", own, days, _day(days.c.day))
    op.drop_table(hours.name)
    op.drop_table(days.name)


def downgrade() -> None:
    hours, places = _aside("count_hour", GRAINS), _aside("count_place", GRAINS)
    for name in ("count_day", "count_month", "count_volume"):
        op.drop_table(name)
    for name, key in OLD.items():
        _make(name, key)
    _spell_out("count_hour", hours, hours.c.hour)
    _spell_out("count_day", places, _midnight(places.c.day))
    for name in (hours.name, places.name, "count_cell"):
        op.drop_table(name)


def _make(name: str, key: Columns) -> None:
    op.create_table(
        name,
        *(sa.Column(column, type_, nullable=False) for column, type_ in key.items()),
        sa.Column("n", INT64, nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )


def _aside(name: str, tables: dict[str, Columns]) -> sa.TableClause:
    """The rows under another name: a table that is renamed keeps the names of its constraints."""
    op.execute(f"CREATE TABLE moved_{name} AS SELECT * FROM {name} WHERE n <> 0")
    op.drop_table(name)
    return _table(f"moved_{name}", tables[name] | {"n": INT64})


def _table(name: str, columns: Columns) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, type_) for column, type_ in columns.items()))


def _number(*moved: sa.TableClause) -> None:
    """A row for each cell, and one for each that stands for those of any value."""
    cells = sa.union(*(sa.select(*(one.c[name] for name in MEMBERS)) for one in moved))
    known: set[str] = set()
    for rows in op.get_bind().execute(cells).partitions(PIECE):
        found = {_key(cell): cell for row in rows for cell in _with_standing(tuple(row))}
        new = [
            {"key": key, **dict(zip(MEMBERS, cell, strict=True))}
            for key, cell in found.items()
            if key not in known
        ]
        known.update(found)
        if new:
            target = _table("count_cell", {"key": TEXT, **MEMBERS})
            op.get_bind().execute(sa.insert(target), new)


def _with_standing(cell: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    yield cell
    yield (*cell[:-2], ABSENT, NOTHING)


def _key(cell: tuple[Any, ...]) -> str:
    return blake2b(ascii(cell).encode(), digest_size=16).hexdigest()


def _cells(alias: str) -> Any:
    return _table("count_cell", {"id": INT64, **MEMBERS}).alias(alias)


def _move(name: str, cells: Any, moved: sa.TableClause, at: Any) -> None:
    key = GRAINS[name]
    same = [cells.c[member] == moved.c[member] for member in MEMBERS]
    if name == "count_volume":
        values = cells.c.fine_value == ABSENT, cells.c.coarse_value == NOTHING
        same = [*same[: -len(values)], *values]
    keys = [at, cells.c.id, *(moved.c[column] for column in key if column in PLACE)]
    n = sa.cast(sa.func.sum(moved.c.n), INT64)
    rows = sa.select(*keys, n).join_from(moved, cells, sa.and_(*same)).group_by(*keys)
    target = _table(name, {**key, "n": INT64})
    op.execute(sa.insert(target).from_select([*key, "n"], rows))


def _spell_out(name: str, moved: sa.TableClause, at: Any) -> None:
    cells, key = _cells("own"), OLD[name]
    others = (moved.c[column] for column in key if column in PLACE)
    keys = [*(cells.c[member] for member in MEMBERS), at, *others]
    rows = sa.select(*keys, moved.c.n).join_from(moved, cells, cells.c.id == moved.c.cell)
    target = _table(name, {**key, "n": INT64})
    op.execute(sa.insert(target).from_select([*key, "n"], rows))


def _day(at: Any) -> Any:
    return sa.func.date(at)


def _month(at: Any) -> Any:
    if op.get_bind().dialect.name == "postgresql":
        return sa.cast(sa.func.date_trunc("month", at), sa.Date())
    return sa.func.date(at, "start of month")


def _midnight(day: Any) -> Any:
    if op.get_bind().dialect.name == "postgresql":
        return sa.cast(day, sa.TIMESTAMP(timezone=True))
    return sa.cast(day, sa.Text()).concat(" 00:00:00.000000")
