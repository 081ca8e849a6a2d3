"""One day's installs, all the way: what everybody did, holds, and what arrives of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import numpy as np

from skan_receiver.conversion import Schema
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
    for users, course in _courses(world, day, window, installs):
        held.put(users, hold(_only(deeds, users, len(installs)), len(users), course))
    return held


def _courses(
    world: World, day: int, window: int, installs: Array
) -> Iterator[tuple[Array, Course]]:
    """Everybody, parted by what their phones go by."""
    fetched = installs["at"] + (WINDOW_STARTS[window] - installs["fetch_lag"]) * HOUR_MS
    app = world.app_of[installs["campaign"]]
    rising = installs["layout"] < WINDOWED
    back = installs["conversion"] == RE_ENGAGEMENT
    for (place, version, schema), old, again in product(
        _versions(world), (False, True) if window == 0 else (False,), (False, True)
    ):
        begins = [moment_ms(since) for since, _ in world.schemas[world.scenario.apps[place].id]]
        # Before the first version was published, that is the one an app is built with.
        which = np.maximum(np.searchsorted(begins, fetched, side="right") - 1, 0)
        chosen = (app == place) & (which == version) & (rising == old) & (back == again)
        rules = schema.plan("re-engagement" if again else None).get(window)
        if rules is not None and chosen.any():
            names, money = world.scenario.events, world.scenario.currency
            course = Course(schema, rules, names, old, world.date(day), money)
            yield np.flatnonzero(chosen), course


def _versions(world: World) -> Iterator[tuple[int, int, Schema]]:
    """(place of the app, place of the version, schema) of every schema there is."""
    for place, app in enumerate(world.scenario.apps):
        for version, (_, schema) in enumerate(world.schemas[app.id]):
            yield place, version, schema


def _only(deeds: Deeds, users: Array, n: int) -> Deeds:
    """The deeds of some users, who are numbered from 0 on again."""
    place = np.full(n, -1)
    place[users] = np.arange(len(users))
    mine = deeds.where(place[deeds.user] >= 0)
    return Deeds(place[mine.user], mine.name, mine.hours, mine.revenue)


def iso(at: int) -> str:
    """Milliseconds since 1970 as people write them."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
