"""What users do in the app, from the first launch to the end of Apple's last window."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from skan_receiver.simulator.scenario import Behaviour, Event, Revenue
from skan_receiver.simulator.world import Array, World

DAYS = 35
LAST_HOUR = 24.0 * DAYS

# Once-only events spread around their median by this factor: 68 % within e times or an eth.
SPREAD = 1.0


@dataclass(frozen=True, slots=True)
class Deeds:
    """Events of many users, as columns, by user and then by time."""

    user: Array  # the place of its install
    name: Array  # the place of its name in the scenario's events
    hours: Array  # since the first launch
    revenue: Array

    def __len__(self) -> int:
        return len(self.user)

    def where(self, chosen: Array) -> "Deeds":
        return Deeds(self.user[chosen], self.name[chosen], self.hours[chosen], self.revenue[chosen])


def lives(world: World, installs: Array, random: Generator) -> Deeds:
    """What each of `installs` does."""
    names = world.scenario.events
    kinds = [campaign.behaviour for campaign in world.scenario.campaigns]
    parts: list[Deeds] = []
    for kind, behaviour in world.scenario.behaviours.items():
        campaigns = [place for place, other in enumerate(kinds) if other == kind]
        users = np.flatnonzero(np.isin(installs["campaign"], campaigns))
        active = _active_days(behaviour, len(users), random)
        for name, event in behaviour.events.items():
            who, hours = _happens(event, len(users), active, random)
            said = np.full(len(who), names.index(name))
            parts.append(Deeds(users[who], said, hours, _amounts(event.revenue, len(who), random)))
    return _in_order(parts)


def _active_days(behaviour: Behaviour, n: int, random: Generator) -> tuple[Array, Array]:
    """(user, day) of every day on which a user opens the app; the first is everybody's."""
    day = np.arange(1, DAYS)
    chance = np.minimum(1.0, behaviour.day_1 * day**-behaviour.decay)
    user, later = np.nonzero(random.random((n, DAYS - 1)) < chance)
    return np.concatenate([np.arange(n), user]), np.concatenate([np.zeros(n, int), later + 1])


def _happens(
    event: Event, n: int, active: tuple[Array, Array], random: Generator
) -> tuple[Array, Array]:
    """(user, hours) of every time it happens."""
    does = random.random(n) < event.share
    if event.median_hours is not None:
        who = np.flatnonzero(does)
        return who, event.median_hours * np.exp(SPREAD * random.standard_normal(len(who)))
    user, day = active
    often = random.poisson(event.per_active_day or 0, len(user)) * does[user]
    who, on = np.repeat(user, often), np.repeat(day, often)
    return who, 24.0 * (on + random.random(len(on)))


def _amounts(revenue: Revenue | None, n: int, random: Generator) -> Array:
    if revenue is None:
        return np.zeros(n)
    return np.round(revenue.median * np.exp(revenue.sigma * random.standard_normal(n)), 4)


def _in_order(parts: list[Deeds]) -> Deeds:
    if not parts:
        return Deeds(*(np.zeros(0, kind) for kind in (int, int, float, float)))
    every = Deeds(
        np.concatenate([part.user for part in parts]),
        np.concatenate([part.name for part in parts]),
        np.concatenate([part.hours for part in parts]),
        np.concatenate([part.revenue for part in parts]),
    )
    every = every.where(every.hours < LAST_HOUR)
    return every.where(np.lexsort((every.hours, every.user)))
