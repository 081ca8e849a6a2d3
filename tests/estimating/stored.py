"""Postbacks in a store to estimate from, and what the reports say of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from skan_receiver.estimating import Wanted, estimate_all, turn
from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.storage import Store
from skan_receiver.storage.schemas import Publication, publish
from tests.receiving import NOON, Receiver

DAY = timedelta(days=1)

SCHEMA = """
app: 42
currency: USD
events: {purchase: {revenue: iap}}
windows:
  0:
    fine:
      model: revenue
      revenue: iap
      edges: [0, 5, 20]
      bounds: "(]"
      tail: {mean: 35}
    coarse_for_fine: {low: 0, medium: 1, high: 2-3}
  1:
    coarse: {model: revenue, revenue: iap, edges: [0, 5], bounds: "(]", tail: {mean: 14}}
"""
WITHOUT_TAIL = SCHEMA.replace("      tail: {mean: 35}\n", "")

# Monday: the first day of a week.
MONDAY = NOON.replace(day=2)
MONTH = Period(MONDAY.replace(hour=0, minute=0), NOON.replace(hour=0, minute=0) + DAY)

FEW = Wanted(days=28, draws=60)


def published(store: Store, text: str = SCHEMA) -> None:
    publish(store, Publication(text), NOON - 90 * DAY, back_dated=True)


def received(receiver: Receiver, days: int = 21, **more: Any) -> None:
    """Three weeks of two networks and three sources, of which a part is withheld."""
    for day in range(days):
        receiver.now = MONDAY + day * DAY
        receiver.receive(*_bodies(receiver, day, **more))
    receiver.now = NOON
    receiver.settle()


def _bodies(receiver: Receiver, day: int, **more: Any) -> Iterator[Any]:
    skan = partial(receiver.signer.skadnetwork, "4.0", **{"app_id": 42, **more})
    for network, source in (("one", "5239"), ("one", "7701"), ("two", "39")):
        told = {"ad_network_id": f"{network}.skadnetwork", "source_identifier": source}
        shown = {"conversion_value": day % 4} if len(source) == 4 else {}
        yield skan(**told, **shown)
        yield skan(**told, **shown | ({"conversion_value": 0} if shown else {}))
        yield skan(**told | {"source_identifier": source[-2:]})
    low = {"coarse_conversion_value": "high", "postback_sequence_index": 1}
    yield skan(ad_network_id="one.skadnetwork", source_identifier="39", **low)


def estimated(
    store: Store, wanted: Wanted = FEW, *, now: datetime = NOON, app_id: int | None = None
) -> list[Any]:
    """What `estimate` makes."""
    with turn(store, clock=lambda: now) as keep:
        return list(estimate_all(store, wanted, keep, app_id=app_id, clock=lambda: now))


def rows(store: Store, name: str, *by: str, period: Period = MONTH, **filters: Any) -> list[Any]:
    """The rows of a report; without `by` those of everything."""
    with store.read() as connection:
        return list(
            REPORTS[name].rows(
                connection, Question(period=period, by=by, filters=Filters(**filters))
            )
        )
