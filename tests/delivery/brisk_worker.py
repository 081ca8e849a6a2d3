"""A worker whose leases are short, for tests that kill it."""

import signal
import sys
import threading
from datetime import timedelta

from skan_receiver.config import load
from skan_receiver.delivery import Deliverer, Known, Sender, Transport, Vault
from skan_receiver.storage import Store
from skan_receiver.worker import work

LEASE = timedelta(seconds=2)


def main() -> int:
    settings, stop = load(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = Store(settings.database)
    transport = Transport(allow_private=True, exchange_seconds=1.0)
    sender = Sender(transport, Known(store, Vault(settings.vault_keys)))
    return work(settings, stop, store, Deliverer(store, sender, lease=LEASE))


if __name__ == "__main__":
    sys.exit(main())
