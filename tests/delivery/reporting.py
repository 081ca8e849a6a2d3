"""Destinations of reports, and a past for them: windows are due by the database's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, update

from skan_receiver.delivery.destinations import ReportDestination
from skan_receiver.delivery.edition import Edition, edition
from skan_receiver.delivery.facts import Values, of_window
from skan_receiver.delivery.registry import put
from skan_receiver.delivery.window_spans import Span, containing
from skan_receiver.delivery.windows import make_windows
from skan_receiver.storage import Delivery, ReportWindow, Store, StoredDestination
from skan_receiver.storage.columns import table
from tests.receiving import Receiver

DESTINATION, WINDOW, DELIVERY = table(StoredDestination), table(ReportWindow), table(Delivery)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def report(name: str = "numbers", **fields: Any) -> ReportDestination:
    """A report to oneself, made as soon as its time is over."""
    usual = {"partner": "own", "url": "https://partner.example/in", "wait_minutes": 0}
    wanted: dict[str, Any] = {**usual, **fields}
    if "file" in fields and "url" not in fields:
        del wanted["url"]
    return ReportDestination(name=name, **wanted)


def this_hour() -> datetime:
    """When the hour began that it is now."""
    return containing("hour", datetime.now(UTC)).start


def define(store: Store, *destinations: ReportDestination, ago: timedelta) -> None:
    """Have these destinations, as if they had been there for a while."""
    put(store, [(one, None) for one in destinations])
    since = datetime.now(UTC) - ago
    store.write(lambda connection: connection.execute(update(DESTINATION).values(since=since)))


def all_windows(receiver: Receiver) -> list[Any]:
    """Make all that are due; every one there is, as it was made."""
    while make_windows(receiver.store, receiver.settings):
        pass
    return windows(receiver.store)


def windows(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(WINDOW).order_by(WINDOW.c.id)))


def owed(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(DELIVERY).order_by(DELIVERY.c.id)))


def receive(receiver: Receiver, at: datetime, count: int = 1, **members: Any) -> None:
    """Postbacks that arrived then, and are counted."""
    receiver.now = at
    said: Mapping[str, Any] = {"conversion_value": 20, **members}
    receiver.receive(*(receiver.signer.skadnetwork("4.0", **said) for _ in range(count)))
    receiver.settle()


def edition_of(
    store: Store, destination: ReportDestination, span: Span, as_of: datetime
) -> Edition:
    """What a window says, as of then."""
    with store.read() as connection:
        return edition(connection, destination, span, as_of)


def values_of(made: Edition, span: Span) -> Values:
    """What its macros stand for."""
    row = SimpleNamespace(content=made.content, start=span.start, end=span.end, revision=0)
    return of_window(row)  # type: ignore[arg-type]  # as a row


def issued(store: Store, destination: ReportDestination, moment: datetime) -> Values:
    """What is sent of the window of a moment, as it ends."""
    span = containing(destination.length, moment)
    values = values_of(edition_of(store, destination, span, span.end), span)
    return {"delivery_id": f"00_{destination.name}", "destination": destination.name, **values}
