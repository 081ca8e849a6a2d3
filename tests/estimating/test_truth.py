"""From phones to reports: what really happened is in the intervals as often as they say."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from skan_receiver.cli.simulated import to_database
from skan_receiver.config import Settings
from skan_receiver.conversion import load_schema
from skan_receiver.estimating import Wanted
from skan_receiver.reports import Period
from skan_receiver.settle import settle
from skan_receiver.simulator.days import simulate
from skan_receiver.simulator.keys import PUBLIC, make_keys
from skan_receiver.simulator.run import Run
from skan_receiver.simulator.world import World
from skan_receiver.storage import Store
from skan_receiver.storage.schemas import Publication, publish
from tests.estimating.stored import estimated, rows
from tests.estimation.worlds import SCHEMA, _seen
from tests.simulator.worlds import APP, scenario

DAY = timedelta(days=1)
START = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
DAYS, CAMPAIGNS = 14, 16

# All postbacks of window 0 have arrived.
NOW = START + (DAYS + 10) * DAY


def simulated() -> World:
    """Small crowds, a part of which is withheld. Two networks have eight sources each."""
    campaigns = [
        {
            "network": ("one", "two")[n % 2] + ".skadnetwork",
            "source": f"52{10 + n}",
            "daily": 12.0 + 3 * n,
            "publishers": {1234567891: 2, 1234567892: 1},
        }
        for n in range(CAMPAIGNS)
    ]
    apple = {"mix": {"4.0": 0.6, "adattributionkit": 0.4}, "tiers": (14, 22, 45)}
    told = scenario(*campaigns, apple=apple, days=DAYS)
    return World(told, {APP: ((date(2026, 1, 1), load_schema(SCHEMA)),)}, 5)


def truth(world: World) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """By campaign, what was earned; by day, who installed: winners of window 0 alone."""
    parts = [_seen(simulate(world, day)) for day in range(DAYS)]
    earned = np.zeros(CAMPAIGNS)
    for part in parts:
        np.add.at(earned, part.campaign, part.amount)
    return earned, np.array([len(part) for part in parts])


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url)
    yield store
    store.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_truth_is_in_the_intervals(tmp_path: Path, sqlite: Store, sqlite_url: str) -> None:
    """Of 16 sources, of all of them, and of the days that people installed on."""
    world = simulated()
    settings = Settings(
        database_url=sqlite_url,
        var=tmp_path,
        sandbox=True,
        test_keys=tmp_path / "simulator" / PUBLIC,
    )
    to_database(Run(world, make_keys(tmp_path / "simulator")), settings)
    store = sqlite
    publish(store, Publication(SCHEMA), START)
    while settle(store, settings, NOW):
        pass
    made = estimated(store, Wanted(days=28), now=NOW)
    earned, installed = truth(world)
    period = Period(START, NOW)

    of = rows(store, "revenue", "source_digits", period=period, window=0)
    (whole,) = rows(store, "revenue", period=period, window=0)
    days = rows(store, "installs", "day", period=Period(START, START + DAYS * DAY))
    (all_days,) = rows(store, "installs", period=Period(START - 7 * DAY, NOW))

    assert made[0].postbacks == installed.sum()
    assert whole.nulls > whole.postbacks / 20
    assert [row.source_digits for row in of] == [f"{10 + n}" for n in range(CAMPAIGNS)]
    held = [row.low <= true <= row.high for row, true in zip(of, earned, strict=True)]
    assert sum(held) >= 12  # 90 % of 16, and what luck may do to that
    assert whole.low <= earned.sum() <= whole.high
    # Who installs from one day on, and no longer from another, is seen as smoothly as delays are:
    # so the days within.
    within = list(zip(days, installed, strict=True))[3:-3]
    assert sum(row.low <= true <= row.high for row, true in within) >= 6  # of 8
    assert all_days.low <= installed.sum() <= all_days.high
