"""Engagement: how often one event happened."""

from typing import Annotated, Literal

from pydantic import Field

from skan_receiver.conversion.boxes import Dimension
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.models.ladder import Ladder, Rising
from skan_receiver.conversion.ranges import buckets
from skan_receiver.conversion.written import Count, Name


class Engagement(Ladder):
    """Counts of one event in buckets; the lowest rung is below the first count."""

    model: Literal["engagement"]
    event: Name = Field(description="an event of `events`")
    counts: Annotated[list[Annotated[Count, Field(ge=1)]], Rising] = Field(
        min_length=1, max_length=63, description="the count each rung begins at"
    )

    def cells(self, place: Place) -> list[Cell]:
        ranges = buckets(self.counts)
        values = self.rungs(len(ranges), place, "counts")
        event = Dimension("event", self.event)
        return [
            Cell(value, {event: range_}, ("counts", max(0, rung - 1)))
            for rung, (value, range_) in enumerate(zip(values, ranges, strict=False))
        ]
