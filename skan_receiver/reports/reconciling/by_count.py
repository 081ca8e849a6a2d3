"""Numbers against numbers, where their rows have no ids: what counts alone can show.

Their number of a day, app and network is ours, and what they count beside it or leave out. So each
reason that a count of ours can be behind is tried: it is believed where it takes away at least
half as much of the difference, summed over all cells without their signs, as it is large.
Otherwise it is a coincidence, and what it would have explained stays in the rest. Likewise their
dates are taken as the statement says, unless another reading leaves less unexplained.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from skan_receiver.reports.reconciling.reasons import Reason
from skan_receiver.reports.reconciling.sides import Frame, Key, View
from skan_receiver.reports.reconciling.waterfall import Waterfall

Cell = tuple[date, int, str | None]
Cells = Mapping[Cell, int]

# A reason is believed where it takes away this much of what it is large.
BELIEVED = 0.5


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
    unexplained: int  # over all cells, without signs


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
    fit = min((_fit(view, theirs, labelled, frame, ours[frame]) for frame in ours), key=_rest)
    own, chosen = ours[view.frame], ours[fit.frame]
    for cell in {*theirs, *own.installs, *chosen.installs}:
        key = view.key(*cell)
        waterfall.they_count(key, theirs.get(cell, 0))
        waterfall.we_count(key, own.installs[cell])
    for reason, cells in labelled.items():
        _because(view, waterfall, reason, cells, -1)
    for reason in fit.reasons:
        _because(view, waterfall, reason, _covered(view, chosen.candidates[reason]), -1)
    _because(view, waterfall, Reason.OUTSIDE, _uncovered(view, chosen.installs), 1)
    _redated(view, fit.frame, ours, waterfall)
    return fit


def _rest(fit: Fit) -> int:
    return fit.unexplained


def _fit(
    view: View, theirs: Cells, labelled: Mapping[Reason, Cells], frame: Frame, ours: Counted
) -> Fit:
    """Which reasons explain most, taken one by one."""
    left: Counter[Cell] = Counter(theirs)
    for cells in labelled.values():
        left.subtract(cells)
    left.subtract(_covered(view, ours.installs))
    candidates = {reason: _covered(view, cells) for reason, cells in ours.candidates.items()}
    chosen: list[Reason] = []
    while best := _best(left, candidates):
        left.subtract(candidates.pop(best))
        chosen.append(best)
    return Fit(frame, tuple(chosen), sum(map(abs, left.values())))


def _best(left: Cells, candidates: Mapping[Reason, Cells]) -> Reason | None:
    """The candidate that takes away most of what is left; None where none is believed."""
    gains = {reason: _gain(left, cells) for reason, cells in candidates.items()}
    believed = [
        reason
        for reason, gain in gains.items()
        if gain > 0 and gain >= BELIEVED * sum(map(abs, candidates[reason].values()))
    ]
    return max(believed, key=lambda reason: gains[reason], default=None)


def _gain(left: Cells, cells: Cells) -> int:
    return sum(abs(left.get(cell, 0)) - abs(left.get(cell, 0) - n) for cell, n in cells.items())


def _covered(view: View, cells: Cells) -> dict[Cell, int]:
    return {cell: n for cell, n in cells.items() if view.terms.covers(cell[0])}


def _uncovered(view: View, cells: Cells) -> dict[Cell, int]:
    return {cell: n for cell, n in cells.items() if not view.terms.covers(cell[0])}


def _redated(view: View, frame: Frame, ours: Mapping[Frame, Counted], waterfall: Waterfall) -> None:
    """From their dates to ours: first by arrival, then in our time zone."""
    arrived = Frame(frame.zone)
    steps: Sequence[tuple[Reason, Frame, Frame]] = (
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
