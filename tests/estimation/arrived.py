"""Installs by day, and the arrivals of one window that come of them."""

import numpy as np
from numpy.random import default_rng

from skan_receiver.conversion.timing import CLOCKS
from tests.estimation.people import Array

DAYS = 90


def arrived(window: int, seed: int) -> tuple[Array, Array]:
    """(installs, arrivals) of 90 days; up to half of the installs lock at some time."""
    random = default_rng([seed, window])
    days = np.arange(DAYS)
    level = np.log(random.choice([10, 40, 200])) + np.cumsum(random.normal(0, 0.05, DAYS))
    weekly = 0.25 * (days % 7 >= 5)
    wave = 0.3 * np.sin(days / random.uniform(5, 12))
    installs = random.poisson(np.exp(level + wave + weekly))
    at = np.repeat(days, installs) * 24 + 24 * random.random(installs.sum())
    clock, opened = CLOCKS[window], sum(before.open for before in CLOCKS[:window])
    locks = random.random(len(at)) < random.uniform(0, 0.5)
    closes = opened + clock.open * np.where(locks, random.random(len(at)), 1.0)
    hours = at + closes + random.uniform(clock.least, clock.most, len(at))
    return installs, np.bincount((hours // 24).astype(int), minlength=DAYS)[:DAYS]
