"""What the models that climb one step after the other have in common: where the steps stand."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from skan_receiver.conversion.cells import Place
from skan_receiver.conversion.meaning import Value, rank
from skan_receiver.conversion.written import Written, WrittenValue


def rising(edges: list[Any]) -> list[Any]:
    """Edges of buckets: each above the one before it."""
    for index, (one, other) in enumerate(pairwise(edges), start=1):
        if one >= other:
            raise ValueError(f"must rise: item {index + 1}, {other}, is not above {one}")
    return edges


Rising = AfterValidator(rising)


def _rising_values(values: list[Value]) -> list[Value]:
    rising([rank(value) for value in values])
    return values


class Ladder(Written):
    """A ladder takes the values from `first` on, or those of `values`.

    Gaps between `values` leave room for later rungs.
    """

    first: int = Field(0, ge=0, le=63, description="the value of the lowest rung")
    values: Annotated[list[WrittenValue], AfterValidator(_rising_values)] | None = Field(
        None, description="the value of every rung, from the lowest up, instead of `first`"
    )

    def rungs(self, count: int, place: Place, at: str) -> Sequence[Value]:
        """The values of `count` rungs, lowest first; none, and a mistake, where they do not fit."""
        if self.values is None:
            return place.row(count, self.first, at)
        if len(self.values) != count:
            if place.problems.partial:
                return ()
            what = f"names {len(self.values)} values for {count} rungs: write one for each"
            place.problems.error(f"{what} (the lowest rung is what is below all others)", "values")
            return ()
        fit = [place.fits(value, "values", index) for index, value in enumerate(self.values)]
        return self.values if all(fit) else ()
