"""Where in its bucket a user's revenue lies: read off the neighbouring buckets.

Middles are too high where few pay much: the density falls within a bucket as it does between
buckets. So the pooled counts are made a distribution function, known at the buckets' edges and
monotone between them (PCHIP), on the axis log(1 + x / c).
https://docs.scipy.org/doc/scipy/reference/generated/scipy.interpolate.PchipInterpolator.html
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.interpolate import PchipInterpolator

from skan_receiver.estimation.cells import Numbers
from skan_receiver.estimation.scale import Scale

STEPS = 16  # of the numerical integral, in each bucket

# c is a nuisance: from an eighth of the first edge (nearly the logarithm) to eight times it
# (nearly straight). Of log-normal and gamma amounts, the best fits lie in between.
CURVATURE = 8.0

# Pseudo-counts in each bucket, so that none is without a shape (Jeffreys' prior).
SEEN_BEFORE = 0.5

# No bucket's mean is nearer to a side of it than that part of its width.
SIDE = 0.05


@dataclass(frozen=True, slots=True)
class Moments:
    """Per value: the mean above its lower bound, and the variance."""

    excess: Numbers
    variance: Numbers


def moments(
    scale: Scale,
    pooled: Numbers,
    *,
    shape_doubt: float,
    tail_doubt: float,
    tail_spread: float,
    random: Generator,
) -> Moments:
    """One draw, given how often each value was seen in all groups together.

    What the curve says of a bucket's mean is off by `shape_doubt` of its width (a standard
    deviation). Where a mean is stated it stands, with the spread of an even bucket. An open
    bucket's excess over its edge has the stated mean, times a draw e^(tail_doubt * normal), and
    `tail_spread` times it for its standard deviation.
    """
    width = np.where(scale.open, 0.0, scale.upper - scale.lower)
    excess, variance = _closed(scale, pooled, random)
    moved = excess + shape_doubt * width * random.standard_normal(len(width))
    excess = np.clip(moved, SIDE * width, (1 - SIDE) * width)
    stated = ~np.isnan(scale.mean)
    excess = np.where(stated, scale.mean - scale.lower, excess)
    variance = np.where(stated, width**2 / 12, variance)
    doubt = np.exp(tail_doubt * random.standard_normal())
    excess = np.where(scale.open, excess * doubt, excess)
    return Moments(excess, np.where(scale.open, (tail_spread * excess) ** 2, variance))


def _closed(scale: Scale, pooled: Numbers, random: Generator) -> tuple[Numbers, Numbers]:
    width = np.where(scale.open, 0.0, scale.upper - scale.lower)
    edges = _edges(scale)
    if len(edges) < 2:
        return width / 2, width**2 / 12
    grid = np.concatenate([_steps(edges), edges[-1:]])
    steps = np.diff(_distribution(edges, _masses(scale, pooled, edges, random), random)(grid))
    middle = (grid[1:] + grid[:-1]) / 2
    inside = (middle[:, None] > scale.lower) & (middle[:, None] < scale.upper) & (width > 0)
    share = steps @ inside
    share[share <= 0] = 1.0
    mean = (steps * middle) @ inside / share
    variance = (steps * middle**2) @ inside / share - mean**2
    fits = width > 0
    return np.where(fits, mean - scale.lower, 0.0), np.where(fits, np.maximum(variance, 0), 0.0)


def _edges(scale: Scale) -> Numbers:
    """Every bound of a closed bucket of some width, rising."""
    closed = ~scale.open & (scale.upper > scale.lower)
    return np.unique(np.concatenate([scale.lower[closed], scale.upper[closed]]))


def _steps(edges: Numbers) -> Numbers:
    parts = np.arange(STEPS) / STEPS
    return (edges[:-1, None] + np.diff(edges)[:, None] * parts).ravel()


def _masses(scale: Scale, pooled: Numbers, edges: Numbers, random: Generator) -> Numbers:
    """What falls between two edges, and at last what lies above them; one draw.

    A bucket over several of them (where ranges overlap) is spread evenly.
    """
    lengths = np.diff(edges)
    within = (edges[:-1] >= scale.lower[:, None]) & (edges[1:] <= scale.upper[:, None])
    parts = within * lengths
    parts = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)
    closed = np.where(scale.open, 0.0, pooled)
    counts = np.append(closed @ parts, pooled[scale.open].sum())
    return random.standard_gamma(counts + SEEN_BEFORE)


def _distribution(edges: Numbers, masses: Numbers, random: Generator) -> "_Bent":
    # What lies above the last edge ends somewhere: that only gives the curve its slope there.
    ends = np.append(edges, edges[-1] * 4)
    above = np.concatenate([[0.0], np.cumsum(masses)])
    first = edges[edges > 0][0]
    return _Bent(ends, above, first * CURVATURE ** random.uniform(-1, 1))


class _Bent:
    """A monotone curve through points, on the axis log(1 + x / c)."""

    def __init__(self, x: Numbers, y: Numbers, c: float) -> None:
        self.c = c
        self.curve = PchipInterpolator(np.log1p(x / c), y)

    def __call__(self, x: Numbers) -> Numbers:
        return np.asarray(self.curve(np.log1p(x / self.c)), np.float64)
