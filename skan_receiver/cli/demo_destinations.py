"""To whom the demo's results go, and whether it was reached: as if it had run for a month."""

import time
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer, registry
from skan_receiver.delivery.destinations import Relay, ReportDestination
from skan_receiver.delivery.replay import missed
from skan_receiver.delivery.windows import make_windows
from skan_receiver.storage import Delivery, EndpointCheck, Store, StoredDestination
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import LEASED, OWED
from skan_receiver.worker import sender

DELIVERY, DESTINATION, CHECK = table(Delivery), table(StoredDestination), table(EndpointCheck)

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
REPORTED, COPIED, CHECKED = 14 * DAY, DAY / 12, 30 * DAY
OUTAGE = 3 * DAY, 6 * MINUTE  # so long ago, and for so long

MOST_SECONDS = 20.0

DAILY = ReportDestination(
    name="daily-results",
    partner="own",
    file="daily/{window_start}-{revision}.csv",
    format="csv",
    by=("app_id", "ad_network_id"),
)
# Paused: there is nobody at this address.
PARTNER = Relay(name="partner-copies", url="https://postbacks.partner.example/skan")


def fill_destinations(store: Store, settings: Settings, now: datetime) -> None:
    """A file for each of the last days, written; copies that wait for who is paused; checks."""
    paused = registry.add(store, PARTNER, paused=True)
    missed(store, settings, paused, now - COPIED, now)
    registry.add(store, DAILY)
    earlier = update(DESTINATION).where(DESTINATION.c.name == DAILY.name)
    store.write(lambda connection: connection.execute(earlier.values(since=now - REPORTED)))
    make_windows(store, settings)
    _deliver(store, settings)
    _check(store, now)


def _deliver(store: Store, settings: Settings) -> None:
    deliverer = Deliverer(store, sender(settings, store))
    mine = DELIVERY.c.destination == DAILY.name
    waiting = select(func.count()).where(mine, DELIVERY.c.state.in_((OWED, LEASED)))
    until = time.monotonic() + MOST_SECONDS
    try:
        while time.monotonic() < until:
            deliverer.step()
            with store.read() as connection:
                if not connection.scalar(waiting):
                    return
            deliverer.wake.wait(0.05)
            deliverer.wake.clear()
    finally:
        deliverer.finish()


def _check(store: Store, now: datetime) -> None:
    """Asked every minute, and once without an answer."""
    ago, lasted = OUTAGE
    down = now - ago
    runs = (
        (now - CHECKED, down - MINUTE, ""),
        (down, down + lasted, "127.0.0.1 answers 502"),
        (down + lasted + MINUTE, now, ""),
    )
    rows = [
        {"since": since, "until": end, "checks": (end - since) // MINUTE + 1, "fault": fault}
        for since, end, fault in runs
    ]
    store.write(lambda connection: connection.execute(CHECK.insert(), rows))
