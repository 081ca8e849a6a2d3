"""How long after its install a postback arrives, as Apple documents it.

    window 0, 1, 2    closes 48, 168, 840 hours after the first launch; a lock closes it at any
                      time; then 24-48, 24-144, 24-144 hours
    SKAdNetwork <= 3  24 hours after the last rise of the value; then 0-24

All delays are taken to be even, and so is the time of a lock within its window, and of the last
rise within the first day. What share of installs lock (or, early on, rise) nobody says: it is a
nuisance, `share`.
https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
"""

from dataclasses import dataclass

import numpy as np

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.timing import CLOCKS, TIMER
from skan_receiver.estimation.cells import Numbers

# The hours in which early versions' values rise for the last time, where they rise.
RISES = 24


@dataclass(frozen=True, slots=True)
class Kernel:
    """Chances of arriving so many steps of `grain` hours after the step of the install."""

    plain: Numbers  # (lags,): neither locked nor risen
    early: Numbers  # (lags,): locked; of early versions: risen late in the first day
    grain: int

    def mixed(self, share: float) -> Numbers:
        """(lags,): where `share` of the installs lock (or rise)."""
        return (1 - share) * self.plain + share * self.early

    def matrix(self, share: float, steps: int) -> Numbers:
        """(installs, arrivals), `steps` of each: where the installs of each step arrive."""
        chances = self.mixed(share)[:steps]
        lag = np.arange(steps)[None, :] - np.arange(steps)[:, None]
        inside = (lag >= 0) & (lag < len(chances))
        return np.where(inside, chances[np.where(inside, lag, 0)], 0.0)


def kernel(window: int = 0, *, version: str = "4.0", grain: int = 24) -> Kernel:
    """The kernel of a window; `version` is SKAdNetwork's, empty for AdAttributionKit.

    `grain` is 24 (days) or 1 (hours). Installs are spread evenly within their step.
    """
    if version in RISING_ONLY:
        delay = _even(TIMER.least, TIMER.most)
        risen = np.convolve(_even(0, RISES), delay)
        return _both(delay, risen, grain)
    clock = CLOCKS[window]
    opened = sum(before.open for before in CLOCKS[:window])
    delay = _even(clock.least, clock.most)
    plain = np.convolve(_at(opened + clock.open), delay)
    locked = np.convolve(_even(opened, opened + clock.open), delay)
    return _both(plain, locked, grain)


def _even(start: int, end: int) -> Numbers:
    """A time spread evenly between two hours, as chances of each hour from 0 on."""
    hours = np.zeros(end)
    hours[start:] = 1 / (end - start)
    return hours


def _at(hour: int) -> Numbers:
    exactly = np.zeros(hour + 1)
    exactly[hour] = 1.0
    return exactly


def _both(plain: Numbers, early: Numbers, grain: int) -> Kernel:
    one, other = _in_steps(plain, grain), _in_steps(early, grain)
    lags = max(len(one), len(other))
    return Kernel(np.pad(one, (0, lags - len(one))), np.pad(other, (0, lags - len(other))), grain)


def _in_steps(hours: Numbers, grain: int) -> Numbers:
    """Chances by hour of delay as chances by step, the install being anywhere in its own step.

    Within their hours, install and delay are even: together they are as often under an hour as
    over it, so that half of the chance falls on the next hour.
    """
    within = np.convolve(hours, [0.5, 0.5])
    spread = np.convolve(within, np.full(grain, 1 / grain))
    padded = np.pad(spread, (0, -len(spread) % grain))
    return np.asarray(padded.reshape(-1, grain).sum(axis=1), np.float64)
