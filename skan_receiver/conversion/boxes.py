"""What can be told of a user, and boxes of it: the ground every schema model stands on.

A box says of some dimensions in which range they lie, and of all others nothing. A rule is a
box; what a value means is the box of its rule without the boxes of the rules before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from skan_receiver.conversion.ranges import ANY, Range

Kind = Literal["event", "event revenue", "revenue", "time", "flag"]


class Dimension(NamedTuple):
    """One thing that can be told of a user: how often, how much, how long, whether."""

    kind: Kind
    name: str


TIME = Dimension("time", "hours")  # from the install to the user's last activity
IAP, AD, TOTAL = (Dimension("revenue", kind) for kind in ("iap", "ad", "total"))

Box = Mapping[Dimension, Range]
Point = Mapping[Dimension, float]

_FLAG = Range((0.0, 0), (2.0, 0))

# More boxes than this are not told apart: 64 rules of many conditions each could cut
# the ground into billions. Meanings then stay true and become less sharp.
MOST_BOXES = 8


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a box, and whether that is exact or includes some that was taken."""

    boxes: tuple[Box, ...]
    exact: bool


def everything(dimension: Dimension) -> Range:
    """Every number the dimension can have."""
    return _FLAG if dimension.kind == "flag" else ANY


def holds(box: Box, point: Point) -> bool:
    """Whether a user at `point` is in the box. What the point does not say is 0."""
    return all(point.get(dimension, 0) in range_ for dimension, range_ in box.items())


def meet(one: Box, other: Box) -> Box | None:
    """The box of what is in both, None where nothing is."""
    both = dict(one)
    for dimension, range_ in other.items():
        both[dimension] = both.get(dimension, everything(dimension)) & range_
        if both[dimension].empty:
            return None
    return both if possible(both) else None


def possible(box: Box) -> bool:
    """Whether total revenue can be the sum of the two others."""
    if TOTAL not in box or not (IAP in box or AD in box):
        return True
    iap, ad, total = (box.get(dimension, ANY) for dimension in (IAP, AD, TOTAL))
    least = (iap.start[0] + ad.start[0], max(iap.start[1], ad.start[1]))
    most = (iap.end[0] + ad.end[0], min(iap.end[1], ad.end[1]))
    return least < total.end and total.start < most


def apart(box: Box, other: Box) -> bool:
    """Whether nobody is in both."""
    for dimension, range_ in other.items():
        here = box.get(dimension)
        if here is not None and (range_.start >= here.end or here.start >= range_.end):
            return True
    sums = (TOTAL in box or TOTAL in other) and any(k in box or k in other for k in (IAP, AD))
    return sums and meet(box, other) is None


def without(box: Box, other: Box) -> list[Box]:
    """What is left of `box` outside `other`, as boxes that share nothing."""
    if apart(box, other):
        return [box]
    left: list[Box] = []
    inside = dict(box)
    for dimension, range_ in other.items():
        here = inside.get(dimension) or everything(dimension)
        if here.start < range_.start:
            left.append({**inside, dimension: Range(here.start, range_.start)})
        if range_.end < here.end:
            left.append({**inside, dimension: Range(range_.end, here.end)})
        inside[dimension] = here & range_
    return [piece for piece in left if possible(piece)]


def remainder(box: Box, taken: Sequence[Box], *, most: int = MOST_BOXES) -> Remainder:
    """What is left of `box` outside all of `taken`.

    Where the pieces would become more than `most`, some of `taken` is passed over: what is left
    is then too much, never too little. Those that leave one piece are taken away first.
    """
    taken = [other for other in taken if not apart(box, other)]
    left = _whittled(box, taken)
    if left is None:
        return Remainder((), exact=True)
    boxes, exact = [left], True
    for other in taken:
        pieces = _pieces(boxes, other, most)
        exact = exact and pieces is not None
        boxes = boxes if pieces is None else pieces
    return Remainder(tuple(boxes), exact)


def _pieces(boxes: Sequence[Box], other: Box, most: int) -> list[Box] | None:
    """`boxes` without `other`; None where that is more than `most`."""
    pieces: list[Box] = []
    for box in boxes:
        pieces += without(box, other)
        if len(pieces) > most:
            return None
    return pieces


def _whittled(box: Box, taken: Sequence[Box]) -> Box | None:
    """`box` without all that leaves a single piece of it; None where nothing is left."""
    while True:
        before = box
        for other in taken:
            pieces = without(box, other)
            if not pieces:
                return None
            if len(pieces) == 1:
                (box,) = pieces
        if box == before:
            return box


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box with all of them in it, silent where one of them is silent."""
    first, *rest = boxes
    around = dict(first)
    for box in rest:
        around = {dim: range_ | box[dim] for dim, range_ in around.items() if dim in box}
    return {dim: range_ for dim, range_ in around.items() if range_ != everything(dim)}
