"""How long each rule of the alerts takes over a year of 10 M postbacks, on each store.

    python -m benchmarks.alerts [--postbacks 10000000] [--stores sqlite,postgres]

The world is that of `benchmarks.dashboard`, looked at on its last day; each schema was changed
within the week, and one network has been silent for three days, so that no rule gets off lightly.
"""

import argparse
import json
import statistics
import time
from datetime import timedelta

from sqlalchemy import select

from benchmarks.dashboard import SCHEMA, fill
from benchmarks.deliver import STORES, quiet, store
from benchmarks.world import APPS, START, draw
from skan_receiver.alerting.rule import Sight
from skan_receiver.alerting.rules import RULES
from skan_receiver.config import Settings
from skan_receiver.storage import CountCell, CountHour, CountVolume, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, publish

NOW = START + timedelta(days=364, hours=12)
CELL, HOUR, VOLUME = table(CountCell), table(CountHour), table(CountVolume)
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postbacks", type=int, default=10_000_000)
    parser.add_argument("--stores", default=",".join(STORES))
    arguments = parser.parse_args()
    quiet()
    world = draw(arguments.postbacks)
    for name in arguments.stores.split(","):
        with store(name) as fresh:
            fill(fresh, world)
            trouble(fresh)
            print(json.dumps({"store": name, **{rule: asked(fresh, rule) for rule in RULES}}))


def trouble(fresh: Store) -> None:
    """New versions, and a network that stopped."""
    written = SCHEMA.read_text()
    for app_id in APPS:
        for days in (300, 4):
            text = written.replace("app: 1000000003", f"app: {app_id}")
            text = text.replace("mean: 45", f"mean: {40 + days}")
            publish(fresh, Publication(text, NOW - timedelta(days=days)), START, back_dated=True)
    with fresh.read() as connection:
        network = connection.scalar(select(CELL.c.ad_network_id).limit(1))
    of_it = select(CELL.c.id).where(CELL.c.ad_network_id == network).scalar_subquery()
    since = NOW - timedelta(days=3)
    for grain, late in ((HOUR, HOUR.c.hour >= since), (VOLUME, VOLUME.c.day >= since.date())):
        gone = grain.delete().where(late, grain.c.cell.in_(of_it))
        fresh.write(lambda connection, gone=gone: connection.execute(gone))  # type: ignore[misc]


def asked(fresh: Store, name: str) -> dict[str, int]:
    """What a rule finds, and the median of the milliseconds it takes."""
    rule, took, found = RULES[name], [], 0
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        with fresh.read() as connection:
            found = len(list(rule.look(Sight(connection, Settings(), NOW, rule.usual))))
        took.append(time.perf_counter() - begun)
    return {"ms": round(statistics.median(took) * 1e3), "found": found}


if __name__ == "__main__":
    main()
