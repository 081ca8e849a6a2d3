"""Fresh rows become counts and deliveries owed, in one transaction.

`fresh` is the queue of record: a row leaves it in the transaction that counts it, so a postback
is counted exactly once whatever is killed when.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.sql.dml import ReturningDelete

from skan_receiver.config import Settings
from skan_receiver.delivery import Entry, Owed, owe, settling
from skan_receiver.storage import Fresh, Registered, Store, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.counting import READ, UNSIGNED, Tally, counted_columns
from skan_receiver.storage.counting import forget as forget_counts
from skan_receiver.storage.many import among, listed
from skan_receiver.storage.predicate import VOUCHED, superseded
from skan_receiver.storage.upsert import insert_new

FRESH, POSTBACK = table(Fresh), table(StoredPostback)
REGISTERED = table(Registered)

NETWORK_ID = re.compile(r"[A-Za-z0-9.-]{1,200}")

# Some 30 ms of work: on SQLite nobody else writes meanwhile.
BATCH = 1_000

# What a change is: to the counts, and to destinations.
CHANGE = tuple(FRESH.c[name] for name in (*UNSIGNED, "stored_id", "delta"))
ARRIVED = (FRESH.c.at, FRESH.c.sealed_ip)
_VALUES = slice(len(UNSIGNED))


def settle(store: Store, settings: Settings, now: datetime, limit: int = BATCH) -> int:
    """Settle up to `limit` fresh rows; how many there were. Any number of workers may."""

    def work(connection: Connection) -> int:
        # First: what is settled by a destination's old definition came before its new one.
        entries = settling(connection)
        changes = connection.execute(_claim(owed=bool(entries)), {"limit": limit}).all()
        rows = _postbacks(connection, settings, changes, owed=bool(entries))
        tally = Tally()
        came: dict[int, tuple[Row[Any], Row[Any]]] = {}
        for change in changes:
            # A row that retention took meanwhile is nobody's any more.
            if (row := rows.get(change.stored_id)) is not None:
                tally.add(row, change[_VALUES], change.delta)
                if entries and change.delta > 0 and not row.superseded:
                    came[row.id] = row, change
        tally.write(connection)
        if entries:
            owe(connection, _owed(entries, came.values()), now)
        return len(changes)

    return store.write(work)


def _owed(entries: Sequence[Entry], came: Iterable[tuple[Row[Any], Row[Any]]]) -> Iterable[Owed]:
    """What came, to each destination that is owed it."""
    for row, change in came:
        for entry in entries:
            if entry.owes(row, change.at):
                sealed = change.sealed_ip if entry.destination.needs_ip else None
                yield Owed(row.identity, row.id, entry.name, sealed)


def recount(store: Store, settings: Settings) -> None:
    """Count again from the rows, since what counts has changed (an app was registered, …).

    Verdicts nobody vouches for never count, and their rows are kept for a while only:
    their cells stay as they are.
    """

    store.write(lambda connection: recounted(connection, settings))


def recounted(connection: Connection, settings: Settings) -> None:
    """As `recount`, inside a transaction that changes what counts."""
    _hold_still(connection)
    forget_counts(connection, VOUCHED)
    tally = Tally()
    for row in _all(connection, settings):
        tally.add(row, row[-len(UNSIGNED) :], +1)
    # `settle` will add what is not settled yet: not twice.
    for changes in _pending(connection):
        rows = _postbacks(connection, settings, changes)
        for change in changes:
            held = rows.get(change.stored_id)
            if held is not None and held.verdict in VOUCHED:
                tally.add(held, change[_VALUES], -change.delta)
    tally.write(connection)


def register(store: Store, settings: Settings, kind: str, value: str, name: str = "") -> None:
    """An app (its number) or ad network (its id) is ours: what it received before counts too.

    ValueError says what to write instead. One that is registered already gets the new name.
    """
    if kind == "app" and not (value.isascii() and value.isdigit() and int(value) < 2**63):
        raise ValueError("an app is the number in its App Store address, as in 525463029")
    if kind == "ad-network" and not NETWORK_ID.fullmatch(value):
        raise ValueError("an ad-network id looks like abc123.skadnetwork")
    row = {"kind": kind, "value": value.lower(), "name": name}

    def work(connection: Connection) -> None:
        named = update(REGISTERED).where(*_is(kind, value)).values(name=name)
        if connection.execute(named).rowcount:
            return
        insert_new(connection, REGISTERED, [row])
        recounted(connection, settings)

    store.write(work)


def unregister(store: Store, settings: Settings, kind: str, value: str) -> None:
    """It is no longer ours: its postbacks stay, and no longer count. ValueError: it was not."""

    def work(connection: Connection) -> None:
        if not connection.execute(delete(REGISTERED).where(*_is(kind, value))).rowcount:
            raise ValueError(f"{value} was not registered")
        recounted(connection, settings)

    store.write(work)


def _is(kind: str, value: str) -> tuple[ColumnElement[bool], ...]:
    return REGISTERED.c.kind == kind, REGISTERED.c.value == value.lower()


def _pending(connection: Connection) -> Iterable[Sequence[Row[Any]]]:
    """What is fresh, a piece at a time: after an import with no worker it may be millions."""
    after = 0
    some = select(*CHANGE, FRESH.c.id).order_by(FRESH.c.id).limit(BATCH)
    while changes := connection.execute(some.where(FRESH.c.id > after)).all():
        yield changes  # type: ignore[misc]  # rows of so many columns
        after = changes[-1].id


# Statements are built once: making one costs more than running it.


@cache
def _claim(*, owed: bool) -> ReturningDelete[Any]:
    oldest = select(FRESH.c.id).order_by(FRESH.c.id).limit(bindparam("limit"))
    claimed = FRESH.c.id.in_(oldest.with_for_update(skip_locked=True).scalar_subquery())
    return delete(FRESH).where(claimed).returning(*CHANGE, *(ARRIVED if owed else ()))


def _postbacks(
    connection: Connection, settings: Settings, changes: Sequence[Row[Any]], *, owed: bool = False
) -> dict[int, Row[Any]]:
    """Those that changes are of, by their ids; where they may be `owed`, with all that
    destinations may ask of them."""
    ids = {change.stored_id for change in changes}
    if not ids:
        return {}
    statement = _by_ids(connection.dialect.name, settings, owed=owed)
    rows: Any = connection.execute(statement, {"ids": listed(connection, ids)}).all()
    return {row.id: row for row in rows}


@cache
def _by_ids(dialect: str, settings: Settings, *, owed: bool) -> Select[Any]:
    had = {*READ, "id", "body", "signed_message"}
    others = [column for column in POSTBACK.c if column.name not in had] if owed else []
    flag = [superseded().label("superseded")] if owed else []
    found = select(*counted_columns(dialect, settings), POSTBACK.c.id, *others, *flag)
    return found.where(among(dialect, POSTBACK.c.id, "ids"))


def _all(connection: Connection, settings: Settings) -> Iterable[Row[Any]]:
    unsigned = (POSTBACK.c[name] for name in UNSIGNED)
    rows = select(*counted_columns(connection.dialect.name, settings), *unsigned)
    vouched = rows.where(POSTBACK.c.verdict.in_(VOUCHED), ~superseded())
    return connection.execute(vouched, execution_options={"yield_per": 10_000})


def _hold_still(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE fresh IN EXCLUSIVE MODE"))
