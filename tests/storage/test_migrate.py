"""Migrations and tables say the same, on both stores."""

from pathlib import Path

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
