"""An event to try a destination with: a stored one as it was decided, or one that is made up."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, select

from skan_receiver.delivery.destinations import EventDestination
from skan_receiver.delivery.destinations.mapping import ANY
from skan_receiver.delivery.firsts import DECISION, EVENT, IS_ITS_OWN, OWED
from skan_receiver.errors import SkanError
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
from skan_receiver.storage.event_rows import row_of

# Addresses and identifiers that are nobody's: RFC 5737, and a UUID of F.
NOBODY = Person(
    customer_user_id="a-test-of-skan-receiver",
    mmp_user_id="a-test-of-skan-receiver",
    click_id="a-test-of-skan-receiver",
    ip="192.0.2.1",
    user_agent="skan-receiver (a test)",
)
NO_DEVICE = "FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF"

WORTH, CURRENCY = Decimal("9.99"), "USD"


class NothingToSend(SkanError):
    """What was asked for is not there, or is not owed to the destination."""


def subject(
    connection: Connection, destination: EventDestination, event_id: int | None = None
) -> Any:
    """What to try it with: a row of `event` with its decision. NothingToSend where it is held."""
    if event_id is None:
        return _row(made_up(destination))
    mine = DECISION.c.event_id == EVENT.c.id, DECISION.c.destination == destination.name
    decided = select(*EVENT.c, DECISION.c.withheld, DECISION.c.outcome, DECISION.c.reason)
    row = connection.execute(
        decided.join(DECISION, mine[0]).where(mine[1], IS_ITS_OWN, EVENT.c.id == event_id)
    ).first()
    if row is None:
        why = f"there is no event {event_id} that was decided of for {destination.name!r}"
        raise NothingToSend(f"{why}: see `events list`, or leave it out for one that is made up")
    if row.outcome != OWED:
        raise NothingToSend(f"event {event_id} is held: {row.reason}")
    return row


def made_up(destination: EventDestination) -> Event:
    """One that the destination would be sent, of nobody, who consented to everything."""
    ios = destination.platform is not Platform.ANDROID
    ids = {"idfa": NO_DEVICE, "idfv": NO_DEVICE} if ios else {"gaid": NO_DEVICE.lower()}
    name = next((one.name for one in destination.events if one.name != ANY), "test")
    now = datetime.now(UTC)
    sources = destination.media_sources
    event = Event(
        provider="own",
        event_id="a test",
        kind=Kind.EVENT,
        name=name,
        at=now,
        app_id=next(iter(destination.apps), None) if ios else None,
        bundle_id=next(iter(destination.bundle_ids), "com.example.test"),
        platform=Platform.IOS if ios else Platform.ANDROID,
        installed_at=now,
        revenue=WORTH,
        currency=CURRENCY,
        order_id="a-test",
        person=replace(NOBODY, **ids),
        attribution=Attribution(is_attributed=True, media_source=next(iter(sources), None)),
        signals=Signals(att=Att.AUTHORIZED if ios else None, ad_user_data=True,
                        ad_personalization=True, gdpr_applies=False),
        device=Device(os_version="18.1", app_version="1.0", model="test", sdk_version="1.0"),
    )  # fmt: skip
    if destination.events:
        return event
    kind = destination.other_kinds[0]
    return replace(event, kind=kind, name=kind.value, revenue=None, currency=None, order_id=None)


def _row(event: Event) -> Any:
    return SimpleNamespace(**row_of(event), id=0, withdrawn_by=None, withheld=json.dumps({}))
