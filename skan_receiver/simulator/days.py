"""One day's installs, all the way: what everybody did, holds, and what arrives of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from skan_receiver.conversion.encode import WINDOW_ENDS
from skan_receiver.simulator.apple import postbacks
from skan_receiver.simulator.arrivals import arrivals
from skan_receiver.simulator.crowd import Crowd, crowd
from skan_receiver.simulator.device import Course, Held, hold
from skan_receiver.simulator.lives import Deeds, lives
from skan_receiver.simulator.scenario import WINDOWED
from skan_receiver.simulator.world import (
    HOUR_MS,
    RE_ENGAGEMENT,
    Array,
    World,
    installs,
    moment_ms,
)

WINDOW_STARTS = (0, *WINDOW_ENDS[:2])


@dataclass(frozen=True, slots=True)
class Day:
    """All that is true of one day's installs."""

    number: int
    installs: Array
    deeds: Deeds
    held: dict[int, Held]  # by window
    crowd: Crowd
    postbacks: Array
    arrivals: Array


def simulate(world: World, day: int) -> Day:
    """The installs of `day`, and everything that comes of them later."""
    new = installs(world, day)
    deeds = lives(world, new, world.random(day, 1))
    held = {window: _held(world, day, window, new, deeds) for window in range(len(WINDOW_ENDS))}
    known = crowd(world, new)
    sent = postbacks(world, new, held, known, world.random(day, 2))
    come = arrivals(world, sent, world.random(day, 3))
    return Day(day, new, deeds, held, known, sent, come)


def _held(world: World, day: int, window: int, installs: Array, deeds: Deeds) -> Held:
    """What phones hold at the end of one window, each by the schema it had when it began."""
    held = Held.nothing(len(installs))
    fetched = installs["at"] + (WINDOW_STARTS[window] - installs["fetch_lag"]) * HOUR_MS
    app = world.app_of[installs["campaign"]]
    rising = installs["layout"] < WINDOWED
    back = installs["conversion"] == RE_ENGAGEMENT
    for place, one in enumerate(world.scenario.apps):
        versions = world.schemas[one.id]
        begins = [moment_ms(since) for since, _ in versions]
        which = np.maximum(np.searchsorted(begins, fetched, side="right") - 1, 0)
        for version, (_, schema) in enumerate(versions):
            for old in (False, True) if window == 0 else (False,):
                for again in (False, True):
                    chosen = (app == place) & (which == version) & (rising == old)
                    users = np.flatnonzero(chosen & (back == again))
                    plan = schema.plan("re-engagement" if again else None)
                    if not len(users) or window not in plan:
                        continue
                    course = Course(
                        schema,
                        plan[window],
                        world.scenario.events,
                        old,
                        world.date(day),
                        world.scenario.currency,
                    )
                    held.put(users, hold(_only(deeds, users, len(installs)), len(users), course))
    return held


def _only(deeds: Deeds, users: Array, n: int) -> Deeds:
    """The deeds of some users, who are numbered from 0 on again."""
    place = np.full(n, -1)
    place[users] = np.arange(len(users))
    mine = deeds.where(place[deeds.user] >= 0)
    return Deeds(place[mine.user], mine.name, mine.hours, mine.revenue)


def iso(at: int) -> str:
    """Milliseconds since 1970 as people write them."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
