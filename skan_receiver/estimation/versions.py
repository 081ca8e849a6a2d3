"""Counts by version of the schema: parted once where that is certain, at every draw where not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array

from skan_receiver.estimation.cells import Cells, Codes, Numbers
from skan_receiver.estimation.hierarchy import add_up, dirichlet

CERTAIN = 1 - 1e-9

# The weights are a period's expected shares; the realised ones vary about them as if that many
# installs had been asked.
TRUST = 20.0


@dataclass(frozen=True, slots=True)
class Part:
    """The counts of some groups under one version; one row per group."""

    group: Codes  # which groups
    campaign: Codes
    leaves: Any  # (rows, values + 1), sparse where it stays as it is
    coarse: Numbers  # (rows, 3)
    absent: Numbers  # (rows,)

    def by_campaign(self, campaigns: int) -> tuple[Numbers, Numbers]:
        """(campaigns, values + 1) and (campaigns, 3)."""
        leaves = self.leaves.toarray() if isinstance(self.leaves, csr_array) else self.leaves
        return (
            add_up(leaves, self.campaign, campaigns),
            add_up(self.coarse, self.campaign, campaigns),
        )


def certain(cells: Cells, version: int) -> Part:
    """The groups that `version` alone can have been in force for."""
    rows = np.flatnonzero(cells.weights[:, version] >= CERTAIN)
    part = _part(cells, rows)
    return Part(part.group, part.campaign, csr_array(part.leaves), part.coarse, part.absent)


def _part(cells: Cells, rows: Codes) -> Part:
    leaves = np.column_stack([cells.fine[rows], cells.unset[rows]]).astype(np.float64)
    numbers = cells.coarse[rows].astype(float), cells.absent[rows].astype(float)
    return Part(rows, cells.campaign[rows], leaves, *numbers)


class Doubtful:
    """The groups that several versions can have been in force for."""

    def __init__(self, cells: Cells) -> None:
        rows = np.flatnonzero(cells.weights.max(axis=1) < CERTAIN)
        self.all = _part(cells, rows)
        self.said = cells.weights[rows]
        # One change of the schema meets all campaigns of an app in a period alike.
        keys = np.column_stack([cells.app[rows], cells.period[rows]])
        self.moment = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
        self.shares = self.said.copy()

    def __len__(self) -> int:
        return len(self.all.group)

    def parted(
        self, shares: Sequence[Numbers], levels: Sequence[Numbers], random: Generator
    ) -> list[Part]:
        """One draw of who had which version, given each version's shares of leaves and levels.

        `shares` are (campaigns, values + 1) and `levels` (campaigns, 3), by version.
        """
        who = self.all.campaign
        leaves = self._split(self.all.leaves, [of[who] for of in shares], random)
        coarse = self._split(self.all.coarse, [of[who] for of in levels], random)
        absent = self._split(self.all.absent[:, None], [1.0] * len(shares), random)
        self._learn([a.sum(1) + b.sum(1) for a, b in zip(leaves, coarse, strict=True)], random)
        return [
            Part(self.all.group, who, one, two, three[:, 0])
            for one, two, three in zip(leaves, coarse, absent, strict=True)
        ]

    def _split(self, counts: Numbers, likely: Sequence[Any], random: Generator) -> list[Numbers]:
        odds = [self.shares[:, [n]] * of + 1e-300 for n, of in enumerate(likely)]
        left, rest, parts = counts, np.sum(np.broadcast_arrays(*odds), axis=0), []
        for one in odds[:-1]:
            part = random.binomial(left.astype(np.int64), np.clip(one / rest, 0, 1))
            parts.append(part.astype(float))
            left, rest = left - part, np.maximum(rest - one, 1e-300)
        return [*parts, left]

    def _learn(self, seen: Sequence[Numbers], random: Generator) -> None:
        """Draw each period's shares anew, from what it was said to be and what was found."""
        n = int(self.moment.max(initial=-1)) + 1
        found = add_up(np.stack(seen, axis=1), self.moment, n)
        size = np.bincount(self.moment, minlength=n)[:, None]
        expected = add_up(self.said, self.moment, n) / np.maximum(size, 1)
        drawn = dirichlet(TRUST * expected + found, random)[self.moment]
        possible = np.where(self.said > 0, drawn, 0.0)
        self.shares = possible / possible.sum(axis=1, keepdims=True)
