"""Coarse levels, payers, amounts: a value as a few choices, each pooled as much as it bears.

A campaign that has few payers has them of the usual kind: how many pay differs more between
campaigns than what payers pay. So the values are split three times, and each split has a
`Hierarchy`, and with it an alpha and beta, of its own (a Dirichlet tree):

    never set | low | medium | high         coarse values count here, and nowhere below
        level   -> pays nothing | pays
        pays    -> which value; and pays nothing -> which value
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from skan_receiver.estimation.cells import LEVELS, Codes, Numbers
from skan_receiver.estimation.hierarchy import Hierarchy
from skan_receiver.estimation.scale import Scale

Leaves = tuple[Codes, ...]


# A choice between values that are all worth nothing changes no revenue: it is drawn every so
# many sweeps, which halves the time.
SELDOM = 10

# Few pay, and that the app never sets a value is rare.
PAYING_BEFORE, NEVER_BEFORE = 0.1, 0.05
RICH = 1.5


@dataclass(slots=True)
class Split:
    """One choice: each branch is the leaves it leads to, and maybe a coarse level."""

    branches: Leaves
    levels: tuple[int, ...]  # by branch; -1 for none, empty below the root
    hierarchy: Hierarchy
    worthless: bool
    drawn: Numbers  # (campaigns, branches): the latest


class Tree:
    """Shares of the values of a scale, and of "never set", which is the last leaf."""

    def __init__(self, scale: Scale, network_of: Codes, app_of: Codes, *, unset: bool) -> None:
        self.leaves = len(scale) + 1
        self.splits = [
            _split(scale, branches, levels, network_of, app_of)
            for branches, levels in _choices(scale, unset=unset)
            if len(branches) > 1
        ]
        self.never = () if unset else (len(scale),)
        self.sweeps = 0

    def sweep(self, leaves: Numbers, coarse: Numbers, random: Generator) -> Numbers:
        """Draw everything once; return shares (campaigns, leaves).

        `leaves` (campaigns, values + 1) counts fine values and "never set", `coarse`
        (campaigns, 3) coarse ones.
        """
        shares = np.ones((len(leaves), self.leaves))
        shares[:, self.never] = 0.0
        for split in self.splits:
            if not (split.worthless and self.sweeps % SELDOM):
                split.drawn = split.hierarchy.sweep(_counts(split, leaves, coarse), random)
            for branch, place in enumerate(split.branches):
                shares[:, place] *= split.drawn[:, branch, None]
        self.sweeps += 1
        return shares


def _split(
    scale: Scale, branches: Leaves, levels: tuple[int, ...], network_of: Codes, app_of: Codes
) -> Split:
    before = _before(scale)
    base = np.array([before[place].sum() for place in branches])
    worthless = not levels and not scale.pays[np.concatenate(branches)].any()
    return Split(branches, levels, Hierarchy(base, network_of, app_of), worthless, np.zeros(0))


def _before(scale: Scale) -> Numbers:
    """Shares of the leaves before anything is seen, of which little is left afterwards.

    Most is for what pays nothing, a tenth for what pays: of whom a share of (c / (x + c)) ** RICH
    pays more than x, where c is the first edge above 0. So rich buckets need to be seen to be
    believed.
    """
    upper = scale.upper[scale.pays]
    first = upper[np.isfinite(upper)].min(initial=np.inf)
    c = first if np.isfinite(first) else 1.0
    rich = (c / (scale.lower + c)) ** RICH - (c / (scale.upper + c)) ** RICH
    rich = np.where(scale.pays, np.maximum(rich, 1e-4), 0.0)
    rest = (~scale.pays).astype(float)
    shares = [one / max(one.sum(), 1e-12) for one in (rich, rest)]
    return np.append(PAYING_BEFORE * shares[0] + (1 - PAYING_BEFORE) * shares[1], NEVER_BEFORE)


def _counts(split: Split, leaves: Numbers, coarse: Numbers) -> Numbers:
    counts = np.stack([leaves[:, place].sum(axis=1) for place in split.branches], axis=1)
    for branch, level in enumerate(split.levels):
        if level >= 0:
            counts[:, branch] += coarse[:, level]
    return counts


def _choices(scale: Scale, *, unset: bool) -> Iterator[tuple[Leaves, tuple[int, ...]]]:
    """(branches, their coarse levels) of every split."""
    values = np.arange(len(scale))
    found = [n for n in range(LEVELS) if (scale.level == n).any()]
    branches = tuple(values[scale.level == n] for n in found)
    never = ((np.array([len(scale)]),), (-1,)) if unset else ((), ())
    yield branches + never[0], (*found, *never[1])
    for branch in branches:
        yield from _below(branch, scale.pays)


def _below(level: Codes, pays: NDArray[np.bool_]) -> Iterator[tuple[Leaves, tuple[int, ...]]]:
    kinds = tuple(part for part in (level[~pays[level]], level[pays[level]]) if len(part))
    yield kinds, ()
    for kind in kinds:
        yield tuple(kind[:, None]), ()
