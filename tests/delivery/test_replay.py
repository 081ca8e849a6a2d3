"""Sending again, on purpose: each keeps its name, and a dry run tells how many."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from skan_receiver.delivery import Deliverer, Retry, registry, replay
from skan_receiver.delivery.destinations import ANY_KIND, Destination
from skan_receiver.delivery.replay import DELIVERY, Which
from skan_receiver.mmp.event import Kind
from skan_receiver.storage import Store
from tests.delivery.eventing import Intake, destination, purchase
from tests.delivery.owing import Books, relay, sender
from tests.delivery.test_deliver import until
from tests.receiving import NOON
from tests.sink import answers, sink


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


def entry(books: Books, name: str = "copy") -> registry.Entry:
    with books.store.read() as connection:
        return registry.find(connection, name)


def counted(books: Books, which: Which) -> int:
    with books.store.read() as connection:
        return replay.count(connection, which)


def test_dead_letters_are_sent_again_under_their_names(books: Books, store: Store) -> None:
    """With their schedule begun anew, and a header that says so."""
    with sink(answers(400)) as open_:
        once = Deliverer(store, sender(store), Retry(refused=()))
        books.owe([relay(open_.url)], 5)
        until(books, once, lambda: books.states() == {"dead": 5})
        assert counted(books, Which(destination="copy")) == 5
        assert counted(books, Which(destination="copy", states=("done",))) == 0
        open_.behaviour = answers(200)
        assert replay.again(store, Which(destination="copy")) == 5
        assert replay.again(store, Which(destination="copy")) == 0
        until(books, once, lambda: books.states() == {"done": 5})
        once.finish()
    assert len(open_.ids()) == 10
    assert len(set(open_.ids())) == 5
    assert [one.headers.get("webhook-replay") for one in open_.received] == [None] * 5 + ["1"] * 5
    assert {(row.attempts, row.replays) for row in books.deliveries()} == {(1, 1)}


def test_what_was_delivered_can_be_sent_again_by_its_number(books: Books, store: Store) -> None:
    """A partner has lost one of three."""
    with sink() as open_:
        deliverer = Deliverer(store, sender(store))
        books.owe([relay(open_.url)], 3)
        until(books, deliverer, lambda: books.states() == {"done": 3})
        ids = [row.id for row in books.deliveries()]
        assert replay.again(store, Which(ids=(ids[1],), states=("done", "dead"))) == 1
        until(books, deliverer, lambda: books.states() == {"done": 3})
        deliverer.finish()
    assert sorted(open_.ids().count(name) for name in set(open_.ids())) == [1, 1, 2]


def test_what_is_under_way_is_not_replayed(books: Books, store: Store) -> None:
    """It will be sent anyway."""
    books.owe([relay("https://copy.example/in")], 2)
    everything = Which(destination="copy", states=("done", "dead", "owed", "leased"))
    assert replay.again(store, everything) == 0


def test_a_replay_is_narrowed_by_what_it_is_about(books: Books, store: Store) -> None:
    """By app, network, window and time."""
    with sink() as open_:
        deliverer = Deliverer(store, sender(store))
        sign = books.receiver.signer.skadnetwork
        books.define(relay(open_.url))
        books.receiver.receive(
            sign("4.0", app_id=1), sign("4.0", app_id=2), sign("4.0", postback_sequence_index=1)
        )
        books.settle()
        until(books, deliverer, lambda: books.states() == {"done": 3})
        deliverer.finish()
    done = ("done",)
    assert counted(books, Which(states=done, app_id=1)) == 1
    assert counted(books, Which(states=done, window=1)) == 1
    assert counted(books, Which(states=done, ad_network_id="COM.example")) == 0
    assert counted(books, Which(states=done, since=datetime.now(UTC))) == 0
    assert counted(books, Which(states=done, until=datetime.now(UTC) + timedelta(days=1))) == 3


def test_a_new_destination_gets_what_came_before_it_only_when_asked(
    books: Books, store: Store
) -> None:
    """By its own filters, of that period, once; what it was owed already is not owed again."""
    sign = books.receiver.signer.skadnetwork
    books.receiver.receive(sign("4.0", app_id=1), sign("4.0", app_id=2))
    books.receiver.receive({**sign("4.0", app_id=1), "app-id": 3})
    books.receiver.later(days=1)
    books.receiver.receive(sign("4.0", app_id=1))
    books.define(relay("https://copy.example/in", apps=(1,)))
    books.settle()
    assert books.deliveries() == []
    period = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    settings = books.receiver.settings
    assert replay.missed(store, settings, entry(books), *period, dry_run=True) == 1
    assert books.deliveries() == []
    assert replay.missed(store, settings, entry(books), *period) == 1
    assert replay.missed(store, settings, entry(books), *period) == 0
    assert books.states() == {"owed": 1}


def removed_and_added_again(store: Store, before: Destination, after: Destination) -> None:
    registry.remove(store, before.name)
    time.sleep(0.002)
    registry.add(store, after)


@pytest.mark.parametrize("partner", ["acme", "rival"])
def test_what_a_removed_destination_was_owed_of_users_goes_to_no_namesake(
    store: Store, partner: str
) -> None:
    """Whoever it belongs to: consent, and whose ad it was, were looked at for the one before."""
    intake = Intake(store)
    with sink() as one, sink() as other:
        before = destination(f"{one.url}?c={{click_id}}&idfa={{idfa}}")
        intake.define(before)
        intake.take(purchase())
        again: dict[str, Any] = {
            "partner": partner,
            "media_sources": ["rival_int"],
            "withdrawals": "Refund",
        }
        removed_and_added_again(
            store, before, destination(f"{other.url}?c={{click_id}}&idfa={{idfa}}", **again)
        )
        assert intake.books.states() == {"dead": 1}
        which = Which(ids=(1,), states=("done", "dead"))
        assert (counted(intake.books, which), replay.again(store, which)) == (0, 0)
        # Nor by whoever writes into the ledger.
        owe = update(DELIVERY).values(state="owed", settled_at=None)
        store.write(lambda connection: connection.execute(owe))
        intake.deliver(until=("dead",))
        assert one.received == other.received == []
    assert [row.error_class for row in intake.books.attempts()] == ["gone"]
    # What is taken back was told to nobody of this name.
    intake.take(purchase("r", kind=Kind.REFUND, order_id=None, withdraws="e-1"))
    assert intake.reason("r") == "it was never sent what this takes back"


def test_what_was_owed_to_a_destination_of_users_itself_is_replayed(store: Store) -> None:
    """It was decided for it, and not for one before it."""
    intake = Intake(store)
    with sink() as open_:
        to = destination(f"{open_.url}?c={{click_id}}")
        intake.define(to)
        removed_and_added_again(store, to, to)
        intake.take(purchase())
        intake.deliver()
        assert replay.again(store, Which(destination="acme", states=("done",))) == 1
        intake.deliver()
        assert len(open_.received) == 2


def test_postbacks_go_to_a_namesake_as_far_as_they_are_its_networks(books: Books) -> None:
    """They tell of nobody; a partner sees what its own networks brought all the same."""
    store = books.store
    signed = books.receiver.signer.skadnetwork
    with sink() as open_:
        both = {"kind": "decoded", "name": "x", "url": open_.url}
        before = decoded(**both, partner="acme", ad_networks=["a.skadnetwork", "b.skadnetwork"])
        books.define(before)
        books.receiver.receive(
            signed("4.0", ad_network_id="a.skadnetwork"),
            signed("4.0", ad_network_id="b.skadnetwork"),
        )
        books.settle()
        removed_and_added_again(
            store, before, decoded(**both, partner="rival", ad_networks=["b.skadnetwork"])
        )
        assert replay.again(store, Which(destination="x")) == 2
        deliverer = Deliverer(store, sender(store))
        until(books, deliverer, lambda: books.states() == {"dead": 1, "done": 1})
        deliverer.finish()
        (got,) = open_.received
    assert b"b.skadnetwork" in got.body
    assert "gone" in {row.error_class for row in books.attempts()}


def decoded(**fields: Any) -> Destination:
    return ANY_KIND.validate_python(fields)
