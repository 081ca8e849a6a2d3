"""Imports of campaigns: all or nothing, and told before they are done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store
from skan_receiver.storage.campaign_import import changes, import_campaigns
from skan_receiver.storage.campaigns import Entry, Named, entries, load_book, stamp
from tests.storage.test_campaigns import ARRIVED, Postback, row

EARLY, LATE = date(2026, 6, 30), date(2026, 7, 1)


def held(store: Store) -> list[Entry]:
    with store.read() as connection:
        return entries(connection)


def stamped(store: Store) -> bytes:
    with store.read() as connection:
        return stamp(connection)


def test_an_import_adds_and_updates_by_key(store: Store) -> None:
    """And says how many of each; what was there and is not in the file stays."""
    import_campaigns(store, [row("5239", "A"), row("5240", "B"), row("5241", "C")], replace=False)
    again = [row("5239", "A"), row("5240", "other", ends_on=LATE), row("1111", "D")]
    with store.read() as connection:
        assert changes(connection, again, replace=False).counts["changed"] == 1
    done = import_campaigns(store, again, replace=False)

    assert done.counts == {"added": 1, "changed": 1, "removed": 0, "unchanged": 1}
    assert done.changed == ((row("5240", "B"), again[1]),)
    assert held(store) == [row("1111", "D"), row("5239", "A"), again[1], row("5241", "C")]
    with store.read() as connection:
        assert load_book(connection).names(Postback("5241"), ARRIVED) == Named(campaign_name="C")


def test_a_replacing_import_leaves_other_networks_alone(store: Store) -> None:
    """The networks that the file names end up as in the file."""
    theirs = row("5239", "theirs", ad_network_id="other.example")
    import_campaigns(store, [row("5239", "A"), row("5240", "B"), theirs], replace=False)
    done = import_campaigns(store, [row("5240", "B")], replace=True)

    assert done.counts == {"added": 0, "changed": 0, "removed": 1, "unchanged": 1}
    assert held(store) == [row("5240", "B"), theirs]


def test_an_import_that_contradicts_the_table_does_nothing(store: Store) -> None:
    """Or an identifier would stay nameless, and nobody would know why."""
    import_campaigns(store, [row("5239", "A")], replace=False)
    recycled = row("5239", "B", starts_on=LATE)

    with pytest.raises(ConfigurationError, match="end it before 2026-07-01"):
        import_campaigns(store, [row("5240", "C"), recycled], replace=False)
    with pytest.raises(ConfigurationError, match="give it once"):
        import_campaigns(store, [row("5240", "C"), row("5240", "C")], replace=False)
    assert held(store) == [row("5239", "A")]

    ended = row("5239", "A", ends_on=EARLY)
    import_campaigns(store, [recycled, ended], replace=False)
    assert held(store) == [ended, recycled]


def test_the_stamp_tells_whether_the_table_says_something_else(store: Store) -> None:
    """A worker asks it before it reads the whole table again."""
    stamps = [stamped(store)]
    for rows in (
        [row("5239", "A"), row("5240", "B")],
        [row("5239", "B"), row("5240", "B")],  # a name as long as before
        [row("5239", "B"), row("5241", "B")],  # as many rows as before
        [row("5239", "B")],
    ):
        import_campaigns(store, rows, replace=True)
        stamps.append(stamped(store))
    import_campaigns(store, rows, replace=True)

    assert len(set(stamps)) == len(stamps)
    assert stamped(store) == stamps[-1]


def test_of_two_imports_at_once_that_contradict_each_other_one_wins(store: Store) -> None:
    """The other is refused as if it had come later."""

    def imported(name: str) -> bool:
        try:
            import_campaigns(
                store, [row("5239", name, starts_on=EARLY if name == "A" else LATE)], replace=False
            )
        except ConfigurationError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(imported, "AB")) == [False, True]
    assert len(held(store)) == 1
