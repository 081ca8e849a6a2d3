"""Worlds whose truth is known, in families: most share the estimator's model, some do not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.random import Generator, default_rng

from skan_receiver.conversion import load_schema
from skan_receiver.conversion.arrays import CODES
from skan_receiver.estimation import Cells, Scale, Settings
from skan_receiver.simulator.days import Day, simulate
from skan_receiver.simulator.world import World as Simulated
from tests.estimation.people import PAST, TAIL_ERROR, Array, Nature, People, people, scale, valued
from tests.simulator.worlds import APP, scenario

# The schema's change: half of the installs have the second one half-way between these days.
CHANGE = (8, 12)


@dataclass(frozen=True)
class World:
    """What arrived, what it means, and what was really earned."""

    cells: Cells
    scales: list[Scale]
    truth: Array  # (groups,)
    settings: Settings

    def by_campaign(self) -> Array:
        """(campaigns,): what was really earned."""
        return np.bincount(self.cells.campaign, self.truth)


SAME_MODEL = {
    "alike": Nature(alike=400, payers_alike=400),
    "unalike": Nature(alike=8, payers_alike=15),
    "tiny, mostly withheld": Nature(campaigns=80, daily=(1.0, 6.0), publishers=1, tiers=(4, 6)),
    "mostly coarse": Nature(tiers=(4, 11)),
    "heavy tails": Nature(sigma=1.6, median=6.0, payers_alike=200),
    "schema change": Nature(change=True),
    "payers hide": Nature(tilt=0.7),
    "payers show": Nature(tilt=-0.7),
}
OTHER_MODEL = {
    "log-normal, random effects": Nature(alike=0),
    "log-normal, wild campaigns": Nature(alike=0, effects=(1.2, 0.7), sigma=1.4),
}
SIMULATOR = "simulator"
FAMILIES = (*SAME_MODEL, *OTHER_MODEL, SIMULATOR)


def world(family: str, seed: int, *, draws: int = 400, **changes: object) -> World:
    """One world of a family; `changes` to its nature, for smaller ones."""
    random = default_rng([seed, FAMILIES.index(family)])
    if family == SIMULATOR:
        return _simulated(seed, random, draws)
    nature = replace((SAME_MODEL | OTHER_MODEL)[family], **changes)  # type: ignore[arg-type]
    network_of = np.arange(nature.campaigns) % nature.networks
    those = people(nature, network_of, random)
    version = (random.random(len(those)) < _second(nature, random)[those.day]).astype(int)
    those = valued(those, version, random)
    scales = [scale(n, those.past, random) for n in range(1 + nature.change)]
    said = _second(nature, None)
    weights = np.column_stack([1 - said, said])[:, : len(scales)]
    settings = Settings(sensitivity=nature.tilt, draws=draws, seed=seed)
    return _counted(those, network_of, nature, weights, scales, settings)


def _second(nature: Nature, random: Generator | None) -> Array:
    """By day: the share that has the second schema; as said, or as it really went."""
    start, end = CHANGE
    days = np.arange(nature.days)
    said = np.clip((days - start + 0.5) / (end - start), 0, 1) * nature.change
    if random is None:
        return said
    shift = random.normal(0, 0.5, nature.days)
    odds = said / np.maximum(1 - said, 1e-12) * np.exp(shift)
    return np.where(said < 1, odds / (1 + odds), 1.0)


def _counted(
    those: People,
    network_of: Array,
    nature: Nature,
    weights: Array,
    scales: list[Scale],
    settings: Settings,
) -> World:
    group = those.campaign * nature.days + those.day
    n = nature.campaigns * nature.days
    campaign, day = np.divmod(np.arange(n), nature.days)
    fine, coarse, absent = counts(group, n, those, scales[0])
    cells = Cells.of(
        fine,
        coarse=coarse,
        absent=absent,
        campaign=campaign,
        network=network_of[campaign],
        period=day,
        weights=weights[day],
    )
    return World(cells, scales, np.bincount(group, those.amount, minlength=n), settings)


def counts(group: Array, n: int, those: People, of: Scale) -> tuple[Array, Array, Array]:
    """Fine, coarse and absent counts, by what each install's tier tells."""
    fine, coarse = np.zeros((n, len(of)), int), np.zeros((n, 3), int)
    told, partly = those.tier >= 2, those.tier == 1
    np.add.at(fine, (group[told], those.value[told]), 1)
    # Both schemas have the coarse value begin at the same amount: 0, 10.
    level = np.select([those.amount == 0, those.amount < 10], [0, 1], 2)
    np.add.at(coarse, (group[partly], level[partly]), 1)
    return fine, coarse, np.bincount(group[those.tier == 0], minlength=n)


