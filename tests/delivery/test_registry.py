"""Destinations as rows: changed by several at once, and read by every worker."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from skan_receiver.delivery import Deliverer, registry, replay
from skan_receiver.delivery.destinations import Decoded, ReportDestination
from skan_receiver.delivery.registry import DESTINATION, Changed, UnknownDestination
from skan_receiver.delivery.replay import Which
from skan_receiver.errors import ConfigurationError
from skan_receiver.settle import settle
from skan_receiver.storage import Delivery, Fresh, ReportWindow, Store
from skan_receiver.storage.columns import table
from tests.delivery.eventing import destination
from tests.delivery.owing import Books, relay, sender
from tests.delivery.test_deliver import until
from tests.sink import sink


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


def test_of_two_who_change_a_destination_one_is_told(store: Store) -> None:
    """Nobody's change is lost in silence."""
    first = registry.add(store, relay("https://a.example/"))
    registry.change(store, relay("https://b.example/"), revision=first.revision)
    with pytest.raises(Changed, match="changed meanwhile"):
        registry.change(store, relay("https://c.example/"), revision=first.revision)
    with pytest.raises(Changed, match="there is a destination 'copy' already"):
        registry.add(store, relay("https://c.example/"))
    with pytest.raises(UnknownDestination, match="no destination 'other'"):
        registry.change(store, relay("https://c.example/", "other"))
    with store.read() as connection:
        assert registry.find(connection, "copy").destination.url == "https://b.example/"


def test_a_change_ends_our_own_pause_and_not_a_persons(store: Store) -> None:
    """Ours was about the definition that is no more."""
    registry.add(store, relay("https://a.example/"))
    registry.pause(store, "copy", "it answered 410 Gone")
    assert registry.change(store, relay("https://b.example/")).state == "active"
    registry.pause(store, "copy")
    assert registry.change(store, relay("https://c.example/")).state == "paused"


def test_removing_gives_up_what_is_owed_on_record(books: Books, store: Store) -> None:
    """As dead letters; they can be replayed to a destination of the same name."""
    books.owe([relay("https://a.example/")], 3)
    assert registry.remove(store, "copy") == 3
    assert books.states() == {"dead": 3}


def test_what_was_spoilt_in_the_store_is_refused_again_as_it_is_sent(
    books: Books, store: Store
) -> None:
    """It is not sent to, and keeps no other waiting; nor is anything settled without it."""
    with sink() as spoilt, sink() as other:
        books.owe([relay(spoilt.url, "spoilt"), relay(other.url, "other")], 2)
        bad = f'{{"name": "spoilt", "kind": "relay", "url": "{spoilt.url}?i={{idfa}}"}}'
        change = update(DESTINATION).where(DESTINATION.c.name == "spoilt").values(definition=bad)
        store.write(lambda connection: connection.execute(change))
        deliverer = Deliverer(store, sender(store))
        until(books, deliverer, lambda: books.states() == {"owed": 2, "done": 2})
        deliverer.finish()
        assert spoilt.received == []
    books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
    with pytest.raises(ConfigurationError, match="identifies a device"):
        settle(store, books.receiver.settings, datetime.now(UTC))
    assert len(books.receiver.rows(Fresh)) == 1


def test_whoever_settles_sees_a_destination_whole_or_not_at_all(books: Books, store: Store) -> None:
    """Added while four settle as fast as postbacks come: what came after it is owed to it."""
    came: list[tuple[Any, datetime]] = []
    stop = threading.Event()

    def settling() -> None:
        while not stop.is_set() or books.receiver.rows(Fresh):
            settle(store, books.receiver.settings, datetime.now(UTC), limit=3)

    def arriving() -> None:
        for number in range(60):
            books.receiver.receive(books.receiver.signer.skadnetwork("4.0"))
            if number == 30:
                came.append((number, registry.add(store, relay("https://a.example/")).since))

    run(stop, arriving, settling, settling)
    # The thirty-first and those before it came before the destination did.
    assert books.states() == {"owed": 29}


