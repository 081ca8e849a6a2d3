"""What a partner is told of an event without an id of its own leads to nobody."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from cryptography.fernet import Fernet

from skan_receiver.delivery import Vault
from skan_receiver.mmp.event import MADE, identity_of
from skan_receiver.storage import Store
from tests.delivery.eventing import PURCHASE, Intake, destination
from tests.sink import Received, sink

GUESSED = MADE + "00112233445566778899aabbccddeeff"
HASH = identity_of(PURCHASE.provider, GUESSED).hex()
URL = "?e={event_id}&d={delivery_id}&n={digits}"


def sent(store: Store, event_id: str) -> Received:
    with sink() as open_:
        intake = Intake(store)
        intake.define(destination(open_.url + URL))
        intake.take(replace(PURCHASE, event_id=event_id))
        intake.deliver()
    (got,) = open_.received
    return got


def told(got: Received) -> Iterator[str]:
    yield got.path
    yield from map(str, got.headers.values())


def test_a_made_id_is_sent_under_a_key(store: Store) -> None:
    """Whoever guesses who it was can make the hash, and must find it nowhere."""
    got = sent(store, GUESSED)
    assert not any(HASH in one for one in told(got))
    said = {name: one for name, (one,) in parse_qs(urlsplit(got.path).query).items()}
    assert len(said["e"]) == 32
    assert said["d"] == got.headers["webhook-id"] == f"{said['e']}_acme"


def test_an_id_of_the_tellers_is_sent_as_ever(store: Store) -> None:
    """It is a hash of what names nobody."""
    hashed = identity_of(PURCHASE.provider, "e-1").hex()
    assert f"{hashed}_acme" in sent(store, "e-1").path


def test_a_hash_stays_the_same_when_a_key_is_put_in_front() -> None:
    """A partner tells copies by it; under another key it is another."""
    first, second = (Fernet.generate_key().decode() for _ in range(2))
    blinded = Vault([first]).blinded(b"hash" * 4)
    assert len(blinded) == 16
    assert Vault([second, first]).blinded(b"hash" * 4) == blinded
    assert Vault([second]).blinded(b"hash" * 4) != blinded
