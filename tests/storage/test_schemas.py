"""Versions are published one way, by whoever, and never change."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skan_receiver.conversion.force import ALWAYS
from skan_receiver.errors import SchemaError
from skan_receiver.storage import Store
from skan_receiver.storage.folder import Folder, Imported, import_folder
from skan_receiver.storage.meanings import meanings, rest, share
from skan_receiver.storage.schemas import (
    Outdated,
    Publication,
    Published,
    Unpublishable,
    Version,
    history,
    publish,
    roll_back,
)
from tests.conversion.schemas import Valued, rules, text

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def written(event: str) -> str:
    """A schema by which 20 means that `event` happened."""
    return text(rules(f"value: 20, when: [{{event: {event}}}]", "value: 0"))


PURCHASE, SESSION, TUTORIAL = (Publication(written(e)) for e in ("purchase", "session", "tutorial"))


def versions(store: Store) -> list[Version]:
    with store.read() as connection:
        return history(connection, 42)


def at_once(store_url: str, work: Callable[[Store], object], times: int = 6) -> None:
    """Do `work` so many times at once, each with a store of its own, as processes have."""

    def alone(_: int) -> None:
        store = Store(store_url)
        work(store)
        store.close()

    with ThreadPoolExecutor(times) as threads:
        list(threads.map(alone, range(times)))


def test_the_first_version_is_in_force_from_the_beginning(store: Store) -> None:
    """Nobody knows of another one before it; the next is in force from now on."""
    first = publish(store, PURCHASE, NOON)
    second = publish(store, SESSION, NOON + DAY)

    assert [(one.number, one.effective_from) for one in versions(store)] == [
        (1, ALWAYS),
        (2, NOON + DAY),
    ]
    assert first == Published(versions(store)[0], is_new=True, next=None)
    assert second.version.published_at == NOON + DAY


def test_a_version_keeps_what_its_author_wrote(store: Store) -> None:
    """Comments, author and note; the hash is that of the content."""
    commented = replace(PURCHASE, text=f"# why\n{PURCHASE.text}", author="ann", note="trial")
    version = publish(store, commented, NOON).version

    assert versions(store) == [version]
    assert (version.text, version.author, version.note) == (commented.text, "ann", "trial")
    # To publish what stands is no news, however it is commented.
    again = publish(store, PURCHASE, NOON + DAY)
    assert (again.version, again.is_new) == (version, False)


def test_a_schema_with_mistakes_is_not_published(store: Store) -> None:
    """All of them are named, and nothing is written."""
    with pytest.raises(SchemaError, match="refund is no event"):
        publish(store, Publication(written("refund")), NOON)
    with pytest.raises(SchemaError):
        publish(store, Publication("/etc/passwd"), NOON)
    assert versions(store) == []


def test_what_arrived_does_not_change_by_the_way(store: Store) -> None:
    """A date that rewrites reports has to be meant. One within a day does not: nothing that has
    arrived was set in the last 24 hours."""
    publish(store, PURCHASE, NOON)
    past = replace(SESSION, effective_from=NOON - 2 * DAY)

    with pytest.raises(Unpublishable, match="redecode"):
        publish(store, past, NOON)
    assert publish(store, past, NOON, back_dated=True).version.number == 2
    publish(store, replace(TUTORIAL, effective_from=NOON - DAY / 2), NOON)


def test_a_roll_back_is_a_new_version_of_earlier_content(store: Store) -> None:
    """History shows both the mistake and the way back; the author hears what is still to come."""
    publish(store, PURCHASE, NOON)
    publish(store, SESSION, NOON + DAY)
    scheduled = publish(store, replace(TUTORIAL, effective_from=NOON + 30 * DAY), NOON + DAY)
    back = roll_back(store, 42, 1, Publication("", author="ann"), NOON + 2 * DAY)

    first, _, _, last = versions(store)
    assert (last.number, last.content_hash, last.text) == (4, first.content_hash, first.text)
    assert (last.effective_from, last.note) == (NOON + 2 * DAY, "roll-back to version 1")
    assert back.next == scheduled.version
    with pytest.raises(Unpublishable, match="no version 9"):
        roll_back(store, 42, 9, Publication(""), NOON)


def test_many_may_publish_at_once(store: Store, store_url: str) -> None:
    """Numbers are given once each, and none is left out."""
    publish(store, PURCHASE, NOON)

    at_once(store_url, lambda one: publish(one, replace(SESSION, effective_from=NOON + DAY), NOON))

    assert [one.number for one in versions(store)] == [1, 2, 3, 4, 5, 6, 7]


def test_an_app_without_a_version_has_no_meaning(store: Store) -> None:
    """And before its first version was in force it had none."""
    dated = replace(PURCHASE, effective_from=NOON)
    with store.read() as connection:
        assert meanings(connection, Postback(), NOON) == ()
    publish(store, dated, NOON)
    with store.read() as connection:
        assert meanings(connection, Postback(), NOON) == ()
        partly = meanings(connection, Postback(), NOON + 2 * DAY)
        assert [(one.version.number, one.share) for one in partly] == [(1, "34%")]
        assert share(rest(partly)) == "66%"


class Postback(Valued):
    """A value of 20, of SKAdNetwork 4."""

    version = "4.0"

    def __init__(self) -> None:
        super().__init__(fine_value=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    folder.mkdir()
    (folder / "shop.yaml").write_text(written("purchase"))
    return folder


def imported(store: Store, folder: Path, now: datetime = NOON) -> Imported:
    return import_folder(store, folder, now)


def test_a_file_is_published_when_it_is_new_and_when_it_changes(store: Store, folder: Path) -> None:
    """Not at every start, and not for a comment."""
    (first,) = imported(store, folder).published
    assert (first.number, first.source, first.effective_from) == (1, "folder", ALWAYS)
    assert imported(store, folder) == Imported()
    (folder / "shop.yaml").write_text(f"# a comment\n{written('purchase')}")
    assert imported(store, folder) == Imported()

    (folder / "shop.yaml").write_text(written("session"))
    (second,) = imported(store, folder, NOON + DAY).published
    assert (second.number, second.effective_from) == (2, NOON + DAY)


def test_a_newer_publish_is_not_overridden(store: Store, folder: Path) -> None:
    """What was published elsewhere since stays in force until the file itself changes."""
    imported(store, folder)
    publish(store, SESSION, NOON + DAY)
    assert imported(store, folder, NOON + 2 * DAY) == Imported()
    assert versions(store)[-1].number == 2

    (folder / "shop.yaml").write_text(written("tutorial"))
    assert [one.number for one in imported(store, folder, NOON + 3 * DAY).published] == [3]


def test_a_file_never_seen_before_gives_way_to_what_is_published(
    store: Store, folder: Path
) -> None:
    """Which of the two is newer nobody knows, so somebody is told, and may say so."""
    publish(store, SESSION, NOON)
    for _ in range(2):
        (problem,) = imported(store, folder).problems
        assert "shop.yaml: not imported: app 42 has version 1, which may be newer" in problem
    assert len(versions(store)) == 1

    assert len(import_folder(store, folder, NOON, deliberate=True).published) == 1
    assert imported(store, folder) == Imported()


def test_a_machine_with_the_files_of_yesterday_changes_nothing(store: Store, folder: Path) -> None:
    """While machines are upgraded one by one, one of the old ones may start again."""
    imported(store, folder)
    (folder / "shop.yaml").write_text(written("session"))
    imported(store, folder, NOON + DAY)
    (folder / "shop.yaml").write_text(written("purchase"))

    (problem,) = imported(store, folder, NOON + 2 * DAY).problems

    assert "shop.yaml: not imported: newer content was imported since" in problem
    assert "`schemas import`" in problem
    assert len(versions(store)) == 2


def test_a_file_put_back_is_published_where_somebody_puts_it_back(
    store: Store, folder: Path
) -> None:
    """A process that saw the file change, or a command, knows that it is meant."""
    watched = Folder(store, folder)
    watched.step(NOON)
    for day, event in enumerate(("session", "purchase"), start=1):
        (folder / "shop.yaml").write_text(written(event))
        assert len(watched.step(NOON + day * DAY).published) == 1
    assert imported(store, folder) == Imported()

    first, _, third = versions(store)
    assert first.content_hash == third.content_hash


def test_a_file_published_by_hand_is_not_imported_again(store: Store, folder: Path) -> None:
    """Its author chose the date."""
    publish(store, replace(PURCHASE, effective_from=NOON - 90 * DAY), NOON)
    publish(store, SESSION, NOON)
    assert imported(store, folder) == Imported()


def test_a_mistake_in_one_file_keeps_no_other_back(store: Store, folder: Path) -> None:
    """Nor do two files for one app, which keep each other back."""
    (folder / "bad.yaml").write_text(written("refund").replace("app: 42", "app: 7"))
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_text(written("session").replace("app: 42", "app: 8"))

    done = imported(store, folder)

    assert [one.app_id for one in done.published] == [42]
    assert len(done.problems) == 3
    assert "bad.yaml:" in done.problems[0]
    assert all("another file has a schema for app 8" in one for one in done.problems[1:])


def test_many_may_import_at_once(store: Store, store_url: str, folder: Path) -> None:
    """Every process of every machine at its start: one of them publishes."""
    at_once(store_url, lambda one: import_folder(one, folder, NOON))
    assert len(versions(store)) == 1
    (folder / "shop.yaml").write_text(written("session"))
    at_once(store_url, lambda one: import_folder(one, folder, NOON + DAY))
    assert [one.number for one in versions(store)] == [1, 2]


def test_imports_and_a_publish_at_once_leave_no_doubt(
    store: Store, store_url: str, folder: Path
) -> None:
    """Whoever comes first, the file is imported at most once and the publish is kept."""
    imported(store, folder)
    (folder / "shop.yaml").write_text(written("session"))

    def either(one: Store) -> None:
        import_folder(one, folder, NOON + DAY)
        publish(one, replace(TUTORIAL, effective_from=NOON + 9 * DAY), NOON + DAY)

    at_once(store_url, either, times=4)

    assert [one.source for one in versions(store)].count("folder") == 2
    assert len(versions(store)) == 2 + 4


def test_a_folder_is_read_when_a_file_changes(store: Store, folder: Path) -> None:
    """Between changes a step costs a look at times and sizes; a file mended is taken up."""
    watched = Folder(store, folder)
    assert len(watched.step(NOON).published) == 1
    assert watched.step(NOON) == Imported()
    (folder / "shop.yaml").write_text(f"{written('session')}  : [")
    assert len(watched.step(NOON).problems) == 1
    assert watched.step(NOON) == Imported()
    (folder / "shop.yaml").write_text(written("session"))
    assert len(watched.step(NOON).published) == 1
    assert Folder(store, folder / "none").step(NOON) == Imported()


def test_two_who_edit_the_same_version_do_not_overwrite_each_other(store: Store) -> None:
    """The second is told who was quicker, and nothing of theirs is published."""
    publish(store, PURCHASE, NOON)
    publish(store, replace(SESSION, base=1, author="ana"), NOON + DAY)

    with pytest.raises(Outdated, match="version 2 was published meanwhile, by ana") as refused:
        publish(store, replace(TUTORIAL, base=1), NOON + DAY)

    assert refused.value.newest.number == 2
    assert [version.number for version in versions(store)] == [1, 2]
