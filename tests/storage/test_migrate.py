"""Migrations and tables say the same, on both stores."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import bindparam, text
from sqlmodel.sql.sqltypes import UTCDateTime

from skan_receiver.storage import Store, migrate
from skan_receiver.storage.counts import cell_key


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


OLD_CELL = "42, :network, 'skadnetwork', '4.0', 0, 'valid', true, 'download', true, :fine, ''"
OLD_HOUR = text(f"INSERT INTO count_hour VALUES ({OLD_CELL}, :hour, :n)")
OLD_PLACE = text(f"INSERT INTO count_day VALUES ({OLD_CELL}, :day, :name, 7, '', 'DE', :n)")


def _to(store: Store, move: Callable[[Config, str], None], revision: str) -> None:
    with migrate._alone(store) as connection:
        move(migrate._config(connection), revision)


def _rows(store: Store, table: str, what: str = "*") -> list[tuple[object, ...]]:
    with store.read() as connection:
        found = connection.execute(text(f"SELECT {what} FROM {table}"))
        return sorted(tuple(row) for row in found)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_counts_outlive_a_migration(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """There and back: what was counted by hour and by place is counted in every grain since."""
    url = f"sqlite:///{tmp_path}/counts.sqlite3"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_server").create_database("skan_counts")
    store = Store(url)
    _to(store, command.upgrade, "0002")
    cells = [
        {
            "network": network,
            "fine": fine,
            "n": n,
            "name": f"{hour}ü",
            "hour": datetime(2026, month, 28, hour, tzinfo=UTC),
            "day": datetime(2026, month, 28, tzinfo=UTC),
        }
        for network, fine, n in (("a", 3, 5), ("a", -1, 2), ("b", 63, 1), ("b", 0, 0))
        for month in (9, 10)
        for hour in (0, 23)
    ]
    typed = [bindparam(name, type_=UTCDateTime) for name in ("hour", "day")]
    for insert, times in ((OLD_HOUR, typed[:1]), (OLD_PLACE, typed[1:])):
        typed_insert = insert.bindparams(*times)
        store.write(lambda connection, i=typed_insert: connection.execute(i, cells))  # type: ignore[misc]  # bound at once
    counted = [
        [row for row in _rows(store, name) if row[-1]] for name in ("count_hour", "count_day")
    ]

    _to(store, command.upgrade, "0003")

    grains = ("hour", "day", "month", "volume", "place")
    sums = {name: _rows(store, f"count_{name}", "sum(n), count(*)")[0] for name in grains}
    assert sums == {
        "hour": (32, 12),
        "day": (32, 6),
        "month": (32, 6),
        "volume": (32, 4),
        "place": (32, 12),
    }
    # Three with a count, of which one stands for those of any value; and another that does.
    assert _rows(store, "count_cell", "count(*)") == [(4,)]
    cell = "SELECT key FROM count_cell WHERE ad_network_id = 'b' AND fine_value = 63"
    known = ((42, "b", "skadnetwork", "4.0", 0, "valid", True, "download", True, 63, ""),)
    assert _rows(store, f"({cell}) AS found") == [tuple(map(cell_key, known))]
    _to(store, command.downgrade, "0002")
    assert [_rows(store, name) for name in ("count_hour", "count_day")] == counted
    store.close()
