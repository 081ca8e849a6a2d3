"""What can be told of a user, and boxes of it: the ground every schema model stands on.

A box says of some dimensions in which range they lie, and of all others nothing. A rule is a
box; what a value means is the box of its rule without the boxes of the rules before it.
"""

from collections.abc import Iterable, Mapping
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
MOST_BOXES = 256


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
    if TOTAL not in box:
        return True
    iap, ad, total = (box.get(dimension, ANY) for dimension in (IAP, AD, TOTAL))
    least = (iap.start[0] + ad.start[0], max(iap.start[1], ad.start[1]))
    most = (iap.end[0] + ad.end[0], min(iap.end[1], ad.end[1]))
    return least < total.end and total.start < most


def without(box: Box, other: Box) -> list[Box]:
    """What is left of `box` outside `other`, as boxes that share nothing."""
    if meet(box, other) is None:
        return [box]
    left: list[Box] = []
    inside = dict(box)
    for dimension, range_ in other.items():
        here = inside.get(dimension, everything(dimension))
        left += ({**inside, dimension: outside} for outside in here.minus(range_))
        inside[dimension] = here & range_
    return [piece for piece in left if possible(piece)]


def remainder(boxes: Iterable[Box], taken: Iterable[Box]) -> tuple[list[Box], bool]:
    """What is left of `boxes` outside all of `taken`, and whether nothing was left unsubtracted.

    Where the pieces become too many, a box of `taken` is passed over: what is left is then too
    much, never too little.
    """
    left, exact = list(boxes), True
    for other in taken:
        pieces = [piece for box in left for piece in without(box, other)]
        if len(pieces) > MOST_BOXES:
            exact = False
            continue
        left = pieces
    return left, exact


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box with all of them in it, silent where one of them is silent."""
    first, *rest = boxes
    around = dict(first)
    for box in rest:
        around = {dim: range_ | box[dim] for dim, range_ in around.items() if dim in box}
    return {dim: range_ for dim, range_ in around.items() if range_ != everything(dim)}
