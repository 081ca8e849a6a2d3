"""What a server receives: copies, repetitions, and what others pass on."""

import numpy as np
from numpy.random import Generator

from skan_receiver.simulator import adversary
from skan_receiver.simulator.apple import FIRST_VERSION, POSTBACK
from skan_receiver.simulator.world import HOUR_MS, Array, World

NETWORK, DEVELOPER, FORWARDED = range(3)

# Why a row is there, beside Apple's own sending.
GENUINE, REPEATED = range(2)

ARRIVAL = np.dtype([*POSTBACK.descr, ("endpoint", "u1"), ("kind", "u1")])

# A device tries again up to nine times in nine days.
REPEATS_WITHIN_HOURS = 9 * 24


def arrivals(world: World, postbacks: Array, random: Generator) -> Array:
    """Everything that comes in of `postbacks`, in no order."""
    scenario = world.scenario
    ours = np.array([network.ours for network in scenario.networks])
    forwarded = np.array([network.forwarder is not None for network in scenario.networks])
    copies = np.array([app.developer_copies for app in scenario.apps])

    network = world.network_of[postbacks["campaign"]]
    to_network = _arriving(postbacks[ours[network]], NETWORK)
    to_network["endpoint"] = np.where(forwarded[network[ours[network]]], FORWARDED, NETWORK)

    # Developers get winners' copies, from the second version on, at the same time.
    copied = copies[world.app_of[postbacks["campaign"]]] & postbacks["won"]
    copied &= postbacks["layout"] > FIRST_VERSION
    rows = np.concatenate([to_network, _arriving(postbacks[copied], DEVELOPER)])

    again = rows[random.random(len(rows)) < scenario.apple.duplicates]
    again["at"] += (random.random(len(again)) * REPEATS_WITHIN_HOURS * HOUR_MS).astype(np.int64)
    again["kind"] = REPEATED
    return np.concatenate([rows, again, *adversary.sent(scenario.adversary, rows, random)])


def _arriving(postbacks: Array, endpoint: int) -> Array:
    rows = np.zeros(len(postbacks), ARRIVAL)
    for name in POSTBACK.names or ():
        rows[name] = postbacks[name]
    rows["endpoint"] = endpoint
    return rows
