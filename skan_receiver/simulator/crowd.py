"""How much Apple tells: a postback's tier, by how many are like it.

Apple computes it from the advertised app, the publisher and the source identifier at 2, 3 and 4
digits: the highest tier wins, then the most digits; tiers 0 and 1 have 2. Its numbers, and over
which time it counts, are not published: here it is the installs of a day, and the scenario says
how many make a tier. A country has a crowd of its own.

https://developer.apple.com/documentation/adattributionkit/receiving-postbacks-in-multiple-conversion-windows
"""

from dataclasses import dataclass

import numpy as np

from skan_receiver.simulator.world import Array, World


@dataclass(frozen=True, slots=True)
class Crowd:
    """By install."""

    tier: Array  # 0 to 3
    digits: Array  # of the source identifier: 2 to 4
    country_known: Array  # whether its country alone reaches tier 3


def crowd(world: World, installs: Array) -> Crowd:
    """How large the crowd of each of a day's installs is."""
    thresholds = np.array(world.scenario.apple.tiers)
    tiers = {digits: _tier(_alike(world, installs, digits), thresholds) for digits in (2, 3, 4)}
    tier = tiers[2]  # nothing is in a smaller crowd with more digits
    digits = np.full(len(installs), 2, np.uint8)
    for more in (3, 4):
        digits[(tier >= 2) & (tiers[more] == tier)] = more
    at_home = _alike(world, installs, 2) * len(world.scenario.countries) + installs["country"]
    return Crowd(tier, digits, _tier(at_home, thresholds) == 3)


def _alike(world: World, installs: Array, digits: int) -> Array:
    """The same number for those who share app, network, the last digits, and publisher."""
    campaigns = world.scenario.campaigns
    groups = [(c.app, c.network, c.source[-digits:]) for c in campaigns]
    number = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    group_of = np.array([number[group] for group in groups])
    alike: Array = group_of[installs["campaign"]] * len(world.scenario.publishers)
    alike += installs["publisher"]
    return alike


def _tier(alike: Array, thresholds: Array) -> Array:
    _, which, sizes = np.unique(alike, return_inverse=True, return_counts=True)
    tiers: Array = np.searchsorted(thresholds, sizes, side="right").astype(np.uint8)
    return tiers[which]
