"""What others do with withheld values and late arrivals: points without an interval.

Here to be compared with, never to be reported. Sources: the MMPs' own pages, as listed in
docs/estimation.md.
"""

import numpy as np
from numpy.typing import ArrayLike

from skan_receiver.conversion.timing import usual_install
from skan_receiver.estimation.cells import LEVELS, Cells, Counts, Numbers
from skan_receiver.estimation.hierarchy import add_up
from skan_receiver.estimation.scale import Scale

# "Forced" top of an open bucket: as wide again as the bucket below begins.
FORCED = 1.5


def drop_nulls(cells: Cells, scale: Scale) -> Numbers:
    """(groups,): the known values at their middles (open ones at the stated mean)."""
    return _known(cells, scale.middle, scale)


def nulls_as_zero(cells: Cells, scale: Scale) -> Numbers:
    """(groups,): an absent value read as the value 0."""
    return np.asarray(drop_nulls(cells, scale) + cells.absent * scale.middle[0], np.float64)


def bucket_midpoints(cells: Cells, scale: Scale) -> Numbers:
    """(groups,): middles alone, the open bucket's with a forced top; nulls dropped."""
    top = np.where(scale.open, scale.lower * (2 * FORCED - 1), scale.upper)
    return _known(cells, (scale.lower + top) / 2, scale)


def ratio(cells: Cells, scale: Scale) -> Numbers:
    """(groups,): per campaign, the known revenue over the share of postbacks that have a value.

    Spread over a campaign's groups by their postbacks. A campaign without any value takes the
    ratio of all together, which is more than the method itself has to say.
    """
    known, all_ = cells.known, cells.known + cells.absent + cells.unset
    n = int(cells.campaign.max(initial=-1)) + 1
    money, seen = (add_up(of, cells.campaign, n) for of in (drop_nulls(cells, scale), known))
    each = np.where(seen > 0, money / np.maximum(seen, 1), money.sum() / max(seen.sum(), 1))
    return np.asarray(each[cells.campaign] * all_, np.float64)


def fixed_offset(
    arrivals: ArrayLike, window: int, *, version: str = "4.0", grain: int = 24
) -> Numbers:
    """(steps,): arrivals moved back by 84, 252 or 924 hours, by window; 48 up to SKAdNetwork 3.

    Half a day is half of it on either day.
    """
    counts = np.asarray(arrivals, np.float64)
    whole, part = divmod(usual_install(version, window).total_seconds() / 3600 / grain, 1)
    return (1 - part) * _back(counts, int(whole)) + part * _back(counts, int(whole) + 1)


def _known(cells: Cells, worth: Numbers, scale: Scale) -> Numbers:
    levels = _levels(worth, cells.fine.sum(axis=0), scale)
    return np.asarray(cells.fine @ worth + cells.coarse @ levels, np.float64)


def _levels(worth: Numbers, seen: Counts, scale: Scale) -> Numbers:
    """The middle of a coarse level; one that is open is worth what its fine values are."""
    found = np.zeros(LEVELS)
    for level in range(LEVELS):
        at = scale.level == level
        if scale.open[at].any():
            found[level] = seen[at] @ worth[at] / seen[at].sum() if seen[at].any() else worth[at][0]
        elif at.any():
            found[level] = (scale.lower[at].min() + scale.upper[at].max()) / 2
    return found


def _back(counts: Numbers, steps: int) -> Numbers:
    moved = np.zeros(len(counts))
    moved[: max(0, len(counts) - steps)] = counts[steps:]
    return moved
