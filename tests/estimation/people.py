"""Made-up installs, one row each: who pays what, which value that is, and what Apple withholds."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from skan_receiver.estimation import Scale

Array = NDArray[Any]

# Two schemas: what pays nothing (six values, by engagement), then buckets, the last one open.
QUIET = 6
EDGES = ((0, 1, 2, 5, 10, 20, 50, 100), (0, 3, 6, 10, 25, 60, 120))
VALUES = QUIET + max(map(len, EDGES))

# How far the tail that the advertiser states is off: it is last quarter's mean.
TAIL_ERROR = 0.1
PAST = 200_000


@dataclass(frozen=True)
class Nature:
    """What a family of worlds is like."""

    campaigns: int = 40
    networks: int = 4
    days: int = 20
    daily: tuple[float, float] = (8.0, 40.0)  # installs of a campaign, evenly on a log scale
    publishers: int = 4
    tiers: tuple[int, int] = (5, 8)  # the crowd of a coarse value, and of a fine one
    paying: float = 0.12
    median: float = 8.0
    sigma: float = 1.0
    # How alike campaigns are: the concentration of their Dirichlet; 0: a random effect of its
    # own in the log-odds of paying and in the log of the median, no Dirichlet at all.
    alike: float = 30.0
    payers_alike: float = 60.0
    effects: tuple[float, float] = (0.7, 0.4)
    tilt: float = 0.0  # log-odds of paying behind absent values, relative to the campaign's
    change: bool = False  # of the schema, in the middle


@dataclass
class People:
    """Columns, a row per install."""

    campaign: Array
    day: Array
    tier: Array
    amount: Array
    value: Array = field(default_factory=lambda: np.zeros(0, int))
    past: Array = field(default_factory=lambda: np.zeros(0))  # what others paid last quarter

    def __len__(self) -> int:
        return len(self.campaign)


def people(nature: Nature, network_of: Array, random: Generator) -> People:
    """Everybody who installs, with amounts and tiers, and no values yet."""
    low, high = np.log(nature.daily)
    daily = np.exp(random.uniform(low, high, nature.campaigns))
    n = random.poisson(daily[:, None], (nature.campaigns, nature.days))
    campaign = np.repeat(np.arange(nature.campaigns), n.sum(axis=1))
    day = np.concatenate([np.repeat(np.arange(nature.days), of) for of in n])
    tier = crowd(campaign, day, random.integers(0, nature.publishers, len(day)), nature.tiers)
    if nature.alike:
        amount, past = _shared(nature, network_of, campaign, tier == 0, random)
    else:
        amount, past = _mixed(nature, campaign, random)
    return People(campaign, day, tier, amount, past=past)


def crowd(campaign: Array, day: Array, publisher: Array, tiers: tuple[int, int]) -> Array:
    """0, 1 or 2: by how many installs share a day, campaign and publisher."""
    keys = np.column_stack([campaign, day, publisher])
    _, which, size = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return np.searchsorted(tiers, size[which.reshape(-1)], side="right")


def _shared(
    nature: Nature, network_of: Array, campaign: Array, hidden: Array, random: Generator
) -> tuple[Array, Array]:
    """Payers and buckets from a hierarchy of Dirichlets; amounts within them log-normal."""
    pool = np.exp(np.log(nature.median) + nature.sigma * random.standard_normal(PAST))
    bucket = np.searchsorted(EDGES[0][1:], pool, side="right")
    share = np.array([1 - nature.paying, nature.paying])
    pays = _spread(share, nature.alike, network_of, random)[campaign, 1]
    tilted = pays * np.exp(nature.tilt) / (1 - pays + pays * np.exp(nature.tilt))
    payers = random.random(len(campaign)) < np.where(hidden, tilted, pays)
    base = np.bincount(bucket, minlength=len(EDGES[0])) / len(pool)
    shares = _spread(base, nature.payers_alike, network_of, random)
    drawn = (random.random((len(campaign), 1)) > shares.cumsum(axis=1)[campaign]).sum(axis=1)
    amount = np.zeros(len(campaign))
    for place in range(len(base)):
        here = np.flatnonzero(payers & (np.minimum(drawn, len(base) - 1) == place))
        amount[here] = random.choice(pool[bucket == place], len(here))
    return amount, pool


def _spread(base: Array, alike: float, network_of: Array, random: Generator) -> Array:
    networks = random.dirichlet(base * alike * 2 + 1e-3, network_of.max() + 1)
    drawn = random.standard_gamma(networks[network_of] * alike + 1e-6) + 1e-12
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def _mixed(nature: Nature, campaign: Array, random: Generator) -> tuple[Array, Array]:
    """Zero or log-normal, with random effects: nobody's model here."""
    on_share, on_median = (
        effect * random.standard_normal(nature.campaigns) for effect in nature.effects
    )
    odds = nature.paying / (1 - nature.paying) * np.exp(on_share[campaign])
    payers = random.random(len(campaign)) < odds / (1 + odds)
    logs = np.log(nature.median) + on_median[campaign]
    past = np.exp(random.choice(logs, PAST) + nature.sigma * random.standard_normal(PAST))
    return payers * np.exp(logs + nature.sigma * random.standard_normal(len(campaign))), past


def scale(version: int, past: Array, random: Generator) -> Scale:
    """What values say; the tail stated about right, as measured last quarter."""
    edges = np.array(EDGES[version], float)
    unused = np.zeros(VALUES - QUIET - len(edges))
    lower = np.concatenate([np.zeros(QUIET), edges, unused])
    upper = np.concatenate([np.zeros(QUIET), edges[1:], [np.inf], unused])
    excess = past[past >= edges[-1]].mean() - edges[-1]
    mean = np.full(VALUES, np.nan)
    mean[np.isinf(upper)] = edges[-1] + excess * np.exp(TAIL_ERROR * random.standard_normal())
    level = np.select([upper == 0, lower < 10], [0, 1], 2)
    return Scale.of_bounds(lower, upper, mean=mean, level=level)


def valued(those: People, version: Array, random: Generator) -> People:
    """With the value of each, under the schema its phone has."""
    engaged = np.minimum(random.geometric(0.4, len(those)) - 1, QUIET - 1)
    # The second schema counts engagement the other way round: versions can be told apart a bit.
    value = np.where(version == 0, engaged, QUIET - 1 - engaged)
    for number, edges in enumerate(EDGES):
        pays = (those.amount > 0) & (version == number)
        value[pays] = QUIET + np.searchsorted(edges[1:], those.amount[pays], side="right")
    return replace(those, value=value)
