"""Ranges of counts, money and hours, whose two bounds are always said.

An end is a cut: a number, and whether the cut is made just before it (0) or just after (1).
So "at least 5" starts at (5, 0), "more than 5" at (5, 1), and every question about bounds
is a comparison of two pairs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

Cut = tuple[float, int]

BEFORE, AFTER = 0, 1
NOTHING: Cut = (0.0, BEFORE)
ENDLESS: Cut = (inf, BEFORE)


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from `start` up to `end`; by default every number from 0 on."""

    start: Cut = NOTHING
    end: Cut = ENDLESS

    @property
    def min(self) -> float:
        return self.start[0]

    @property
    def max(self) -> float | None:
        """None where the range is open to the top."""
        return None if self.end == ENDLESS else self.end[0]

    @property
    def bounds(self) -> str:
        """Which ends belong to it: "[)" has its minimum, and not its maximum."""
        return ("[" if self.start[1] == BEFORE else "(") + ("]" if self.end[1] == AFTER else ")")

    @property
    def empty(self) -> bool:
        return self.start >= self.end

    def __contains__(self, number: float) -> bool:
        return self.start <= (number, BEFORE) < self.end

    def __and__(self, other: "Range") -> "Range":
        return Range(max(self.start, other.start), min(self.end, other.end))

    def __or__(self, other: "Range") -> "Range":
        """The shortest range with both in it."""
        return Range(min(self.start, other.start), max(self.end, other.end))

    def as_dict(self) -> dict[str, float | str | None]:
        return {"min": self.min, "max": self.max, "bounds": self.bounds}


ANY = Range()
NEVER = Range(NOTHING, (1.0, BEFORE))  # of a count


def whole(range_: Range) -> Range:
    """The same range of whole numbers, every cut made before one: "more than 2" is "3 on"."""
    return Range(_before(range_.start), _before(range_.end))


def _before(cut: Cut) -> Cut:
    number, side = cut
    return cut if number == inf else (float(int(number) + side), BEFORE)


def buckets(edges: Sequence[float], *, upper_included: bool = False) -> list[Range]:
    """The ranges that `edges` cut the numbers from 0 on into, the last one open to the top."""
    side = AFTER if upper_included else BEFORE
    cuts: Iterable[Cut] = (NOTHING, *((float(edge), side) for edge in edges), ENDLESS)
    return [Range(start, end) for start, end in pairwise(cuts)]
