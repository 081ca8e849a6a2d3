"""The revenue of the installs of each group, drawn: who pays, then how much they pay together.

Known values give bounds and moments; hidden ones (coarse, absent) are drawn: the number of
payers exactly, their sum by its first two moments. A sum between two bounds is a Beta, exact for
one user in an even bucket; a sum with no upper bound a Gamma, exact for one with an exponential
tail; both close in on the normal as users become many.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from skan_receiver.estimation.cells import LEVELS, Codes, Numbers
from skan_receiver.estimation.scale import Scale
from skan_receiver.estimation.shape import Moments
from skan_receiver.estimation.versions import Part

TINY = 1e-12

ABSENT = -1  # beside the coarse levels 0, 1, 2


@dataclass(frozen=True, slots=True)
class Payers:
    """By campaign, of the installs behind a kind of postback: who pays, and what."""

    share: Numbers
    mean: Numbers
    variance: Numbers
    least: float  # nobody who pays pays less, nor more than `most`
    most: float

    @classmethod
    def among(
        cls, which: NDArray[np.bool_], shares: Numbers, scale: Scale, moments: Moments
    ) -> "Payers":
        """Of installs that have one of the values `which`, given `shares` (campaigns, leaves)."""
        amount = scale.lower + moments.excess
        pays = which & scale.pays
        columns = np.stack([which, pays, pays * amount, pays * (amount**2 + moments.variance)])
        all_, paying, first, second = (shares[:, : len(scale)] @ columns.T).T
        some = np.maximum(paying, TINY)
        mean = first / some
        share = np.clip(paying / np.maximum(all_, TINY), 0, 1)
        least, most = scale.lower[pays].min(initial=np.inf), scale.upper[pays].max(initial=0)
        bounds = (float(least), float(most)) if pays.any() else (0.0, 0.0)
        return cls(share, mean, np.maximum(second / some - mean**2, 0), *bounds)

    def likelier(self, log_odds: float) -> "Payers":
        """The same people, with the odds of paying e^`log_odds` times as high."""
        odds = self.share * np.exp(log_odds)
        return replace(self, share=odds / (1 - self.share + odds))


def hidden(shares: Numbers, scale: Scale, moments: Moments, tilt: float) -> dict[int, Payers]:
    """Who is behind coarse values, by level, and behind absent ones (ABSENT)."""
    behind = {
        level: Payers.among(scale.level == level, shares, scale, moments) for level in range(LEVELS)
    }
    everybody = Payers.among(np.ones(len(scale), bool), shares, scale, moments)
    # Among absent ones are those whom the app never gave a value: they have paid nothing.
    never = 1 - shares[:, -1]
    absent = replace(everybody, share=everybody.share * never)
    return {**behind, ABSENT: absent.likelier(tilt)}


class Revenue:
    """Draws of one `Part`, whose fixed sums are kept."""

    def __init__(self, part: Part, scale: Scale) -> None:
        self.part = part
        self.values = part.leaves[:, : len(scale)]
        width = np.where(scale.open, 0.0, scale.upper - scale.lower)
        self.floor = np.asarray(self.values @ scale.lower, np.float64)
        self.width = np.asarray(self.values @ width, np.float64)
        self.width[np.asarray(self.values @ scale.open.astype(float)) > 0] = np.inf
        self.unseen = _unseen(part, scale)

    def draw(self, moments: Moments, behind: Mapping[int, Payers], random: Generator) -> Numbers:
        """(rows,): one draw of each row's revenue."""
        mean = np.asarray(self.values @ moments.excess, np.float64)
        variance = np.asarray(self.values @ moments.variance, np.float64)
        floor, width = self.floor.copy(), self.width.copy()
        for kind, rows, n in self.unseen:
            payers, who = behind[kind], self.part.campaign[rows]
            paying = random.binomial(n, payers.share[who])
            mean[rows] += paying * (payers.mean[who] - payers.least)
            variance[rows] += paying * payers.variance[who]
            floor[rows] += paying * payers.least
            some = paying > 0  # nobody times no limit is no number
            width[rows[some]] += paying[some] * (payers.most - payers.least)
        return floor + _sum(mean, variance, width, random)


def _unseen(part: Part, scale: Scale) -> list[tuple[int, Codes, NDArray[np.int64]]]:
    """(level or ABSENT, rows, how many) of every kind of postback without a fine value.

    A coarse value that no fine one goes with says as much as none.
    """
    spoken = np.isin(np.arange(LEVELS), scale.level)
    silent = part.coarse[:, ~spoken].sum(axis=1)
    kinds = [(ABSENT, part.absent + silent)]
    kinds += [(level, part.coarse[:, level]) for level in range(LEVELS) if spoken[level]]
    some = ((kind, np.flatnonzero(n), n) for kind, n in kinds)
    return [(kind, rows, n[rows].astype(np.int64)) for kind, rows, n in some if len(rows)]


def _sum(mean: Numbers, variance: Numbers, width: Numbers, random: Generator) -> Numbers:
    """A sum from 0 to `width`, which may be endless, of that mean and variance."""
    drawn = np.clip(mean, 0, width)
    spread = (variance > TINY) & (mean > TINY)
    rows = np.flatnonzero(spread & np.isinf(width))
    scale = variance[rows] / mean[rows]
    drawn[rows] = random.standard_gamma(mean[rows] / scale) * scale
    rows = np.flatnonzero(spread & np.isfinite(width) & (width > TINY))
    drawn[rows] = _bounded(mean[rows], variance[rows], width[rows], random)
    return drawn


def _bounded(mean: Numbers, variance: Numbers, width: Numbers, random: Generator) -> Numbers:
    share = np.clip(mean / width, TINY, 1 - TINY)
    strength = np.maximum(share * (1 - share) * width**2 / variance - 1, TINY)
    return width * random.beta(share * strength, (1 - share) * strength)
