"""Revenue where values are withheld: all the parts together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from skan_receiver.errors import ConfigurationError
from skan_receiver.estimation.cells import LEVELS, Cells, Numbers, home
from skan_receiver.estimation.result import LEVEL, Estimate
from skan_receiver.estimation.revenue import Revenue, hidden
from skan_receiver.estimation.scale import Scale
from skan_receiver.estimation.shape import moments
from skan_receiver.estimation.tree import Tree
from skan_receiver.estimation.versions import Doubtful, Part, certain


@dataclass(frozen=True, slots=True)
class Settings:
    """What is assumed, and how much is computed.

    sensitivity   by how much the log-odds of paying are higher behind absent values than behind
                  known ones of the same campaign; 0: missing at random, given campaign and tier
    doubt         the standard deviation of that; one draw for all groups
    shape_doubt   how far a bucket's mean is from where its neighbours put it, in bucket widths
    tail_doubt    how far off the stated mean of an open bucket is, as a share of its excess
    tail_spread   the standard deviation of one user's excess in it, in means (1: exponential)
    """

    sensitivity: float = 0.0
    doubt: float = 0.0
    shape_doubt: float = 0.04
    tail_doubt: float = 0.1
    tail_spread: float = 1.3
    draws: int = 400
    burn_in: int = 50
    seed: int = 0
    level: float = LEVEL


def estimate(
    cells: Cells, scale: Scale | Sequence[Scale], settings: Settings = Settings()
) -> Estimate:
    """Draw the revenue of the installs in `cells`, whose values mean what `scale` says.

    Several scales are the versions of a schema, and `cells.weights` has a column for each.
    ConfigurationError where they do not fit together.
    """
    scales = [scale] if isinstance(scale, Scale) else list(scale)
    _check(cells, scales)
    random = default_rng(settings.seed)
    sampler = _Sampler(cells, scales)
    for _ in range(settings.burn_in):
        sampler.sweep(random)
    draws = np.zeros((settings.draws, len(cells)), np.float32)
    for row in draws:
        sampler.sweep(random)
        tilt = settings.sensitivity + settings.doubt * random.standard_normal()
        for part, drawn in sampler.revenue(settings, tilt, random):
            row[part.group] += drawn
    return Estimate(draws.T, sampler.values(settings.sensitivity), settings.level)


def _check(cells: Cells, scales: Sequence[Scale]) -> None:
    if cells.weights.shape[1] != len(scales):
        raise ConfigurationError("cells.weights needs a column for each version of the scale")
    if any(len(scale) != cells.fine.shape[1] for scale in scales):
        raise ConfigurationError("cells.fine needs a column for each value of the scale")


class _Sampler:
    """The state between draws: a tree for each version, and who had which version."""

    def __init__(self, cells: Cells, scales: Sequence[Scale]) -> None:
        self.cells, self.scales = cells, scales
        self.campaigns = int(cells.campaign.max(initial=-1)) + 1
        above = home(cells.campaign, cells.network), home(cells.network, cells.app)
        unset = bool(cells.unset.any())
        self.trees = [Tree(scale, *above, unset=unset) for scale in scales]
        self.certain = [certain(cells, n) for n in range(len(scales))]
        self.fixed = [part.by_campaign(self.campaigns) for part in self.certain]
        self.kept = [Revenue(*pair) for pair in zip(self.certain, scales, strict=True)]
        self.doubtful = Doubtful(cells)
        self.parted: list[Part] = []
        even = np.full((self.campaigns, cells.fine.shape[1] + 1), 1 / (cells.fine.shape[1] + 1))
        self.shares: list[Numbers] = [even for _ in scales]
        self.sums = [np.zeros_like(even) for _ in scales]
        self.sweeps = 0

    def sweep(self, random: Generator) -> None:
        if len(self.doubtful):
            levels = [self._levels(n) for n in range(len(self.scales))]
            self.parted = self.doubtful.parted(self.shares, levels, random)
        for n, tree in enumerate(self.trees):
            self.shares[n] = tree.sweep(*self._counts(n), random)

    def _levels(self, version: int) -> Numbers:
        """(campaigns, 3): the share of each coarse level."""
        at = self.scales[version].level[:, None] == np.arange(LEVELS)
        return np.asarray(self.shares[version][:, :-1] @ at, np.float64)

    def _counts(self, version: int) -> tuple[Numbers, Numbers]:
        leaves, coarse = self.fixed[version]
        if not self.parted:
            return leaves, coarse
        more = self.parted[version].by_campaign(self.campaigns)
        return leaves + more[0], coarse + more[1]

    def revenue(
        self, settings: Settings, tilt: float, random: Generator
    ) -> Iterator[tuple[Part, Numbers]]:
        """One draw of every part."""
        self.sweeps += 1
        for n, scale in enumerate(self.scales):
            self.sums[n] += self.shares[n]
            within = moments(
                scale,
                self._counts(n)[0].sum(axis=0)[:-1],
                shape_doubt=settings.shape_doubt,
                tail_doubt=settings.tail_doubt,
                tail_spread=settings.tail_spread,
                random=random,
            )
            behind = hidden(self.shares[n], scale, within, tilt)
            yield self.certain[n], self.kept[n].draw(within, behind, random)
            if self.parted:
                part = self.parted[n]
                yield part, Revenue(part, scale).draw(within, behind, random)

    def values(self, tilt: float) -> NDArray[np.float32]:
        """(groups, values): expected installs by value, those behind hidden values too."""
        expected = self.cells.fine.astype(np.float32)
        for n, scale in enumerate(self.scales):
            shares = self.sums[n] / self.sweeps
            weight = self.cells.weights[:, [n]]
            at = scale.level == np.arange(LEVELS)[:, None]
            for level, here in enumerate(at):
                within = _shares(shares[:, :-1] * here)[self.cells.campaign]
                expected += weight * self.cells.coarse[:, [level]] * within
            odds = np.append(np.where(scale.pays, np.exp(tilt), 1.0), 1.0)
            tilted = _shares(shares * odds)[self.cells.campaign, :-1]
            expected += weight * self.cells.absent[:, None] * tilted
        return expected


def _shares(rows: Numbers) -> Numbers:
    return np.asarray(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-300), np.float64)
