"""A destination does not take what it is owed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, text

from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.storage import Delivery, StoredDestination
from skan_receiver.storage.alerts import CRITICAL, WARNING
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD

DELIVERY, DESTINATION = table(Delivery), table(StoredDestination)

LATELY = timedelta(hours=24)

# Written out, as the index of these few rows has it.
_DEAD = text(f"delivery.state = '{DEAD}'")


def look(sight: Sight) -> Iterator[Finding]:
    """Each destination that has failed for long, was paused by us, or has new dead letters."""
    rows = list(sight.connection.execute(select(DESTINATION).order_by(DESTINATION.c.name)))
    dead = _dead(sight, [row.name for row in rows])
    for row in rows:
        n = dead.get(row.name, 0)
        shut = row.paused and row.paused_because
        said = list(_said(sight, row, n))
        if said:
            severity = CRITICAL if shut or n else WARNING
            yield Finding(row.name, f"{row.name}: {'; '.join(said)}.", n or None, severity)


def _said(sight: Sight, row: Any, dead: int) -> Iterator[str]:
    if row.paused and row.paused_because:
        yield f"was paused, and what it is owed waits: {row.paused_because}"
    failing = sight.now - row.failing_since if row.failing_since else timedelta()
    if not row.paused and failing >= timedelta(hours=sight.limits["hours"]):
        hours = failing / timedelta(hours=1)
        yield f"has taken nothing since {row.failing_since:%d %b, %H:%M} UTC, {hours:.1f} hours ago"
    if dead >= sight.limits["dead"]:
        plural = "deliveries were" if dead > 1 else "delivery was"
        yield f"{dead:,} {plural} given up in the last 24 hours"


def _dead(sight: Sight, names: list[str]) -> dict[str, int]:
    given_up = (
        select(DELIVERY.c.destination, func.count())
        .where(_DEAD, DELIVERY.c.destination.in_(names))
        .where(DELIVERY.c.settled_at >= sight.now - LATELY)
        .group_by(DELIVERY.c.destination)
    )
    return dict(tuple(row) for row in sight.connection.execute(given_up))


DELIVERY_FAILING = Rule(
    "delivery_failing",
    "Deliveries fail",
    "A destination has failed for long, was paused because it kept failing, or deliveries to it "
    "were given up.",
    "See what it answers on its page; once that is mended, resume it and replay what was given up.",
    look,
    (
        Limit("hours", 1, "Failing for at least", "hours", least=0, most=720),
        Limit("dead", 1, "Given up in 24 hours at least", "deliveries", most=1_000_000),
    ),
)
