"""Postbacks that are owed, and a look into the ledger."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import select, update

from skan_receiver.delivery import Destination, Known, Sender, Transport, Vault
from skan_receiver.delivery.destinations import Relay
from skan_receiver.delivery.registry import put
from skan_receiver.settle import settle
from skan_receiver.storage import Attempt, Delivery, Store, StoredPostback
from skan_receiver.storage.columns import table
from tests.receiving import Receiver

DELIVERY = table(Delivery)


VAULT = Vault([Fernet.generate_key().decode()])


def sender(store: Store, transport: Transport | None = None) -> Sender:
    """Delivers to 127.0.0.1, unless the transport says otherwise."""
    transport = transport or Transport(allow_private=True, exchange_seconds=2.0)
    return Sender(transport, Known(store, VAULT))


def relay(url: str, name: str = "copy", **fields: Any) -> Relay:
    return Relay(name=name, url=url, **fields)


class Books:
    """A receiver whose postbacks are owed to destinations, and what its ledger says."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.receiver = Receiver(store)

    def owe(self, destinations: Sequence[Destination], count: int = 1) -> list[bytes]:
        """Receive and settle that many postbacks; their bytes."""
        self.define(*destinations)
        bodies = [self.receiver.signer.skadnetwork("4.0") for _ in range(count)]
        results = self.receiver.receive(*bodies)
        self.settle()
        ids = [result.stored_id for result in results]
        rows = {row.id: row.body for row in self.receiver.rows(StoredPostback)}
        return [rows[id_] for id_ in ids]

    def define(self, *destinations: Destination, paused: bool | None = None) -> None:
        """Have these destinations; a moment passes, as coarse as SQLite's clock."""
        put(self.store, [(one, paused) for one in destinations])
        time.sleep(0.002)

    def settle(self) -> None:
        while settle(self.store, self.receiver.settings, datetime.now(UTC)):
            pass

    def deliveries(self) -> list[Any]:
        return self.receiver.rows(Delivery)

    def attempts(self) -> list[Any]:
        return self.receiver.rows(Attempt)

    def states(self) -> dict[str, int]:
        return dict(Counter(row.state for row in self.deliveries()))

    def make_due(self) -> None:
        """As if everything had waited long enough."""
        past = datetime.now(UTC) - timedelta(hours=1)
        due = update(DELIVERY).where(DELIVERY.c.state == "owed").values(next_at=past)
        self.store.write(lambda connection: connection.execute(due))

    def waits(self) -> list[float]:
        """Seconds until each delivery is due, from now."""
        with self.store.read() as connection:
            moments = connection.scalars(select(DELIVERY.c.next_at).order_by(DELIVERY.c.id)).all()
        return [(moment - datetime.now(UTC)).total_seconds() for moment in moments]
