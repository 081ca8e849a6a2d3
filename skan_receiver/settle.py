"""Fresh rows become counts and deliveries owed, in one transaction.

`fresh` is the queue of record: a row leaves it in the transaction that counts it, so a postback
is counted exactly once whatever is killed when.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, text

from skan_receiver.config import Settings
from skan_receiver.delivery import Entry, Owed, owe, settling
from skan_receiver.storage import CountDay, CountHour, Fresh, Store, StoredPostback
from skan_receiver.storage.columns import hour_of, table
from skan_receiver.storage.counts import ABSENT, NOTHING, cell_key
from skan_receiver.storage.predicate import VOUCHED, qualifies, superseded
from skan_receiver.storage.upsert import add

FRESH, POSTBACK = table(Fresh), table(StoredPostback)
HOURS, DAYS = table(CountHour), table(CountDay)

# About 20 ms of work: on SQLite nobody else writes meanwhile.
BATCH = 1_000

SHARED = tuple(column.name for column in HOURS.primary_key)[:-1]
WIDE = ("day", "source_identifier", "source_app_id", "source_domain", "country")


class Tally:
    """Sums of changes, by cell, in both grains."""

    def __init__(self) -> None:
        self.hours: Counter[tuple[Any, ...]] = Counter()
        self.days: Counter[tuple[Any, ...]] = Counter()

    def add(self, row: Row[Any], change: Row[Any], delta: int) -> None:
        """Add `delta` of a postback with the unsigned values `change` speaks of."""
        shared = cell_key(row, fine=change.fine_value, coarse=change.coarse_value)
        hour = hour_of(row.received_at)
        self.hours[(*shared, hour)] += delta
        self.days[(*shared, hour.replace(hour=0), *_wide(row, change.country))] += delta

    def write(self, connection: Connection) -> None:
        """Add the sums to the counts; cells that come to nothing go."""
        for target, names, sums in (
            (HOURS, (*SHARED, "hour"), self.hours),
            (DAYS, (*SHARED, *WIDE), self.days),
        ):
            cells = [
                {**dict(zip(names, key, strict=True)), "n": n}
                for key, n in sorted(sums.items())
                if n
            ]
            add(connection, target, cells, "n")
            if less := [cell for cell in cells if cell["n"] < 0]:
                keys = (column == bindparam(f"at_{column.name}") for column in target.primary_key)
                connection.execute(
                    delete(target).where(*keys, target.c.n == 0),
                    [{f"at_{name}": cell[name] for name in names} for cell in less],
                )


def settle(store: Store, settings: Settings, now: datetime, limit: int = BATCH) -> int:
    """Settle up to `limit` fresh rows; how many there were. Any number of workers may."""

    def work(connection: Connection) -> int:
        # First: what is settled by a destination's old definition came before its new one.
        entries = settling(connection)
        changes = _claim(connection, limit)
        rows = _postbacks(connection, settings, {change.stored_id for change in changes})
        tally = Tally()
        came: dict[int, tuple[Row[Any], Row[Any]]] = {}
        for change in changes:
            # A row that retention took meanwhile is nobody's any more.
            if (row := rows.get(change.stored_id)) is not None:
                tally.add(row, change, change.delta)
                if change.delta > 0 and not row.superseded:
                    came[row.id] = row, change
        tally.write(connection)
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
    for cells in (HOURS, DAYS):
        connection.execute(delete(cells).where(cells.c.verdict.in_(VOUCHED)))
    tally = Tally()
    for row in _all(connection, settings):
        tally.add(row, row, +1)
    # `settle` will add what is not settled yet: not twice.
    for changes in _pending(connection):
        rows = _postbacks(connection, settings, {change.stored_id for change in changes})
        for change in changes:
            held = rows.get(change.stored_id)
            if held is not None and held.verdict in VOUCHED:
                tally.add(held, change, -change.delta)
    tally.write(connection)


def _pending(connection: Connection) -> Iterable[Sequence[Row[Any]]]:
    """What is fresh, a piece at a time: after an import with no worker it may be millions."""
    after = 0
    some = select(FRESH).order_by(FRESH.c.id).limit(BATCH)
    while changes := connection.execute(some.where(FRESH.c.id > after)).all():
        yield changes
        after = changes[-1].id


def _claim(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    oldest = select(FRESH.c.id).order_by(FRESH.c.id).limit(limit)
    claimed = FRESH.c.id.in_(oldest.with_for_update(skip_locked=True).scalar_subquery())
    return connection.execute(delete(FRESH).where(claimed).returning(*FRESH.c)).all()


def _postbacks(connection: Connection, settings: Settings, ids: set[int]) -> dict[int, Row[Any]]:
    if not ids:
        return {}
    counted = qualifies(settings).label("counted")
    judged_anew = superseded().label("superseded")
    found = select(*_columns(), counted, judged_anew).where(POSTBACK.c.id.in_(ids))
    rows: Any = connection.execute(found).all()
    return {row.id: row for row in rows}


def _all(connection: Connection, settings: Settings) -> Iterable[Row[Any]]:
    counted = qualifies(settings).label("counted")
    rows = select(*_columns(), counted).where(POSTBACK.c.verdict.in_(VOUCHED), ~superseded())
    return connection.execute(rows, execution_options={"yield_per": 10_000})


def _hold_still(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE fresh IN EXCLUSIVE MODE"))


def _columns() -> list[Any]:
    """Everything but the bytes."""
    return [column for column in POSTBACK.c if column.name not in ("body", "signed_message")]


def _wide(row: Row[Any], country: str | None) -> tuple[Any, ...]:
    campaign = row.source_identifier
    if campaign is None:
        campaign = NOTHING if row.campaign_id is None else str(row.campaign_id)
    source_app = ABSENT if row.source_app_id is None else row.source_app_id
    return campaign, source_app, row.source_domain or NOTHING, country or NOTHING
