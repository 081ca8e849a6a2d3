"""Retention: the last day on which the user was active."""

from typing import Annotated, Literal

from pydantic import Field

from skan_receiver.conversion.boxes import TIME
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.models.ladder import Ladder, Rising
from skan_receiver.conversion.ranges import buckets


class Retention(Ladder):
    """Days since the install; the lowest rung is before the first of `days`."""

    model: Literal["retention"]
    days: Annotated[list[Annotated[int, Field(ge=1, le=35)]], Rising] = Field(
        min_length=1, max_length=35, description="the day each rung begins at; day 1 is 24 hours on"
    )

    def cells(self, place: Place) -> list[Cell]:
        ranges = buckets([day * 24 for day in self.days])
        values = self.rungs(len(ranges), place, "days")
        return [
            Cell(value, {TIME: range_}, ("days", max(0, rung - 1)))
            for rung, (value, range_) in enumerate(zip(values, ranges, strict=False))
        ]
