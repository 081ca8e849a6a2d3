"""Celery's workers with short leases, for tests that kill them."""

from datetime import timedelta

from skan_receiver.config import Settings, load
from skan_receiver.delivery import Known, Sender, Transport, Vault
from skan_receiver.delivery.chunk import Chunks
from skan_receiver.delivery.hints import Tell
from skan_receiver.engine import application
from skan_receiver.storage import Store

LEASE = timedelta(seconds=3)


def chunks(settings: Settings, tell: Tell) -> Chunks:
    store = Store(settings.database)
    transport = Transport(allow_private=True, exchange_seconds=1.0)
    known = Known(store, Vault(settings.vault_keys))
    return Chunks(store, Sender(transport, known), tell, lease=LEASE)


app = application(load, chunks)
