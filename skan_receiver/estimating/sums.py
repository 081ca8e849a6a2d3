"""Joint draws of the sums that are kept: of each network by day, of each campaign by week."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skan_receiver.estimation import Estimate, Interval
from skan_receiver.estimation.result import LEVEL
from skan_receiver.storage.estimates import BY_DAY, BY_WEEK, EstimateRun, packed

Key = tuple[str, str, str]  # grain, network, source

STEPS = {BY_DAY: 1, BY_WEEK: 7}  # in days


@dataclass(frozen=True, slots=True)
class Made:
    """A run, and what it comes to together."""

    run: EstimateRun
    postbacks: int
    total: Interval | None  # where `run.why_not` says why not


@dataclass(slots=True)
class Sum:
    postbacks: NDArray[np.int64]  # (steps,)
    draws: NDArray[np.float32]  # (steps, draws)


@dataclass(slots=True)
class Sums:
    """Of all groups of a run; what is added is drawn apart."""

    days: int
    draws: int
    of: dict[Key, Sum] = field(default_factory=dict)

    def add(self, key: Key, postbacks: NDArray[Any], draws: NDArray[Any]) -> None:
        """Add (days,) and (days, draws) to the sum of a group, in its own steps."""
        step = STEPS[key[0]]
        some = self._at(key)
        starts = np.arange(0, self.days, step)
        some.postbacks += np.add.reduceat(postbacks, starts)
        some.draws += np.add.reduceat(draws, starts, axis=0).astype(np.float32)

    def add_groups(
        self, found: Estimate, groups: list[tuple[str, str, int]], postbacks: NDArray[Any]
    ) -> None:
        """Add an estimate whose groups are (network, source, day), in both grains."""
        for row, (network, source, day) in enumerate(groups):
            for key in ((BY_DAY, network, ""), (BY_WEEK, network, source)):
                some, step = self._at(key), day // STEPS[key[0]]
                some.postbacks[step] += postbacks[row]
                some.draws[step] += found.draws[row]

    def _at(self, key: Key) -> Sum:
        if key not in self.of:
            steps = -(-self.days // STEPS[key[0]])
            empty = np.zeros((steps, self.draws), np.float32)
            self.of[key] = Sum(np.zeros(steps, np.int64), empty)
        return self.of[key]

    @property
    def postbacks(self) -> int:
        """How many were estimated."""
        return sum(int(one.postbacks.sum()) for key, one in self.of.items() if key[0] == BY_DAY)

    def total(self, level: float = LEVEL) -> Interval:
        """Of everything."""
        of_days = [
            one.draws.sum(axis=0, dtype=float) for k, one in self.of.items() if k[0] == BY_DAY
        ]
        drawn = np.sum(of_days, axis=0) if of_days else np.zeros(self.draws)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(drawn.mean()), float(high), level)

    def made(self, run: EstimateRun) -> Made:
        """In short."""
        return Made(run, self.postbacks, None if run.why_not else self.total())

    def rows(self) -> Iterator[dict[str, Any]]:
        """As `estimate_draw` keeps them."""
        for (grain, network, source), one in self.of.items():
            yield {
                "grain": grain,
                "ad_network_id": network,
                "source_digits": source,
                "postbacks": packed(one.postbacks, "i4"),
                "drawn": packed(one.draws, "f4"),
            }