def run(stop: threading.Event, first: Callable[[], None], *others: Callable[[], None]) -> None:
    threads = [threading.Thread(target=other) for other in others]
    for thread in threads:
        thread.start()
    first()
    stop.set()
    for thread in threads:
        thread.join(60)


def test_a_spoilt_destination_can_be_mended_or_removed(books: Books, store: Store) -> None:
    """Otherwise nothing would be settled ever again."""
    for mend in (
        lambda: registry.change(store, relay("https://b.example/")),
        lambda: registry.put(store, [(relay("https://b.example/"), None)]),
        lambda: registry.remove(store, "copy"),
    ):
        registry.put(store, [(relay("https://a.example/"), None)])
        spoilt = '{"name": "copy", "kind": "relay", "url": "https://a.example/?key=K&x={no_such}"}'
        change = update(DESTINATION).values(definition=spoilt)
        store.write(lambda connection, bad=change: connection.execute(bad))  # type: ignore[misc]  # bound at once
        with store.read() as connection:
            ((), told) = registry.readable(connection)
        assert "there is no such macro" in told["copy"]
        assert "key=K" not in told["copy"]
        mend()
        settle(store, books.receiver.settings, datetime.now(UTC))


def test_an_import_pauses_and_lets_go_on_as_it_says(store: Store) -> None:
    """Also where we had paused it; and one that is let go on begins anew."""
    registry.add(store, relay("https://a.example/"))
    registry.pause(store, "copy", "it answered 410 Gone")
    (entry,) = registry.put(store, [(relay("https://b.example/"), True)])
    assert (entry.paused, entry.paused_because) == (True, "")
    failing = update(DESTINATION).values(failing_since=datetime(2026, 1, 1, tzinfo=UTC))
    store.write(lambda connection: connection.execute(failing))
    (entry,) = registry.put(store, [(relay("https://b.example/"), False)])
    assert (entry.paused, entry.failing_since) == (False, None)


def test_another_partner_or_kind_wants_another_name(books: Books, store: Store) -> None:
    """What is owed to the one must not go to the other; not even by a replay."""
    fields = {"name": "x", "url": "https://a.example/", "ad_networks": ["com.example"]}
    registry.add(store, Decoded(partner="one", **fields))
    with pytest.raises(Changed, match="another kind, partner or vendor"):
        registry.change(store, Decoded(partner="two", **fields))
    with pytest.raises(Changed, match="another kind, partner or vendor"):
        registry.put(store, [(relay("https://a.example/", "x"), None)])
    registry.add(store, destination("https://a.example/", vendor="meta"))
    for other in ({"vendor": "snap"}, {}, {"vendor": "meta", "partner": "rival"}):
        with pytest.raises(Changed, match="another kind, partner or vendor"):
            registry.change(store, destination("https://a.example/", **other))
    registry.change(store, destination("https://b.example/", vendor="meta"))


def test_a_delivery_about_another_kind_of_thing_is_not_made_up(books: Books, store: Store) -> None:
    """A report under a name that a relay once had, and windows with the numbers of postbacks."""
    with sink() as open_:
        books.owe([relay(open_.url, "x")])
        registry.remove(store, "x")
        report = ReportDestination(name="x", url=open_.url, partner="own", length="hour")
        registry.add(store, report)
        window = dict.fromkeys(("start", "end", "created_at"), datetime.now(UTC))
        row = {"identity": b"o" * 16, "destination": "other", "revision": 0, "content_hash": ""}
        made = table(ReportWindow).insert().values(**window, **row, content=b"theirs")
        store.write(lambda connection: connection.execute(made))
        assert replay.again(store, Which(destination="x")) == 0
        owe = update(table(Delivery)).values(state="owed", settled_at=None)
        store.write(lambda connection: connection.execute(owe))
        deliverer = Deliverer(store, sender(store))
        until(books, deliverer, lambda: books.states() == {"dead": 1})
        deliverer.finish()
    assert open_.received == []
    assert [one.error for one in books.attempts()] == ["what it is about is no longer kept"]