SCHEMA = f"""
app: {APP}
currency: USD
events:
  registration:
  session:
  purchase: {{revenue: iap}}
windows:
  0:
    fine:
      model: revenue
      revenue: iap
      edges: [0, 2, 5, 10, 20, 40, 80]
      bounds: "(]"
      tail: {{mean: 120}}
    coarse_for_fine: {{low: 0, medium: 1-3, high: 4-7}}
"""


def _simulated(seed: int, random: Generator, draws: int) -> World:
    """Users, phones and Apple as the simulator plays them; sums of campaigns over ten days."""
    campaigns = [
        {
            "network": f"{('one', 'two')[n % 2]}.skadnetwork",
            "source": f"{1000 + n}",
            "daily": float(np.exp(random.uniform(2.0, 4.5))),
            "behaviour": f"kind {n % 5}",
            "publishers": {1234567891: 2, 1234567892: 1},
        }
        for n in range(30)
    ]
    apple = {"mix": {"4.0": 0.6, "adattributionkit": 0.4}, "tiers": (5, 9, 30)}
    told = scenario(*campaigns, apple=apple, days=10, behaviours=dict(_kinds(random)))
    schema = load_schema(SCHEMA)
    simulated = Simulated(told, {APP: ((date(2026, 1, 1), schema),)}, seed)
    parts = [_seen(simulate(simulated, day)) for day in range(told.days)]
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _COLUMNS}
    those = People(**joined)
    group, n = those.campaign, len(campaigns)
    fine, coarse, absent = counts_by_level(those, group, n)
    networks = np.arange(n) % 2
    cells = Cells.of(fine, coarse=coarse, absent=absent, campaign=np.arange(n), network=networks)
    past = np.exp(np.log(8) + random.standard_normal(PAST))  # of another quarter
    means: dict[int | str, float] = {
        7: past[past > 80].mean() * np.exp(TAIL_ERROR * random.standard_normal())
    }
    of = Scale.of(schema, 0, "iap", means=means)
    truth = np.bincount(group, those.amount, minlength=n)
    return World(cells, [of], truth, Settings(draws=draws, seed=seed))


_COLUMNS = ("campaign", "day", "tier", "amount", "value")


def _kinds(random: Generator) -> Iterator[tuple[str, object]]:
    for n in range(5):
        money = {"median": float(random.uniform(4, 12)), "sigma": 0.9}
        buys = {"share": float(random.uniform(0.05, 0.35)), "per_active_day": 0.5, "revenue": money}
        yield f"kind {n}", {"events": {"session": {"per_active_day": 1.0}, "purchase": buys}}


def _seen(day: Day) -> People:
    """Window 0's winners: what arrived of each, and what it had earned by then."""
    rows = day.postbacks[(day.postbacks["window"] == 0) & day.postbacks["won"]]
    at = rows["install"] - (day.number << 32)
    early = day.deeds.hours < day.held[0].closed[day.deeds.user]
    earned = np.bincount(
        day.deeds.user[early], day.deeds.revenue[early], minlength=len(day.installs)
    )
    tier = np.minimum(rows["tier"], 2)
    return People(day.installs["campaign"][at].astype(int), at, tier, earned[at], rows["value"])


def counts_by_level(those: People, group: Array, n: int) -> tuple[Array, Array, Array]:
    """As `conversion.arrays` codes what arrived."""
    fine, coarse = np.zeros((n, 64), int), np.zeros((n, 3), int)
    told, partly = those.tier == 2, those.tier == 1
    np.add.at(fine, (group[told], those.value[told]), 1)
    np.add.at(coarse, (group[partly], those.value[partly].astype(int) - CODES["low"]), 1)
    return fine, coarse, np.bincount(group[those.tier == 0], minlength=n)


__all__ = ["FAMILIES", "OTHER_MODEL", "SAME_MODEL", "SIMULATOR", "Array", "World", "world"]
