"""Our own set-up: keys, clock and store."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from skan_receiver.config import Settings
from skan_receiver.doctor.events import look_at_events
from skan_receiver.doctor.finding import Finding, bad, good, warning
from skan_receiver.doctor.outgoing import look_at_destinations
from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.protocol import Keys
from skan_receiver.storage import Fresh, Store, StoredPostback, Usage, migrate
from skan_receiver.storage.columns import table

POSTBACK, FRESH, USAGE = table(StoredPostback), table(Fresh), table(Usage)

LEAST_FREE_BYTES = 1 << 30
MOST_SKEW = timedelta(minutes=1)
MOST_FRESH = 100_000
NEARLY = 0.9


def look_at_ourselves(settings: Settings, now: datetime) -> list[Finding]:
    """Keys, store and clock of this environment."""
    store = Store(settings.database)
    try:
        return [*_keys(settings), *_store(store, settings, now)]
    finally:
        store.close()


def _keys(settings: Settings) -> Iterator[Finding]:
    try:
        keys = Keys.load(settings.keys, settings.test_keys)
    except ConfigurationError as error:
        yield bad("keys", str(error))
        return
    yield good("keys", f"{len(list(keys))} keys are known")
    if keys.trusts_tests:
        yield warning("keys", "test keys are trusted (SKAN_TEST_KEYS): not for production")
    if settings.sandbox:
        yield warning("sandbox", "development postbacks count (SKAN_SANDBOX): not for production")


def _store(store: Store, settings: Settings, now: datetime) -> Iterator[Finding]:
    shown = store.url.render_as_string()
    try:
        if (revision := migrate.current(store)) != migrate.head():
            yield bad("store", f"{shown} is at {revision or 'nothing'}: skan-receiver db upgrade")
            return
        store.write(lambda connection: connection.execute(select(1)))
        yield good("store", f"{shown} takes writes")
        with store.read() as connection:
            yield from _clock(connection, store, now)
            yield from _amounts(connection, settings)
            yield from look_at_destinations(connection, settings)
            yield from look_at_events(connection, settings)
    except StoreUnavailable as error:
        yield bad("store", f"{shown}: {error}")
        return
    yield from _disk(store)


def _clock(connection: Connection, store: Store, now: datetime) -> Iterator[Finding]:
    newest = connection.scalar(select(func.max(POSTBACK.c.received_at)))
    if newest is not None and newest > now + MOST_SKEW:
        yield bad("clock", f"the newest postback came at {newest:%Y-%m-%d %H:%M}, after now")
        return
    if not store.is_sqlite:
        there = connection.scalar(text("SELECT now()"))
        if there is not None and abs(there - now) > MOST_SKEW:
            yield bad("clock", f"the database's clock says {there:%Y-%m-%d %H:%M:%S}")
            return
    yield good("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _amounts(connection: Connection, settings: Settings) -> Iterator[Finding]:
    waiting = connection.scalar(select(func.count()).select_from(FRESH)) or 0
    if waiting > MOST_FRESH:
        yield warning("worker", f"{waiting:,} postbacks wait to be counted: does a worker run?")
    caps = {"invalid": (settings.invalid_rows, settings.invalid_bytes), **settings.quarantine_caps}
    for kind, (rows, size) in caps.items():
        used = connection.execute(select(USAGE).where(USAGE.c.kind == kind)).one_or_none()
        if used and (used.rows >= NEARLY * rows or used.bytes >= NEARLY * size):
            yield warning(kind, "is nearly at its cap: what comes next is dropped")


def _disk(store: Store) -> Iterator[Finding]:
    if not store.is_sqlite or not store.url.database:
        return
    free = shutil.disk_usage(Path(store.url.database).absolute().parent).free
    tell = warning if free < LEAST_FREE_BYTES else good
    yield tell("disk", f"{free / 1e9:.1f} GB are free beside the database")
