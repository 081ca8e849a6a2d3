"""Estimates as they were last made: runs, and the joint draws behind every interval.

A run is one app's revenue of one window in one currency, or one app's installs. Its draws are
sums of groups: of each network by day, and of each network's campaigns by week. Draw k of all of
them belongs together. Readers see the runs that stand; new ones take the place of an app's old
ones at once, whatever is under way.
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Connection,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    delete,
    or_,
    select,
    update,
)
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, table, utc
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import insert_new

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Draws = NDArray[np.float32]  # (steps, draws)
    Counts = NDArray[np.int32]  # (steps,)

REVENUE, INSTALLS = "revenue", "installs"
BY_DAY, BY_WEEK = "day", "week"

# Whoever estimates says so again before that; whoever was killed is waited for so long.
LEASE = timedelta(minutes=15)

# About 1 MB of draws: on SQLite nobody else writes meanwhile.
PIECE = 50

ONLY = 1  # the one row of `estimate_turn`


class EstimateRun(SQLModel, table=True):
    """What was estimated, of when and from what; without draws, why it could not be."""

    __tablename__ = "estimate_run"
    __table_args__ = (Index("ix_estimate_run_app_id", "app_id"),)

    id: int | None = big(primary_key=True, default=None)
    what: str
    app_id: int = big()
    window: int = Field(sa_type=SmallInteger)
    currency: str = ""
    kind: str = ""  # of revenue: total, or its kinds together

    # Whole UTC days; the first is a Monday. `is_all`: nothing was counted before.
    start: datetime = utc()
    end: datetime = utc()
    is_all: bool

    made_at: datetime = utc()
    seconds: float
    draws: int  # 0 where it could not be estimated; then `why_not` says why
    why_not: str = Field("", sa_type=Text)
    settings: str = Field("{}", sa_type=Text)  # JSON
    versions: str = Field(
        "[]", sa_type=Text
    )  # JSON: those of the schema that can have been in force
    left_out: str = Field("{}", sa_type=Text)  # JSON: of how many postbacks, by reason
    seen: str = ""  # a hash of what it was made from
    stands: bool = False


class EstimateDraw(SQLModel, table=True):
    """Joint draws of the sums of one network by day, or of one of its campaigns by week."""

    __tablename__ = "estimate_draw"
    __table_args__ = {"sqlite_with_rowid": False}

    run_id: int = big(primary_key=True)
    grain: str = Field(primary_key=True)
    ad_network_id: str = Field(primary_key=True)
    source_digits: str = Field(primary_key=True)  # empty by day
    postbacks: bytes = Field(sa_type=LargeBinary)  # int32 (steps,): how many were estimated
    drawn: bytes = Field(sa_type=LargeBinary)  # float32 (steps, draws)


class EstimateTurn(SQLModel, table=True):
    """Whose turn it is to estimate: one process at a time, whatever the number of workers."""

    __tablename__ = "estimate_turn"

    id: int = Field(primary_key=True, sa_type=SmallInteger)
    holder: str
    until: datetime = utc()
    done_at: datetime | None = utc(nullable=True, default=None)


RUN, DRAW, TURN = table(EstimateRun), table(EstimateDraw), table(EstimateTurn)


def packed(array: Any, kind: str) -> bytes:
    """An array as it is kept: little-endian `kind`, compressed."""
    return zlib.compress(array.astype(f"<{kind}").tobytes(), 1)


def drawn(row: Any, draws: int) -> "tuple[Counts, Draws]":
    """(steps,) and (steps, draws), of a row of `estimate_draw`."""
    import numpy as np  # whoever has estimates has it

    counts = np.frombuffer(zlib.decompress(row.postbacks), "<i4")
    values = np.frombuffer(zlib.decompress(row.drawn), "<f4")
    return counts, values.reshape(len(counts), draws)


def begin(connection: Connection, run: EstimateRun) -> int:
    """A run that does not stand yet; its number."""
    values = run.model_dump(exclude={"id"})
    return int(connection.execute(RUN.insert().values(values).returning(RUN.c.id)).scalar_one())


def put(store: Store, run_id: int, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the draws of a run, in short transactions."""
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append({"run_id": run_id, **row})
        if len(some) == PIECE:
            _put(store, some)
            some = []
    if some:
        _put(store, some)


