"""Migrations, from inside the package, so that a wheel can upgrade its own database."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from skan_receiver.storage.columns import metadata
from skan_receiver.storage.store import Store, translated

# Any number, the same for all of us: who holds it may change the schema.
ADVISORY_LOCK = 7355608

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> None:
    """Bring the database to this release's schema; whoever else tries meanwhile waits."""
    with translated(), _alone(store) as connection:
        command.upgrade(_config(connection), "head")


def current(store: Store) -> str | None:
    """The revision the database is at; None where nothing was ever made."""
    with store.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision this release wants."""
    revision = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert revision is not None
    return revision


def differences(store: Store) -> list[object]:
    """What `alembic check` would complain of: nothing, or the migrations are incomplete."""
    with store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": include_name, "compare_type": True}
        )
        return list(compare_metadata(context, metadata))


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """The monthly partitions are made as months come: no migration knows them."""
    return not (kind == "table" and name is not None and name.startswith("postback_"))


@contextmanager
def _alone(store: Store) -> Iterator[Connection]:
    if store.is_sqlite:
        with _file_lock(store), store.engine.connect() as connection:
            yield connection
        return
    with store.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        yield connection


@contextmanager
def _file_lock(store: Store) -> Iterator[None]:
    path = Path(str(store.url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
