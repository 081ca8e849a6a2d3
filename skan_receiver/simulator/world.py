"""Who installs what on a day, where the ad was, and what their phone runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from skan_receiver.simulator.scenario import (
    LAYOUTS,
    WINDOWED,
    Campaign,
    Scenario,
    Schemas,
    load_scenario,
    load_schemas,
)

DAY_MS = 24 * 3_600_000
HOUR_MS = 3_600_000

CONVERSIONS = ("download", "redownload", "re-engagement")
DOWNLOAD, REDOWNLOAD, RE_ENGAGEMENT = range(3)

Array = NDArray[Any]

INSTALL = np.dtype(
    [
        ("number", "i8"),  # unique in a run
        ("at", "i8"),  # the first launch, milliseconds since 1970
        ("campaign", "u2"),
        ("publisher", "u2"),
        ("country", "u2"),
        ("layout", "u1"),
        ("conversion", "u1"),
        ("click", "?"),
        ("fetch_lag", "f4"),  # hours since the phone last asked for the schema
    ]
)


@dataclass(frozen=True)
class World:
    """A scenario with its schemas and a seed: everything else follows from these."""

    scenario: Scenario
    schemas: Schemas
    seed: int

    def random(self, day: int, purpose: int) -> Generator:
        """Random numbers for one purpose on one day, whoever asks and in whatever order."""
        return default_rng(SeedSequence(self.seed, spawn_key=(day, purpose)))

    def date(self, day: int) -> date:
        return self.scenario.start + timedelta(days=day)

    def begin_ms(self, day: int) -> int:
        """The first moment of a day."""
        return moment_ms(self.date(day))

    @cached_property
    def web(self) -> Array:
        """Which publishers are web sites."""
        return np.array([isinstance(p, str) for p in self.scenario.publishers])

    @cached_property
    def app_of(self) -> Array:
        """Each campaign's app, by its place in the scenario."""
        places = {app.id: place for place, app in enumerate(self.scenario.apps)}
        return np.array([places[c.app] for c in self.scenario.campaigns])

    @cached_property
    def network_of(self) -> Array:
        """Each campaign's network, by its place in the scenario."""
        places = {network.id: place for place, network in enumerate(self.scenario.networks)}
        return np.array([places[c.network] for c in self.scenario.campaigns])


def load_world(path: Path, seed: int, start: date | None = None) -> World:
    """The world of the scenario at `path`, beginning on its own day or on another."""
    scenario = load_scenario(path)
    if start is not None:
        scenario = scenario.model_copy(update={"start": start})
    return World(scenario, load_schemas(scenario, path.parent), seed)


def moment_ms(day: date) -> int:
    """Midnight, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def installs(world: World, day: int) -> Array:
    """The conversions of a day, re-engagements among them, by campaign and time."""
    random = world.random(day, 0)
    busy = world.scenario.weekend if world.date(day).weekday() >= 5 else 1.0
    parts = [
        part
        for number, campaign in enumerate(world.scenario.campaigns)
        for part in _of_campaign(world, number, campaign, busy, random)
    ]
    rows = np.concatenate(parts)
    rows["at"] += world.begin_ms(day)
    rows["number"] = (day << 32) + np.arange(len(rows))
    return rows


def _of_campaign(
    world: World, number: int, campaign: Campaign, busy: float, random: Generator
) -> tuple[Array, Array]:
    new = _conversions(world, number, int(random.poisson(campaign.daily * busy)), random)
    again = random.random(len(new)) < campaign.redownloads
    new["conversion"] = np.where(again, REDOWNLOAD, DOWNLOAD)

    # Only clicks re-engage, only AdAttributionKit knows of it, and only in apps.
    back = _conversions(world, number, int(random.poisson(campaign.re_engagements)), random)
    back = back[~world.web[back["publisher"]]]
    back["conversion"], back["layout"], back["click"] = RE_ENGAGEMENT, LAYOUTS.index(LAYOUTS[-1]), 1
    return new, back


def _conversions(world: World, number: int, n: int, random: Generator) -> Array:
    scenario = world.scenario
    campaign = scenario.campaigns[number]
    rows = np.zeros(n, INSTALL)
    rows["at"] = np.sort(random.integers(0, DAY_MS, n))
    rows["campaign"] = number
    rows["publisher"] = _chosen(campaign.publishers, scenario.publishers, n, random)
    rows["country"] = _chosen(campaign.countries, scenario.countries, n, random)
    rows["layout"] = _chosen(scenario.apple.mix, LAYOUTS, n, random)
    rows["click"] = random.random(n) < campaign.clicks
    rows["fetch_lag"] = random.random(n) * scenario.app(campaign).fetch_lag_hours
    # Ads on the web are SKAdNetwork 4's alone, and clicked on.
    web = world.web[rows["publisher"]]
    rows["layout"][web], rows["click"][web] = WINDOWED, True
    return rows


def _chosen(weights: Any, names: Sequence[Any], n: int, random: Generator) -> Array:
    """Places in `names`, drawn by weight."""
    places = np.array([names.index(name) for name in weights])
    cumulated = np.cumsum(list(weights.values()))
    drawn: Array = np.searchsorted(cumulated, random.random(n) * cumulated[-1], side="right")
    return places[drawn]
