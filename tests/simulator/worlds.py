"""Small worlds: one app, few campaigns, whatever a test wants to know about."""

from pathlib import Path
from typing import Any

from skan_receiver.simulator.scenario import Scenario, load_schemas
from skan_receiver.simulator.world import World

ROOT = Path(__file__).parents[2]
APP = 525463029
SCHEMAS = ({"since": "2026-01-01", "file": "conversion_schemas/525463029.yaml"},)

EVENTS = {
    "registration": {"share": 0.5, "median_hours": 1.0},
    "session": {"per_active_day": 1.0},
    "purchase": {"share": 0.2, "per_active_day": 0.5, "revenue": {"median": 9.0}},
}

Campaign = dict[str, Any]


def scenario(
    *campaigns: Campaign,
    apple: dict[str, Any] | None = None,
    adversary: dict[str, Any] | None = None,
    days: int = 3,
    **changes: Any,
) -> Scenario:
    """A scenario with these campaigns, or with one large one."""
    of = {
        "app": APP,
        "network": "one.skadnetwork",
        "source": "5239",
        "daily": 1000,
        "publishers": {1234567891: 1},
        "behaviour": "players",
    }
    return Scenario.model_validate(
        {
            "name": "a test",
            "start": "2026-06-01",
            "days": days,
            "networks": [
                {"id": "one.skadnetwork"},
                {"id": "two.skadnetwork"},
                {"id": "three.skadnetwork", "ours": False},
            ],
            "apps": [{"id": APP, "schemas": SCHEMAS, "developer_copies": False}],
            "campaigns": [of | campaign for campaign in campaigns or ({},)],
            "behaviours": {"players": {"events": EVENTS}},
            "apple": apple or {},
            "adversary": adversary or {},
        }
        | changes
    )


def world(*campaigns: Campaign, seed: int = 1, **changes: Any) -> World:
    """The world of such a scenario."""
    told = scenario(*campaigns, **changes)
    return World(told, load_schemas(told, ROOT), seed)
