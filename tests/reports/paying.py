"""A month in which two networks were paid, in two currencies, and what came of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.reports.period import zone_named
from skan_receiver.storage import Store
from skan_receiver.storage.costs import Spent, import_costs
from skan_receiver.storage.rates import Quote, import_rates
from skan_receiver.storage.schemas import Publication, publish
from tests.conversion.schemas import rules, text
from tests.receiving import NOON, Receiver

MONTH = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

# 20 is an interval with the middle 5, 30 one with the middle 15, both in dollars.
SCHEMA = text(
    rules(
        "value: 30, when: [{event: purchase, at_least: 2}, {revenue: total, at_least: 10,"
        " at_most: 20}]",
        "value: 20, when: [{event: purchase, exactly: 1}, {revenue: total, at_least: 4,"
        " at_most: 6}]",
        "value: 5, when: [{event: registration}]",
    ),
)


def schema(store: Store, written: str = SCHEMA) -> None:
    publish(store, Publication(written), NOON - 365 * DAY)


def received(receiver: Receiver, *values: int | str | None, **members: Any) -> None:
    """Postbacks of app 42 with these values; a text is a coarse one."""
    for value in values:
        name = "coarse_conversion_value" if isinstance(value, str) else "conversion_value"
        said = {} if value is None else {name: value}
        body = receiver.signer.skadnetwork("4.0", **{"app_id": 42, **members, **said})
        receiver.receive(body)
    receiver.settle()


def spend(store: Store, amount: float, day: date, **other: Any) -> None:
    known: dict[str, Any] = {
        "ad_network_id": "example123.skadnetwork",
        "app_id": 42,
        "zone": "UTC",
        "currency": "USD",
    }
    row = Spent(**known | other, day=day, micros=round(amount * 1_000_000))
    import_costs(store, [row], replace=False)


def quoted(store: Store, rates: dict[date, float], currency: str = "USD") -> None:
    """Of a currency, against the euro."""
    rows = [Quote(base="EUR", currency=currency, day=day, rate=rate) for day, rate in rates.items()]
    import_rates(store, rows)


def asked(
    store: Store, name: str, *by: str, period: Period = MONTH, zone: str = "UTC", **other: Any
) -> list[dict[str, Any]]:
    """The rows of a report."""
    filters = Filters(**other.pop("filters", {}))
    period = Period(period.start, period.end, zone_named(zone))
    question = Question(period=period, by=by, filters=filters, **other)
    with store.read() as connection:
        return REPORTS[name].table(connection, question)
