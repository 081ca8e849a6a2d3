"""What came is not counted."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.storage import Fresh
from skan_receiver.storage.alerts import CRITICAL
from skan_receiver.storage.columns import table

FRESH = table(Fresh)


def look(sight: Sight) -> Iterator[Finding]:
    """The oldest postback that waits to be counted, where it waits for long."""
    oldest = sight.connection.scalar(select(FRESH.c.at).order_by(FRESH.c.id).limit(1))
    if oldest is None:
        return
    waits = (sight.now - oldest) / timedelta(minutes=1)
    if waits >= sight.limits["minutes"]:
        yield Finding(
            "settle",
            f"Postbacks have waited to be counted for {waits:,.0f} minutes; usual is a second. "
            "They are stored; reports and destinations do not have them yet.",
            waits,
            CRITICAL,
        )


BACKLOG = Rule(
    "backlog",
    "Postbacks wait",
    "Postbacks that are stored have waited for minutes to be counted and delivered.",
    "Read the worker's log: another process may hold the database, or more comes than it settles.",
    look,
    (Limit("minutes", 5, "Waiting for at least", "minutes", most=1440),),
)
