"""An estimate: joint draws, so that every sum of groups has an interval that fits the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skan_receiver.errors import ConfigurationError
from skan_receiver.estimation.cells import Numbers
from skan_receiver.estimation.hierarchy import add_up

LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and two bounds that hold the truth with the chance `level`."""

    low: float
    mean: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Draws of what every group was worth, in the scale's unit.

    Draw k of all groups belongs together: it has one set of concentrations, shapes, tails and
    sensitivity. So sums are taken draw by draw, and intervals of them.
    """

    draws: NDArray[np.float32]  # (groups, draws)
    values: NDArray[np.float32]  # (groups, values): expected installs by value, hidden ones too
    level: float = LEVEL

    @property
    def mean(self) -> Numbers:
        """(groups,)."""
        return np.asarray(self.draws.mean(axis=1, dtype=np.float64))

    def interval(self, level: float | None = None) -> tuple[Numbers, Numbers]:
        """The bounds of each group, (groups,) and (groups,)."""
        tail = (1 - (level or self.level)) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail], axis=1)
        return low.astype(np.float64), high.astype(np.float64)

    def sum(self, mask: ArrayLike | None = None, level: float | None = None) -> Interval:
        """Of the groups in `mask` (groups,) together, of all where there is none."""
        chosen = slice(None) if mask is None else np.asarray(mask)
        total = self.draws[chosen].sum(axis=0, dtype=np.float64)
        asked = level or self.level
        low, high = np.quantile(total, [(1 - asked) / 2, (1 + asked) / 2])
        return Interval(float(low), float(total.mean()), float(high), asked)

    def by(self, codes: ArrayLike) -> "Estimate":
        """The sums of the groups of each code: days become campaigns, campaigns networks."""
        of = np.asarray(codes, np.intp)
        n = int(of.max(initial=-1)) + 1
        draws, values = (add_up(rows, of, n) for rows in (self.draws, self.values))
        return Estimate(draws.astype(np.float32), values.astype(np.float32), self.level)

    def __add__(self, other: "Estimate") -> "Estimate":
        """Two windows of the same groups, whose values must be of one scale's length to add up.

        No id joins the windows of an install, so that they are drawn apart: a sum of intervals
        takes their errors to be independent.
        """
        if self.draws.shape != other.draws.shape:
            raise ConfigurationError("estimates add up for the same groups and draws only")
        same = self.values.shape == other.values.shape
        values = self.values + other.values if same else self.values
        return Estimate(self.draws + other.draws, values, self.level)