def _put(store: Store, rows: Sequence[dict[str, Any]]) -> None:
    store.write(lambda connection: connection.execute(DRAW.insert(), rows))


def stand(store: Store, app_id: int, run_ids: Sequence[int]) -> None:
    """Let these be what readers see of an app, instead of what they saw; drop all others."""

    def swap(connection: Connection) -> None:
        of_app = update(RUN).where(RUN.c.app_id == app_id)
        connection.execute(
            of_app.where(RUN.c.stands, RUN.c.id.not_in(run_ids)).values(stands=False)
        )
        connection.execute(of_app.where(RUN.c.id.in_(run_ids)).values(stands=True))

    store.write(swap)
    drop_fallen(store, app_id)


def drop_fallen(store: Store, app_id: int) -> None:
    """Delete an app's runs that do not stand, in short transactions. Only by whose turn it is."""
    fallen = select(RUN.c.id).where(RUN.c.app_id == app_id, ~RUN.c.stands)
    with store.read() as connection:
        ids = list(connection.scalars(fallen))
    for run_id in ids:
        while store.write(lambda connection, run_id=run_id: _drop(connection, run_id)):  # type: ignore[misc]  # bound at once
            pass


def _drop(connection: Connection, run_id: int) -> bool:
    """Some of a run; whether there may be more of it."""
    keys = DRAW.c.grain, DRAW.c.ad_network_id, DRAW.c.source_digits
    some = connection.execute(select(*keys).where(DRAW.c.run_id == run_id).limit(PIECE)).all()
    for key in some:
        same = (column == value for column, value in zip(keys, key, strict=True))
        connection.execute(delete(DRAW).where(DRAW.c.run_id == run_id, *same))
    if not some:
        connection.execute(delete(RUN).where(RUN.c.id == run_id))
    return bool(some)


def standing(connection: Connection, app_id: int | None = None) -> list[Any]:
    """The runs that readers see, of an app or of all."""
    wanted = select(RUN).where(RUN.c.stands).order_by(RUN.c.app_id, RUN.c.what, RUN.c.window)
    if app_id is not None:
        wanted = wanted.where(RUN.c.app_id == app_id)
    return list(connection.execute(wanted))


def is_due(connection: Connection, now: datetime, every: timedelta) -> bool:
    """Whether it is time, and nobody's turn."""
    row = connection.execute(select(TURN)).first()
    return row is None or (row.until <= now and (not row.done_at or row.done_at <= now - every))


def take_turn(store: Store, holder: str, now: datetime, every: timedelta = timedelta()) -> bool:
    """Whether it is `holder`'s turn now: it is nobody else's, and time."""

    def work(connection: Connection) -> bool:
        insert_new(connection, TURN, [{"id": ONLY, "holder": "", "until": now}])
        free = update(TURN).where(TURN.c.until <= now)
        due = or_(TURN.c.done_at.is_(None), TURN.c.done_at <= now - every)
        values = {"holder": holder, "until": now + LEASE}
        return connection.execute(free.where(due).values(values)).rowcount == 1

    return store.write(work)


def keep_turn(store: Store, holder: str, now: datetime) -> bool:
    """Go on; False where the turn was lost, because it took too long."""
    mine = update(TURN).where(TURN.c.holder == holder).values(until=now + LEASE)
    return store.write(lambda connection: connection.execute(mine).rowcount == 1)


def end_turn(store: Store, holder: str, now: datetime, *, done: bool) -> None:
    """Let others; `done`: not again before it is time."""
    values: dict[str, Any] = {"holder": "", "until": now} | ({"done_at": now} if done else {})
    mine = update(TURN).where(TURN.c.holder == holder).values(values)
    store.write(lambda connection: connection.execute(mine))
