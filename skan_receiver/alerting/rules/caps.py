"""What is kept of bodies that nobody vouches for is nearly full."""

from collections.abc import Iterator

from sqlalchemy import select

from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.storage import Usage
from skan_receiver.storage.alerts import CRITICAL, WARNING
from skan_receiver.storage.columns import table

USAGE = table(Usage)

NAMES = {
    "invalid": "Invalid postbacks",
    "quarantine": "The quarantine",
    "quarantine-mmp": "The quarantine of what MMPs tell",
}


def look(sight: Sight) -> Iterator[Finding]:
    """Each cap that is nearly reached: at it, what comes next is dropped."""
    settings = sight.settings
    caps = {"invalid": (settings.invalid_rows, settings.invalid_bytes), **settings.quarantine_caps}
    for kind, (rows, size) in caps.items():
        used = sight.connection.execute(select(USAGE).where(USAGE.c.kind == kind)).one_or_none()
        if used is None or not rows or not size:
            continue
        full = 100 * max(used.rows / rows, used.bytes / size)
        if full >= sight.limits["full"]:
            yield Finding(
                kind,
                f"{NAMES[kind]}: {full:.0f}% of the room is used ({used.rows:,} of {rows:,} rows, "
                f"{used.bytes / 1e6:,.0f} of {size / 1e6:,.0f} MB). What comes at the cap is "
                "not kept.",
                full,
                severity=CRITICAL if full >= 99 else WARNING,
            )


CAPS = Rule(
    "caps",
    "Room runs out",
    "What is kept of invalid postbacks, or of bodies that cannot be read, is nearly at its cap.",
    "See where they come from. The command skan-receiver reread takes out of the quarantine what "
    "this release can read; SKAN_INVALID_ROWS, SKAN_QUARANTINE_ROWS and their bytes make room.",
    look,
    (Limit("full", 90, "Full by", "%"),),
)
