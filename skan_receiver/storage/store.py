"""The store: SQLite or PostgreSQL, and the one way to write to it.

Nothing is opened at import and nothing survives a fork: each process makes its own connections.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import uniform
from typing import IO, Any, TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.storage.acting import noted

BUSY_TIMEOUT_MS = 5_000
# How long a writer waits for those before it, and how often it looks whether they are done.
LOCK_SECONDS = 5.0
LOOK_SECONDS = 0.0003
POOL_SIZE = 8

# PostgreSQL says "try the transaction again": serialization failure, deadlock.
TRY_AGAIN = {"40001", "40P01"}
RETRIES = 5

# A server that vanishes says nothing: without these, TCP waits for it for a quarter of an hour.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
NETWORK_WAITS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,  # milliseconds; the others are seconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

T = TypeVar("T")


class Store:
    """A database by its URL: reads take a connection, each write is a function given to `write`."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite and self.url.get_backend_name() != "postgresql":
            raise ConfigurationError(
                f"DATABASE_URL: {self.url.get_backend_name()} is not supported; "
                "use sqlite:///path or postgresql://…"
            )
        self._engine: Engine | None = None
        self._immediate: Engine | None = None
        self._lock = threading.Lock()
        self._files: tuple[IO[bytes], ...] = ()
        _stores.add(self)

    @property
    def engine(self) -> Engine:
        """Made at first use, after any fork."""
        if self._engine is None:
            self._engine = self._connect()
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment and changes nothing."""
        with translated(), self.engine.connect() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one durable transaction: all of it is kept, or nothing.

        On SQLite one writer at a time: first a lock among threads, then one among
        processes, since SQLite's own busy handler is neither fair nor quick. On PostgreSQL
        a transaction the server asks to repeat is repeated, so `work` may run more than once.

        Raises StoreUnavailable when nothing could be kept.
        """
        work, kept = noted(work)
        with translated():
            done = self._write_sqlite(work) if self.is_sqlite else self._write_postgres(work)
        kept()
        return done

    def scrub(self) -> bool:
        """Leave no copy of what was deleted in SQLite's log; False where a reader holds it still.

        In the file itself it was overwritten as it was deleted. PostgreSQL looks after its own.
        """
        if not self.is_sqlite:
            return True
        with translated():
            raw = self.engine.raw_connection()
            try:
                # Outside of any transaction. It waits for readers as long as a writer waits.
                busy, _, _ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                raise StoreUnavailable(str(error)) from error
            finally:
                raw.close()
        return not busy

    def close(self) -> None:
        """Give back every connection."""
        if self._engine is not None:
            self._engine.dispose()
        for file in self._files:
            file.close()
        self._engine = self._immediate = None
        self._files = ()

    def _write_sqlite(self, work: Callable[[Connection], T]) -> T:
        until = time.monotonic() + LOCK_SECONDS
        if not self._lock.acquire(timeout=LOCK_SECONDS):
            raise StoreUnavailable(f"another thread has been writing for {LOCK_SECONDS:.0f} s")
        try:
            with self._among_processes(until), self._writer.begin() as connection:
                return work(connection)
        finally:
            self._lock.release()

    def _write_postgres(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(RETRIES):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in TRY_AGAIN:
                    raise
                time.sleep(uniform(0, 0.01 * 2**attempt))  # noqa: S311  # jitter, no secret
        raise StoreUnavailable(f"the transaction was refused {RETRIES} times; is the store busy?")

    @property
    def _writer(self) -> Engine:
        if self._immediate is None:
            self._immediate = self.engine.execution_options(begin="IMMEDIATE")
        return self._immediate

    @contextmanager
    def _among_processes(self, until: float) -> Iterator[None]:
        # Who waits holds `turn`: so the one before it, which needs that too, cannot come back
        # and take `lock` again between two looks.
        if self.url.database in {None, "", ":memory:"}:
            yield
            return
        if not self._files:
            names = (f"{self.url.database}.turn", f"{self.url.database}.lock")
            self._files = tuple(open(name, "ab") for name in names)  # noqa: SIM115  # kept open
        turn, lock = self._files
        with _locked(turn, until):
            _lock(lock, until)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)

    def _connect(self) -> Engine:
        if not self.is_sqlite:
            return _postgres(self.url)
        if self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        return _sqlite(self.url)

    def _forget(self) -> None:
        """After a fork: the parent's connections and locks are not ours to use or close."""
        if self._engine is not None:
            self._engine.dispose(close=False)
        self._engine = self._immediate = None
        self._files = ()
        self._lock = threading.Lock()


@contextmanager
def _locked(file: IO[bytes], until: float) -> Iterator[None]:
    _lock(file, until)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _lock(file: IO[bytes], until: float) -> None:
    """Like a flock that blocks, but not for ever: flock itself knows no time-out."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise StoreUnavailable(
                    f"another process has been writing for {LOCK_SECONDS:.0f} s "
                    f"and holds {file.name}"
                ) from None
        time.sleep(LOOK_SECONDS)


def _sqlite(url: Any) -> Engine:
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=64, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours to send
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",  # NORMAL may lose an acknowledged postback when power fails
            "foreign_keys=ON",
            "secure_delete=ON",  # what is erased is gone from the file
            "cache_size=-32768",
            "wal_autocheckpoint=4000",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that turns writer fails at once, whatever the time-out: writers say so first.
        kind = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def _postgres(url: Any) -> Engine:
    # Said, not assumed: a server may be configured to acknowledge before it is durable.
    # Nor may a lock of somebody else's keep a device waiting until it hangs up.
    # A migration or a recount takes its time: a role's limit is not for them, one in the URL is.
    # Of two values for one setting, the server takes the later.
    asked = url.normalized_query.get("options", ())
    ours = "-c synchronous_commit=on -c timezone=UTC -c lock_timeout=5s"
    options = " ".join(("-c statement_timeout=0", *asked, ours))
    waits = {name: value for name, value in NETWORK_WAITS.items() if name not in url.query}
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=64,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text is logged, and bodies are nobody's business
        connect_args={"options": options, **waits},
    )


@contextmanager
def translated() -> Iterator[None]:
    """Whatever keeps the store from working is one exception above this line."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(str(error.orig)) from error
    except OSError as error:
        raise StoreUnavailable(str(error)) from error
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError):
            raise
        raise StoreUnavailable(str(error)) from error


_stores: WeakSet[Store] = WeakSet()


def _after_fork() -> None:
    for store in _stores:
        store._forget()


os.register_at_fork(after_in_child=_after_fork)
