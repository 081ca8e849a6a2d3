"""The audit log."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from skan_receiver.storage import Store, access, audit

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def told(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as connection:
        return [(row.actor, row.action, row.subject) for row in audit.entries(connection)]


def test_a_change_and_its_entry_are_kept_together(store: Store) -> None:
    """What a verb writes brings its entry along; a verb that is refused leaves none."""
    with audit.doing("user admin", "user.add", "ana"):
        access.add_user(store, "ana", NOW)
    with pytest.raises(access.AccessError), audit.doing("user admin", "user.add", "ana"):
        access.add_user(store, "ana", NOW)

    assert told(store) == [("user admin", "user.add", "ana")]


def test_a_verb_that_writes_twice_is_one_entry(store: Store) -> None:
    """The first thing it writes brings it; without a word around it, nothing is written down."""
    with audit.doing("command", "both", ""):
        access.add_user(store, "ana", NOW)
        access.add_user(store, "ben", NOW)
    access.add_user(store, "cleo", NOW)

    assert told(store) == [("command", "both", "")]


def test_entries_can_neither_be_changed_nor_removed(store: Store) -> None:
    """The database refuses it."""
    store.write(lambda connection: audit.record(connection, "command", "a", "b"))
    for statement in ("UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"):

        def tamper(connection: Connection, statement: str = statement) -> None:
            connection.execute(text(statement))

        with pytest.raises(DBAPIError, match="append-only"):
            store.write(tamper)


def test_whoever_gets_round_that_is_found_out(store: Store) -> None:
    """`verify` names the first entry that is not as it was written."""
    for n in range(3):
        store.write(lambda c, n=n: audit.record(c, "command", "a", f"{n}", {"n": n}))  # type: ignore[misc]
    before = audit.verify(store)
    assert (before.entries, before.broken_at) == (3, None)

    on = " ON audit_entry" if not store.is_sqlite else ""

    def tamper(connection: Connection) -> None:
        connection.execute(text(f"DROP TRIGGER audit_entry_no_update{on}"))
        connection.execute(text("UPDATE audit_entry SET actor = 'nobody' WHERE number = 2"))

    store.write(tamper)
    after = audit.verify(store)
    assert (after.entries, after.broken_at) == (1, 2)
