"""Migrations and tables say the same, on both stores."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from skan_receiver.storage import Store, migrate


def test_migrations_make_exactly_the_tables_of_the_models(store: Store) -> None:
    """`alembic check` finds nothing to add on either store."""
    assert migrate.differences(store) == []
    assert migrate.current(store) == migrate.head()


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    """Every start upgrades; only the first has work to do."""
    migrate.upgrade(store)
    assert migrate.current(store) == migrate.head()


def test_a_new_sqlite_file_is_made_with_its_folder(tmp_path: Path) -> None:
    """A newcomer has no var/ folder yet."""
    store = Store(f"sqlite:///{tmp_path}/var/skan.sqlite3")
    migrate.upgrade(store)
    assert migrate.current(store) == migrate.head()
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_rows_outlive_a_migration(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """From the first schema to this one: what was owed, tried and fresh is there, and numbers on
    SQLite are never given twice."""
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_server").create_database("skan_old")
    store = Store(url)
    with migrate._alone(store) as connection:
        command.upgrade(migrate._config(connection), "0001")
    old = {
        "delivery": "(identity, stored_id, destination, state, attempts, next_at, created_at)"
        " VALUES (:key, 1, 'copy', 'owed', 2, '2026-11-01 00:00:00', '2026-11-01 00:00:00')",
        "attempt": "(delivery_id, at, duration_ms, error, answer, url)"
        " VALUES (1, '2026-11-01 00:00:00', 5, '', 'ok', 'https://a.example/')",
        "fresh": "(identity, stored_id, delta) VALUES (:key, 1, 1)",
    }
    for name, row in old.items():
        insert = text(f"INSERT INTO {name} {row}")
        values = {"key": b"k" * 16} if ":key" in row else {}
        store.write(lambda connection, i=insert, v=values: connection.execute(i, v))  # type: ignore[misc]  # bound at once
    migrate.upgrade(store)
    assert migrate.differences(store) == []
    with store.read() as connection:
        owed = connection.execute(text("SELECT attempts, refusals, replays FROM delivery")).one()
        assert tuple(owed) == (2, 0, 0)
        assert connection.scalar(text("SELECT error_class FROM attempt")) == ""
        assert connection.scalar(text("SELECT count(*) FROM fresh WHERE at IS NOT NULL")) == 1
        if store.is_sqlite:
            made = text("SELECT sql FROM sqlite_master WHERE name = 'fresh'")
            assert "AUTOINCREMENT" in str(connection.scalar(made))
    store.close()
