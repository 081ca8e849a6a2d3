"""Which postbacks are sent, when, and what is left in them.

Windows, delays and what a tier withholds are as Apple documents them.
https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
https://developer.apple.com/documentation/storekit/receiving-ad-attributions-and-postbacks
"""

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from skan_receiver.simulator.crowd import Crowd
from skan_receiver.simulator.device import Held
from skan_receiver.simulator.rules import NEVER_SET
from skan_receiver.simulator.scenario import LAYOUTS, WINDOWED
from skan_receiver.simulator.world import HOUR_MS, RE_ENGAGEMENT, Array, World

AAK = LAYOUTS.index("adattributionkit")
FIRST_VERSION, FIRST_WITH_LOSERS = LAYOUTS.index("1.0"), LAYOUTS.index("3.0")

# Hours from when the value is final until it is sent: a random time between.
ROLLING_DELAY = (0, 24)
DELAYS = ((24, 48), (24, 144), (24, 144))

NO_PUBLISHER = NO_COUNTRY = 0xFFFF

POSTBACK = np.dtype(
    [
        ("at", "i8"),  # milliseconds since 1970
        ("id_high", "u8"),
        ("id_low", "u8"),
        ("install", "i8"),
        ("campaign", "u2"),  # whose ad: the winner's, or a loser's
        ("layout", "u1"),
        ("window", "u1"),
        ("won", "?"),
        ("conversion", "u1"),
        ("click", "?"),
        ("tier", "u1"),
        ("value", "u1"),  # fine or coarse, as `conversion.arrays` codes them; 255 absent
        ("digits", "u1"),
        ("publisher", "u2"),
        ("country", "u2"),
        ("marketplace", "?"),
    ]
)


def postbacks(
    world: World,
    installs: Array,
    held: Mapping[int, Held],
    crowd: Crowd,
    random: Generator,
) -> Array:
    """What Apple sends for `installs`, all windows and losers, by window and install."""
    parts = [
        _window(installs, window, held[window], crowd, random) for window in range(len(DELAYS))
    ]
    parts.append(_losers(world, installs, held[0], random))
    rows = np.concatenate(parts)
    _name(rows, random)
    return rows


def _window(installs: Array, window: int, held: Held, crowd: Crowd, random: Generator) -> Array:
    """The winners' postbacks of one window."""
    # No value was set, no postback; nor is there a later one for the smallest crowds.
    sent = held.set & ((window == 0) | ((installs["layout"] >= WINDOWED) & (crowd.tier > 0)))
    users = np.flatnonzero(sent)
    rows = _rows(installs[users], window, held.closed[users], random)
    rows["won"] = True
    rows["tier"] = tier = crowd.tier[users]
    rows["digits"] = crowd.digits[users] if window == 0 else 2
    rows["marketplace"] = (rows["layout"] == AAK) & (tier > 0)
    fine, coarse = held.fine[users], held.coarse[users]
    if window:
        rows["value"] = coarse
        return rows
    rows["value"] = _first_value(rows["layout"], tier, fine, coarse)
    windowed = rows["layout"] >= WINDOWED
    # Up to version 3 one threshold withholds both value and source app; the web came with 4.
    tells = tier >= np.where(windowed, 3, 2)
    rows["publisher"] = np.where(tells, installs["publisher"][users], NO_PUBLISHER)
    rows["publisher"][rows["layout"] == FIRST_VERSION] = NO_PUBLISHER
    known = crowd.country_known[users] & (rows["layout"] == AAK)
    rows["country"] = np.where(known, installs["country"][users], NO_COUNTRY)
    return rows


def _first_value(layout: Array, tier: Array, fine: Array, coarse: Array) -> Array:
    value = np.where(tier >= 2, fine, NEVER_SET)
    value = np.where((layout >= WINDOWED) & (tier == 1), coarse, value)
    # The first version had no values.
    return np.where(layout == FIRST_VERSION, NEVER_SET, value)


def _losers(world: World, installs: Array, held: Held, random: Generator) -> Array:
    """One postback for each network that had shown the ad too, without value and source."""
    shares = world.scenario.apple.losers
    numbers = np.array([0, *shares])
    chances = np.array([1 - sum(shares.values()), *shares.values()])
    how_many = numbers[np.searchsorted(np.cumsum(chances), random.random(len(installs)))]
    # A re-engagement has a winner only, and nobody loses what is not sent.
    may = (installs["layout"] >= FIRST_WITH_LOSERS) & (installs["conversion"] != RE_ENGAGEMENT)
    how_many = how_many * (may & held.set)
    parts = []
    for number, rivals in enumerate(_rivals(world)):
        users = np.flatnonzero((installs["campaign"] == number) & (how_many > 0))
        if not len(users) or not rivals:
            continue
        # In an order of its own for each install, the first so many lose.
        order = np.argsort(random.random((len(users), len(rivals))), axis=1)
        user, turn = np.nonzero(np.arange(len(rivals)) < how_many[users][:, None])
        who = users[user]
        rows = _rows(installs[who], 0, held.closed[who], random)
        rows["campaign"] = np.array(rivals)[order[user, turn]]
        rows["digits"] = 2
        parts.append(rows)
    return np.concatenate(parts) if parts else np.zeros(0, POSTBACK)


def _rivals(world: World) -> list[list[int]]:
    """For each campaign, one of every other network that runs any for the same app."""
    campaigns = world.scenario.campaigns
    found = []
    for mine in campaigns:
        first: dict[str, int] = {}
        for place, other in enumerate(campaigns):
            if other.app == mine.app and other.network != mine.network:
                first.setdefault(other.network, place)
        found.append(list(first.values()))
    return found


def _rows(installs: Array, window: int, closed: Array, random: Generator) -> Array:
    rows = np.zeros(len(installs), POSTBACK)
    for name in ("campaign", "layout", "conversion", "click"):
        rows[name] = installs[name]
    rows["install"] = installs["number"]
    rows["window"] = window
    rows["value"], rows["publisher"], rows["country"] = NEVER_SET, NO_PUBLISHER, NO_COUNTRY
    least, most = np.where(rows["layout"][:, None] >= WINDOWED, DELAYS[window], ROLLING_DELAY).T
    hours = closed + least + (most - least) * random.random(len(rows))
    rows["at"] = installs["at"] + (hours * HOUR_MS).astype(np.int64)
    return rows


def _name(rows: Array, random: Generator) -> None:
    """Random UUIDs (version 4). The three postbacks of one conversion share none."""
    high, low = random.integers(0, 2**64, (2, len(rows)), np.uint64)
    rows["id_high"] = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x4000)
    rows["id_low"] = (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
