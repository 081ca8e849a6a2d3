"""Counts, rows and settings as they are where something is not well."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from skan_receiver.alerting.rule import Finding, Sight
from skan_receiver.alerting.rules import RULES
from skan_receiver.config import Settings
from skan_receiver.storage import Store
from tests.counted import write_counts

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def cell(at: datetime, n: int, value: int | None = 20, **members: Any) -> dict[str, Any]:
    """`n` first postbacks that came in the hour of `at`."""
    return {
        "app_id": 42,
        "ad_network_id": "a.example",
        "framework": "skadnetwork",
        "version": "4.0",
        "window": 0,
        "verdict": "valid",
        "counted": True,
        "conversion_type": "download",
        "did_win": True,
        "fine_value": value,
        "coarse_value": None,
        "hour": at,
        "n": n,
        **members,
    }


def daily(days: Sequence[int], n: int, value: int | None = 20, **members: Any) -> list[Any]:
    """The same at noon of each of so many days ago."""
    return [cell(MIDNIGHT - ago * DAY + 12 * HOUR, n, value, **members) for ago in days]


def plant(store: Store, *cells: Mapping[str, Any]) -> None:
    write_counts(store, cells)


def found(
    store: Store,
    rule: str,
    now: datetime = NOW,
    settings: Settings | None = None,
    **limits: float,
) -> list[Finding]:
    """What a rule says."""
    asked = RULES[rule]
    with store.read() as connection:
        sight = Sight(connection, settings or Settings(), now, {**asked.usual, **limits})
        return list(asked.look(sight))
