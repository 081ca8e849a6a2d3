"""Numbers against numbers, where their rows have no ids: what counts alone can show.

Their number of a day, app and network is ours, more or less by what they count beside it or leave
out; and perhaps by a share that is the same everywhere, since much is lost on many ways. So the
size of a difference is no evidence: a fifth less is as well a fifth lost as all postbacks without
a value. How it is spread is. Of each reason that we have counts of, only what a common share cannot
imitate is looked at; the reason is believed where it explains a good part of that (`BELIEVED`), or
where it leaves no difference at all. What no reason is believed of stays in the rest, as does the
common share. Likewise dates are read as the statement says, unless another reading fits better.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate

from skan_receiver.reports.reconciling.reasons import Reason
from skan_receiver.reports.reconciling.sides import Frame, Key, View
from skan_receiver.reports.reconciling.waterfall import Waterfall

Cell = tuple[date, int, str | None]
Cells = Mapping[Cell, int]

# Beside a loss at random as large as itself a true reason explains 0.41 of what is peculiar to it,
# and one that has nothing to do with the difference less than nothing.
BELIEVED = 0.25
LEAST = 1e-6  # that shares differ by less is how floats are


@dataclass(slots=True)
class Counted:
    """Our numbers, dated in one way: installs, and what else they may count, or not.

    What they may count beside installs is positive, and what they may leave out negative.
    """

    installs: Counter[Cell] = field(default_factory=Counter)
    candidates: defaultdict[Reason, Counter[Cell]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """The best account of their number that our counts give when they are dated so."""

    frame: Frame
    reasons: tuple[Reason, ...]
    unlike: float  # what is left beside a common share


def compare(
    view: View,
    theirs: Cells,
    labelled: Mapping[Reason, Cells],
    ours: Mapping[Frame, Counted],
    waterfall: Waterfall,
) -> Fit:
    """Account for the numbers of a statement.

    `theirs` is what it adds up to; `labelled` the part of it that by its own words is no install.
    `ours` has what is in sight by each frame of `sides.frames`, the most likely first, and by our
    own.
    """
    own = ours[view.frame]
    difference: Counter[Cell] = Counter(theirs)
    for cells in labelled.values():
        difference.subtract(cells)
    fits = (_fit(view, difference, frame, ours[frame]) for frame in ours)
    fit = min(fits, key=lambda fit: fit.unlike)
    chosen = ours[fit.frame]
    for cell in {*theirs, *own.installs}:
        key = view.key(*cell)
        waterfall.they_count(key, theirs.get(cell, 0))
        waterfall.we_count(key, own.installs[cell])
    for reason, cells in labelled.items():
        _because(view, waterfall, reason, cells, -1)
    for reason in fit.reasons:
        _because(view, waterfall, reason, _covered(view, chosen.candidates[reason]), -1)
    outside = {cell: n for cell, n in chosen.installs.items() if not view.terms.covers(cell[0])}
    _because(view, waterfall, Reason.OUTSIDE, outside, 1)
    _redated(view, fit.frame, ours, waterfall)
    return fit


def _fit(view: View, theirs: Cells, frame: Frame, ours: Counted) -> Fit:
    """The reasons that are believed: those that help, without those that help too little."""
    installs = _covered(view, ours.installs)
    every = {reason: _covered(view, cells) for reason, cells in ours.candidates.items()}
    candidates = {reason: cells for reason, cells in every.items() if any(cells.values())}
    left = _less(theirs, installs)
    chosen: list[Reason] = []
    unlike = _unlike(left, installs)
    while better := _best(left, candidates, chosen, installs, unlike):
        reason, unlike = better
        left = _less(left, candidates[reason])
        chosen.append(reason)
    for reason in tuple(chosen):
        without = _less(left, candidates[reason], sign=1)
        gain = _unlike(without, installs) - unlike
        if gain < BELIEVED * _unlike(candidates[reason], installs):
            chosen.remove(reason)
            left, unlike = without, _unlike(without, installs)
    if exact := [r for r, cells in candidates.items() if any(left.values()) and left == cells]:
        chosen, unlike = [*chosen, exact[0]], 0
    return Fit(frame, tuple(chosen), unlike)


def _best(
    left: Cells,
    candidates: Mapping[Reason, Cells],
    chosen: Sequence[Reason],
    installs: Cells,
    unlike: float,
) -> tuple[Reason, float] | None:
    """The reason that helps most, and what is unlike after it; None where none helps."""
    after = {
        reason: _unlike(_less(left, cells), installs)
        for reason, cells in candidates.items()
        if reason not in chosen
    }
    best = min(after, key=after.__getitem__, default=None)
    return (best, after[best]) if best is not None and after[best] < unlike - LEAST else None


def _unlike(cells: Cells, installs: Cells) -> float:
    """How much of `cells` no common share of our installs can imitate; without signs.

    The share that imitates best is the weighted median of the shares of each cell.
    """
    shares = sorted((cells.get(cell, 0) / n, n) for cell, n in installs.items() if n)
    upto = list(accumulate(n for _, n in shares))
    share = shares[bisect_left(upto, upto[-1] / 2)][0] if shares else 0.0
    everywhere = {**dict.fromkeys(installs, 0), **cells}
    return sum(abs(n - share * installs.get(cell, 0)) for cell, n in everywhere.items())


def _less(cells: Cells, other: Cells, *, sign: int = -1) -> Counter[Cell]:
    """The one without the other; cells of 0 are none."""
    left: Counter[Cell] = Counter(cells)
    for cell, n in other.items():
        left[cell] += sign * n
        if not left[cell]:
            del left[cell]
    return left


def _covered(view: View, cells: Cells) -> dict[Cell, int]:
    return {cell: n for cell, n in cells.items() if n and view.terms.covers(cell[0])}


def _redated(view: View, frame: Frame, ours: Mapping[Frame, Counted], waterfall: Waterfall) -> None:
    """From their dates to ours: first by arrival, then in our time zone."""
    arrived = Frame(frame.zone)
    steps = (
        (Reason.DATE_BASIS, frame, arrived),
        (Reason.TIME_ZONE, arrived, view.frame),
    )
    for reason, before, after in steps:
        if before != after:
            _because(view, waterfall, reason, ours[after].installs, 1)
            _because(view, waterfall, reason, ours[before].installs, -1)


def _because(view: View, waterfall: Waterfall, reason: Reason, cells: Cells, sign: int) -> None:
    sums: Counter[Key | None] = Counter()
    for cell, n in cells.items():
        sums[view.key(*cell)] += sign * n
    for key, n in sums.items():
        waterfall.because(reason, key, n)
