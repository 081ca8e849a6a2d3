"""Whether a postback could be kept right now: found out by keeping something."""

import threading
import time
from functools import cache

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import Store, Usage, migrate
from skan_receiver.storage.columns import table
from skan_receiver.storage.upsert import add

log = structlog.get_logger("readiness")

USAGE = table(Usage)

# Anybody may ask, and asking must not be a way to keep the disk busy. Bad news is fresher.
GOOD_FOR_SECONDS, BAD_FOR_SECONDS = 5.0, 1.0


class Readiness:
    """Asks the store at most every few seconds, however many ask us."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asking = threading.Lock()
        self._fault = ""
        self._valid_until = 0.0

    def fault(self) -> str:
        """What keeps us from taking postbacks; the empty text when nothing does."""
        with self._asking:
            if time.monotonic() >= self._valid_until:
                self._fault = _fault(self._store)
                keep = BAD_FOR_SECONDS if self._fault else GOOD_FOR_SECONDS
                self._valid_until = time.monotonic() + keep
            return self._fault


def _fault(store: Store) -> str:
    # Not more than this to strangers: the log says where the database is, and what it said.
    try:
        revision = migrate.current(store)
        if revision != _head():
            return f"the database is at {revision or 'nothing'}: run skan-receiver db upgrade"
        store.write(_keep_something)
    except (StoreUnavailable, SQLAlchemyError) as error:
        log.warning("not ready", error=str(error))
        return "the store takes no writes"
    return ""


def _keep_something(connection: Connection) -> None:
    add(connection, USAGE, [{"kind": "readyz", "rows": 1, "bytes": 0}], "rows")


@cache
def _head() -> str:
    return migrate.head()
