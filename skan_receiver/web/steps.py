"""What is still to set up: each step with what was found, and where to do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from skan_receiver.config import Settings
from skan_receiver.delivery import registry
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.storage import Campaign, Registered, schemas
from skan_receiver.storage.columns import table

REGISTERED, CAMPAIGN = table(Registered), table(Campaign)

LATELY = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do once."""

    what: str
    said: str
    endpoint: str  # the page where it is done; empty: by a setting


def steps_left(connection: Connection, settings: Settings, now: datetime) -> Sequence[Step]:
    """What nobody has done yet, in the order in which it should be done."""
    return [step for step in _steps(connection, settings, now) if step is not None]


def _steps(connection: Connection, settings: Settings, now: datetime) -> Sequence[Step | None]:
    kinds = set(connection.scalars(select(REGISTERED.c.kind).distinct()))
    seen = _apps(connection, now)
    with_schema = {version.app_id for version in schemas.history(connection)}
    without = sorted(seen - with_schema)
    named = ", ".join(map(str, without[:3])) + (" and more" if len(without) > 3 else "")
    campaigns = connection.execute(select(CAMPAIGN.c.id).limit(1)).first()
    known, unreadable = registry.readable(connection)
    return (
        None
        if settings.public_url
        else Step("Say where people reach this", "SKAN_PUBLIC_URL is not set", ""),
        None
        if "app" in kinds
        else Step("Register your apps", "until then those of all count", "settings.registered"),
        Step("Give every app a schema", f"{named} has none", "schemas.listing")
        if without
        else None,
        None
        if campaigns
        else Step(
            "Name your campaigns",
            "reports say numbers for now",
            "campaigns.listing",
        ),
        None
        if known or unreadable
        else Step("Send results to somebody", "there is no destination", "destinations.listing"),
    )


def _apps(connection: Connection, now: datetime) -> set[int]:
    asked = Question(period=Period(now - LATELY, now), by=("app_id",))
    rows = REPORTS["volumes"].table(connection, asked)
    return {row["app_id"] for row in rows if row["counted"]}
