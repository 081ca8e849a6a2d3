"""Events of users that are stored and owed, as an intake does it, and what was decided of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from skan_receiver.delivery import Deliverer
from skan_receiver.delivery.destinations import ANY_KIND, EventDestination
from skan_receiver.delivery.events import owe_events
from skan_receiver.delivery.registry import hold_still
from skan_receiver.mmp.event import (
    Att,
    Attribution,
    Device,
    Event,
    Kind,
    Person,
    Platform,
    Signals,
)
from skan_receiver.storage import EventDecision, Store, StoredEvent
from skan_receiver.storage.columns import table
from skan_receiver.storage.event_rows import row_of
from tests.delivery.owing import Books, sender
from tests.receiving import NOON

EVENT, DECISION = table(StoredEvent), table(EventDecision)

AT = datetime(2026, 11, 23, 12, 4, 5, 250_000, tzinfo=UTC)

# Values that occur nowhere else, so that bytes can be looked through for them.
PERSON = Person(
    idfa="9B1C6E1A-7D53-4F0E-8A57-0C3B5D2F1A90",
    idfv="0F7AB11F-DA50-498E-B225-21AC1977A85D",
    customer_user_id="customer-8f3a",
    mmp_user_id="1763899445123-4477001",
    click_id="click-5e2b9c",
    ip="203.0.113.77",
    user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)",
)
ANDROID = Person(
    gaid="38400000-8cf0-11bd-b23e-10b96e40000d",
    android_id="9774d56d682e549c",
    customer_user_id="customer-8f3a",
    mmp_user_id="1763899445123-4477001",
    click_id="click-5e2b9c",
    ip="203.0.113.77",
    user_agent="Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)",
)
ATTRIBUTION = Attribution(
    is_attributed=True,
    media_source="acme_int",
    campaign_id="c-77",
    campaign_name="US iOS broad",
    adset_id="a-12",
    ad_id="d-3",
    site_id="site-9",
    touch_type="click",
    touched_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
    match_type="id_matching",
    is_retargeting=False,
)
DEVICE = Device(
    country="US",
    region="CA",
    os_version="18.1",
    app_version="4.2.0",
    model="iPhone16,2",
    language="en-US",
    sdk_version="6.15.1",
)
PURCHASE = Event(
    provider="appsflyer",
    event_id="e-1",
    kind=Kind.EVENT,
    name="af_purchase",
    at=AT,
    app_id=525463029,
    bundle_id="com.example.game",
    platform=Platform.IOS,
    installed_at=datetime(2026, 11, 20, 8, 5, tzinfo=UTC),
    revenue=Decimal("9.99"),
    currency="USD",
    order_id="GPA.3345-1290",
    person=PERSON,
    attribution=ATTRIBUTION,
    signals=Signals(att=Att.AUTHORIZED),
    device=DEVICE,
)
CONSENTED = Signals(
    att=Att.AUTHORIZED, gdpr_applies=True, ad_user_data=True, ad_personalization=True
)


def purchase(event_id: str = "e-1", **fields: Any) -> Event:
    return replace(PURCHASE, event_id=event_id, **fields)


def destination(url: str, name: str = "acme", **fields: Any) -> EventDestination:
    """One that is sent purchases which are given to its own ads."""
    said = {
        "name": name,
        "kind": "event",
        "partner": "acme",
        "media_sources": ["acme_int"],
        "already_sent_by_mmp": False,
        "events": ["af_purchase=Purchase"],
        "url": url,
        "method": "GET",
        **fields,
    }
    made = ANY_KIND.validate_python(said)
    assert isinstance(made, EventDestination)
    return made


class Intake:
    """Stores events and has it decided who gets them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.books = Books(store)

    def define(self, *destinations: EventDestination) -> None:
        self.books.define(*destinations)

    def take(self, *events: Event) -> list[int]:
        """Their rows' numbers."""

        def work(connection: Connection) -> list[int]:
            hold_still(connection)
            ids = [store_event(connection, event) for event in events]
            owe_events(connection, list(zip(ids, events, strict=True)))
            return ids

        return self.store.write(work)

    def decisions(self) -> dict[tuple[str, str], tuple[str, str, Mapping[str, str]]]:
        """By the teller's id of the event and the destination: outcome, reason, withheld."""
        columns = (EVENT.c.event_id, DECISION.c.destination, DECISION.c.outcome)
        said = select(*columns, DECISION.c.reason, DECISION.c.withheld)
        with self.store.read() as connection:
            rows = connection.execute(said.join(EVENT, EVENT.c.id == DECISION.c.event_id)).all()
        return {(row[0], row[1]): (row[2], row[3], json.loads(row[4])) for row in rows}

    def reason(self, event_id: str = "e-1", destination: str = "acme") -> str:
        """Why it is held; empty where it is owed."""
        return self.decisions()[event_id, destination][1]

    def deliver(self, until: Sequence[str] = ("done",)) -> None:
        deliver(self.store, until)


def store_event(connection: Connection, event: Event) -> int:
    """A row of `event`."""
    row = row_of(event) | {"received_at": NOON, "connection": "test", "withdrawn_by": None}
    return int(connection.execute(EVENT.insert().returning(EVENT.c.id), row).scalar_one())


def deliver(store: Store, until: Sequence[str] = ("done",)) -> None:
    """As a worker would, until every delivery is in one of these states."""
    books = Books(store)
    work(store, lambda: not set(books.states()) - set(until))
    assert not set(books.states()) - set(until), [one.error for one in books.attempts()]


def work(store: Store, is_done: Callable[[], bool]) -> None:
    """As a worker does, until then or for ten seconds."""
    worker = Deliverer(store, sender(store))
    for _ in range(200):
        if is_done():
            break
        if not worker.step():
            worker.wake.wait(0.05)
            worker.wake.clear()
    worker.finish()
