"""What arrived, by group: the counts an estimate is made from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skan_receiver.errors import ConfigurationError

Counts = NDArray[np.int64]
Codes = NDArray[np.intp]
Numbers = NDArray[np.float64]

LEVELS = 3  # low, medium, high


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts of the postbacks of one window. Every array has a row per group.

    A group is what one wants numbers of: usually a campaign on a day. Codes are whole numbers
    from 0 on; a campaign belongs to the network of its first group, a network to its first app.
    Made by `of`, which fills in what is not said.
    """

    fine: Counts  # (groups, values)
    coarse: Counts  # (groups, 3): low, medium, high
    absent: Counts  # (groups,): withheld or never set, and nothing tells which
    unset: Counts  # (groups,): without a value although the tier would have shown it: never set
    campaign: Codes  # (groups,)
    network: Codes  # (groups,)
    app: Codes  # (groups,)
    period: Codes  # (groups,): groups of one period share a schema change
    weights: Numbers  # (groups, versions): how likely each version of the schema was in force

    @classmethod
    def of(
        cls,
        fine: ArrayLike,
        *,
        coarse: ArrayLike | None = None,
        absent: ArrayLike | None = None,
        unset: ArrayLike | None = None,
        campaign: ArrayLike | None = None,
        network: ArrayLike | None = None,
        app: ArrayLike | None = None,
        period: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> "Cells":
        """Counts not given are 0; each group is a campaign of its own; one network, one app.

        ConfigurationError where shapes do not match, counts are negative, or weights are not
        shares.
        """
        counts = np.atleast_2d(np.asarray(fine, np.int64))
        n = len(counts)
        none = np.zeros(n)
        cells = cls(
            fine=counts,
            coarse=_given(coarse, np.zeros((n, LEVELS)), np.int64),
            absent=_given(absent, none, np.int64),
            unset=_given(unset, none, np.int64),
            campaign=_given(campaign, np.arange(n), np.intp),
            network=_given(network, none, np.intp),
            app=_given(app, none, np.intp),
            period=_given(period, none, np.intp),
            weights=_given(weights, np.ones((n, 1)), np.float64),
        )
        cells._check()
        return cells

    def _check(self) -> None:
        n = len(self.fine)
        shapes = {name: getattr(self, name).shape for name in ("absent", "unset", *_CODES)}
        if wrong := [name for name, shape in shapes.items() if shape != (n,)]:
            raise ConfigurationError(f"cells: {', '.join(wrong)}: not one number per group ({n})")
        if self.coarse.shape != (n, LEVELS) or self.weights.shape[0] != n:
            raise ConfigurationError("cells: coarse and weights need a row per group")
        if any(getattr(self, name).min(initial=0) < 0 for name in (*_COUNTS, *_CODES)):
            raise ConfigurationError("cells: counts and codes are not negative")
        if not np.allclose(self.weights.sum(axis=1), 1) or self.weights.min(initial=0) < 0:
            raise ConfigurationError("cells: the weights of each group are shares, together 1")

    @property
    def known(self) -> Numbers:
        """(groups,): postbacks with a value, fine or coarse."""
        counts = self.fine.sum(axis=1) + self.coarse.sum(axis=1)
        return np.asarray(counts, np.float64)

    def __len__(self) -> int:
        return len(self.fine)


_COUNTS = ("fine", "coarse", "absent", "unset")
_CODES = ("campaign", "network", "app", "period")


def _given(array: ArrayLike | None, otherwise: NDArray[Any], kind: Any) -> NDArray[Any]:
    return np.asarray(otherwise if array is None else array, kind)


def home(inner: Codes, outer: Codes) -> Codes:
    """The outer code of each inner one, by its first group; 0 for codes that are not used."""
    found = np.zeros(inner.max(initial=-1) + 1, np.intp)
    first, where = np.unique(inner, return_index=True)
    found[first] = outer[where]
    return found


def least_tier(*, digits: int, publisher: bool, fine: bool, coarse: bool) -> int:
    """The lowest of Apple's tiers that window 0's fields allow, SKAdNetwork 4 or AdAttributionKit.

    A source identifier of 3 or 4 digits, or a fine value, needs tier 2; a publisher tier 3; a
    coarse value tier 1. Where it is 2 or more and there is no value, nobody withheld one: such
    postbacks are `unset`, the other ones without a value `absent`.
    https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
    """
    if publisher:
        return 3
    if digits > 2 or fine:
        return 2
    return int(coarse)
