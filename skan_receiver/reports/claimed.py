"""What a forwarder says of time: a claim, never a fact."""

import json
from datetime import UTC, datetime

# 1e11 seconds are the year 5138, and as milliseconds 1973: no network is as old as that.
MILLISECONDS = 10**11
NOT_BEFORE = datetime(2018, 1, 1, tzinfo=UTC)  # the year of the first postback


def claimed_time(claims: str) -> datetime | None:
    """When a forwarder says it was: its `timestamp`, in seconds or milliseconds, as a number or a
    text. None where it says nothing that can be so."""
    try:
        number = float(json.loads(claims)["timestamp"])
        at = datetime.fromtimestamp(number / 1000 if number >= MILLISECONDS else number, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return at if at >= NOT_BEFORE else None
