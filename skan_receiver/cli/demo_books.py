"""What an operator has beside postbacks: names of campaigns, costs, rates, and an MMP's report.

Made up from the scenario, so that every report of the demo has something to say.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import select

from skan_receiver.simulator.scenario import Campaign, Scenario
from skan_receiver.storage import Store, StoredPostback
from skan_receiver.storage.campaign_import import import_campaigns
from skan_receiver.storage.campaigns import Entry
from skan_receiver.storage.columns import table
from skan_receiver.storage.costs import Spent, import_costs
from skan_receiver.storage.rates import Quote, import_rates
from skan_receiver.storage.statement_import import import_statement
from skan_receiver.storage.statement_reading import Asked

DAY = timedelta(days=1)
STATEMENT = "demo-mmp"
MILLION = 1_000_000

# What an MMP loses of the first postbacks, and counts of the later ones, as shares.
LOST, COUNTED_LATER = 0.04, 0.05
ZONE = ZoneInfo("Europe/Berlin")

POSTBACK = table(StoredPostback)


def fill_books(store: Store, scenario: Scenario, folder: Path, now: datetime) -> None:
    """Import it all; the statement's file stays in `folder`."""
    days = [scenario.start + n * DAY for n in range(scenario.days + 1)]
    import_campaigns(store, list(_campaigns(scenario)), replace=False)
    import_costs(store, list(_costs(scenario, days)), replace=False)
    import_rates(store, [_rate(day) for day in days])
    path = folder / "statement.csv"
    _write_statement(store, path)
    import_statement(store, path, Asked(name=STATEMENT, zone=ZONE.key), now)


def _campaigns(scenario: Scenario) -> Iterator[Entry]:
    """Each by its source identifier, and by the two digits of it that SKAdNetwork 3 sends, where
    no other campaign has them too."""
    short = Counter(map(_short, scenario.campaigns))
    for campaign in scenario.campaigns:
        names = {
            "ad_network_id": campaign.network,
            "app_id": campaign.app,
            "campaign_id": campaign_id(campaign),
            "campaign_name": campaign.name,
            "country": max(campaign.countries, key=lambda code: campaign.countries[code]),
            "starts_on": scenario.start - 60 * DAY,
        }
        yield Entry(**names, source_identifier=campaign.source)  # type: ignore[arg-type]  # of several types
        if short[_short(campaign)] == 1:
            digits = int(campaign.source[-2:])
            yield Entry(**names, skan_campaign_id=digits)  # type: ignore[arg-type]


def _short(campaign: Campaign) -> tuple[object, ...]:
    return campaign.network, campaign.app, campaign.source[-2:]


def campaign_id(campaign: Campaign) -> str:
    """As its network calls it."""
    return f"c-{campaign.source}"


def _costs(scenario: Scenario, days: list[date]) -> Iterator[Spent]:
    """Of each campaign and day, about its price an install; a network's account has a zone."""
    random = Random(1)  # noqa: S311  # made-up numbers, the same each time
    for campaign in scenario.campaigns:
        network = scenario.network(campaign)
        for day in days[:-1]:
            installs = round(campaign.daily * random.uniform(0.8, 1.2))
            spent = Spent(
                ad_network_id=campaign.network,
                app_id=campaign.app,
                campaign_id=campaign_id(campaign),
                campaign_name=campaign.name,
                day=day,
                zone=network.zone,
                currency=network.currency,
                micros=round(installs * campaign.price * random.uniform(0.9, 1.1) * MILLION),
                impressions=installs * random.randint(300, 500),
                clicks=installs * random.randint(8, 14),
                installs=installs,
            )
            if spent.micros:
                yield spent


def _rate(day: date) -> Quote:
    wave = (day.toordinal() % 30 - 15) / 1000
    return Quote(base="EUR", currency="USD", day=day, rate=round(1.08 + wave, 4), source="made up")


def _write_statement(store: Store, path: Path) -> None:
    """What an MMP would have counted: not all of it, redownloads and some later windows too, and
    by its own days."""
    random = Random(2)  # noqa: S311  # likewise
    kept = (
        POSTBACK.c.did_win,
        POSTBACK.c.verdict == "development",
        POSTBACK.c.collides_with.is_(None),
        POSTBACK.c.conversion_type.is_not(None),
    )
    with store.read() as connection, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("transaction_id", "day", "ad_network_id", "app_id"))
        for row in connection.execute(select(POSTBACK).where(*kept).order_by(POSTBACK.c.id)):
            share = COUNTED_LATER if row.window else 1 - LOST
            if random.random() < share:
                day = row.received_at.astimezone(ZONE).date()
                writer.writerow((row.postback_id, day, row.ad_network_id, row.app_id))
