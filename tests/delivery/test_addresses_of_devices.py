"""A device's address: passed on by who needs it, encrypted on the way, and gone afterwards."""

from datetime import UTC, datetime

import pytest

from skan_receiver.delivery import Deliverer
from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.settle import settle
from skan_receiver.storage import Delivery, Fresh, Store
from skan_receiver.testing import encode
from tests.delivery.owing import VAULT, Books, relay, sender
from tests.delivery.test_deliver import until
from tests.sink import answers, sink

ADDRESS = "203.0.113.77"


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


def receive(books: Books) -> None:
    receiver = books.receiver
    body = encode(receiver.signer.skadnetwork("4.0"))
    ingest = Ingest(books.store, receiver.settings, receiver.keys)
    ingest([Incoming(receiver.now, "network", body, sealed_ip=VAULT.seal(ADDRESS))])


def test_it_arrives_where_it_is_needed_and_nowhere_else(books: Books, store: Store) -> None:
    """Once delivered it is erased; who does not need it never has it."""
    with sink(answers(500)) as needing, sink() as other:
        books.define(
            relay(needing.url, "needing", needs_ip=True, add={"ip": "{ip}"}),
            relay(other.url, "other"),
        )
        receive(books)
        settle(store, books.receiver.settings, datetime.now(UTC))
        sealed = {row.destination: row.sealed_ip for row in books.receiver.rows(Delivery)}
        assert VAULT.open(sealed["needing"]) == ADDRESS
        assert ADDRESS.encode() not in sealed["needing"]
        assert sealed["other"] is None
        deliverer = Deliverer(store, sender(store))
        until(books, deliverer, lambda: len(books.attempts()) == 2)
        assert [row.sealed_ip is not None for row in books.deliveries()] == [True, False]
        needing.behaviour = answers(200)
        books.make_due()
        until(books, deliverer, lambda: books.states() == {"done": 2})
        deliverer.finish()
    assert f'"ip":"{ADDRESS}"'.encode() in needing.received[-1].body
    assert ADDRESS.encode() not in other.received[0].body
    assert [row.sealed_ip for row in books.deliveries()] == [None, None]
    assert ADDRESS not in repr(books.attempts())


def test_where_nobody_needs_it_it_is_gone_when_settled(books: Books, store: Store) -> None:
    """It waits with the row that is not settled yet, encrypted, and with nothing else."""
    receive(books)
    (row,) = books.receiver.rows(Fresh)
    assert row.sealed_ip is not None
    assert ADDRESS.encode() not in row.sealed_ip
    settle(store, books.receiver.settings, datetime.now(UTC))
    assert books.receiver.rows(Fresh) == []
    assert books.deliveries() == []
