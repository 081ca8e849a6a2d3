"""What there is to say of a row: secrets, names and meanings, read from the store when needed.

A worker lives for weeks, and what it says must be what is published now. So what it remembers is
a second old at most.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Row

from skan_receiver.delivery import event_facts, facts
from skan_receiver.delivery.destinations import Destination, EventDestination
from skan_receiver.delivery.events import withheld_now
from skan_receiver.delivery.templates.macros import CAMPAIGN, DECODED
from skan_receiver.delivery.vault import Vault, sealed_secrets
from skan_receiver.mmp.event import MADE, Event
from skan_receiver.storage import Store
from skan_receiver.storage.campaigns import load_book, stamp
from skan_receiver.storage.consent import standing
from skan_receiver.storage.event_rows import event_of
from skan_receiver.storage.meanings import Arrived, Book
from skan_receiver.storage.rates import Rates, load_rates
from skan_receiver.storage.schemas import history

OLDEST_SECONDS = 1.0

T = TypeVar("T")


class Known:
    """Finds what macros stand for."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault
        self._secrets = _Kept(store, sealed_secrets)
        self._campaigns = _Kept(store, load_book, stamp)
        self._policy = _Kept(store, standing)
        self._schemas = _Kept(store, lambda connection: Book(history(connection)))

    def secrets(self, destination: Destination) -> Mapping[str, str]:
        """Its own secrets, and nobody else's. ConfigurationError where one cannot be opened."""
        if not destination.secret_names:
            return {}
        sealed = self._secrets().get(destination.name, {})
        return {name: self._vault.open(sealed[name]) for name in sealed}

    def name(self, destination: Destination, delivery: Row[Any], about: Any) -> str:
        """The name under which receivers are told of it."""
        identity = self._outward(destination, delivery.identity, about)
        return facts.delivery_name(identity, delivery.destination)

    def values(self, destination: Destination, delivery: Row[Any], about: Any) -> facts.Values:
        """What the destination's macros stand for."""
        if destination.about_postbacks and not destination.macros:
            return {}
        sending = facts.of_sending(delivery, self.name(destination, delivery, about))
        if isinstance(destination, EventDestination):
            identity = self._outward(destination, about.identity, about)
            also = self._withheld(destination, about)
            told = event_facts.of_event(about, destination, self._rates, identity, also)
            return {**sending, **told}
        if not destination.about_postbacks:
            return {**sending, **facts.of_window(about)}
        values = {**sending, **facts.of_postback(about)}
        if destination.macros & CAMPAIGN.keys():
            named = self._campaigns().names(about, about.received_at)
            values |= facts.of_campaign(named)
        if destination.macros & DECODED.keys():
            readings = self._schemas().read(Arrived.of(about, about.received_at))
            values |= facts.of_meaning(about, readings)
        if destination.needs_ip and delivery.sealed_ip is not None:
            values["ip"] = self._vault.open(delivery.sealed_ip)
        return values

    def private(self, destination: Destination, about: Any) -> Mapping[str, str]:
        """What no answer, error or log may show of what is sent."""
        if not isinstance(destination, EventDestination):
            return {}
        return event_facts.identifying(about, destination.macros)

    def _outward(self, destination: Destination, identity: bytes, about: Any) -> bytes:
        """An identity as receivers are told it. One that we made of who it was is blinded, or a
        receiver could try who it was."""
        is_made = isinstance(destination, EventDestination) and about.event_id.startswith(MADE)
        return self._vault.blinded(identity) if is_made else identity

    def _withheld(self, destination: EventDestination, about: Any) -> Collection[str]:
        """What stays here by the rules of now; of what is made up all may go."""
        if not about.id:
            return ()
        return withheld_now(destination, event_of(about), policy=self._policy())

    def _rates(self, event: Event) -> Rates:
        """Those of the event's day."""
        day = event.at.date()
        with self._store.read() as connection:
            return load_rates(connection, day, day)


def _always(_connection: Connection) -> object:
    return object()


class _Kept(Generic[T]):
    """Something read from the store, kept for a second; for longer while its stamp is the same."""

    def __init__(
        self,
        store: Store,
        read: Callable[[Connection], T],
        stamp: Callable[[Connection], object] = _always,
    ) -> None:
        self._store, self._read, self._stamp = store, read, stamp
        self._lock = threading.Lock()
        self._until = 0.0
        self._known: object = None
        self._value: T

    def __call__(self) -> T:
        with self._lock:
            if time.monotonic() >= self._until:
                with self._store.read() as connection:
                    self._look(connection)
                self._until = time.monotonic() + OLDEST_SECONDS
            return self._value

    def _look(self, connection: Connection) -> None:
        if (found := self._stamp(connection)) != self._known:
            self._value = self._read(connection)
            self._known = found
