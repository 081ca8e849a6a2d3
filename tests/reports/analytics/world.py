"""A small world for expressions: three apps, four months, schemas that change under way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from skan_receiver.storage import Registered, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, publish
from tests.conversion.schemas import rules, text
from tests.receiving import Receiver

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)

FIRST = text(
    rules(
        "value: 30, when: [{event: purchase, at_least: 2, revenue: {at_least: 9, at_most: 20}}]",
        "value: 20, when: [{event: purchase, exactly: 1}, {revenue: total, at_most: 5}]",
        "value: 5, when: [{event: registration}]",
        "value: 3, when: [{revenue: iap, at_least: 100}]",
    ),
    "  lock: {fine: 20}\n"
    "2:\n  coarse: {model: rules, rules: [{value: high, when: [{event: purchase}]}]}",
)
SECOND = text(
    rules(
        "value: 30, when: [{event: purchase, at_least: 3}, {revenue: total, at_least: 50}]",
        "value: 20, when: [{event: purchase, exactly: 2}, {revenue: total, at_most: 7}]",
    ),
    "  lock: {fine: 30}",
)


def filled(store: Store, postbacks: int = 400) -> Receiver:
    """A receiver that received them."""
    receiver = Receiver(store)
    publish(store, Publication(FIRST, effective_from=START), START)
    later = Publication(SECOND, effective_from=START + 40 * DAY, rollout_hours=100)
    publish(store, later, START + 39 * DAY)
    receiver.now = START
    random = Random(1)
    for _ in range(postbacks):
        receiver.later(hours=7)
        receiver.receive(_postback(receiver, random), endpoint=random.choice(("network", "import")))
    receiver.receive({**receiver.signer.skadnetwork("3.0"), "app-id": 1})
    ours = [{"kind": "app", "value": str(app), "name": ""} for app in (42, 7)]
    store.write(lambda connection: connection.execute(table(Registered).insert(), ours))
    receiver.settle()
    return receiver


def _postback(receiver: Receiver, random: Random) -> dict[str, Any]:
    version = random.choice(("4.0", "4.0", "4.0", "3.0", "2.2"))
    said: dict[str, Any] = {
        "app_id": random.choice((42, 42, 42, 7, 9)),
        "redownload": random.random() < 0.2,
    }
    if version != "2.2" and random.random() < 0.1:
        said["did_win"] = False
    elif random.random() < 0.8:
        said["conversion_value"] = random.choice((30, 20, 5, 3, 60))
    if version == "4.0" and random.random() < 0.3:
        said.pop("conversion_value", None)
        said["postback_sequence_index"] = random.choice((1, 2))
        said["coarse_conversion_value"] = random.choice(("low", "high"))
    if version == "4.0":
        said["source_identifier"] = str(random.choice((7, 12, 512, 4512, 3512)))
        said["country_code"] = random.choice(("DE", "US"))
    return dict(receiver.signer.skadnetwork(version, **said))


def folder_of(path: Path) -> Path:
    """Where the export of a world is."""
    return path / "export"
