"""Several models in one schema: the first part with a value for the user gives it."""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.models.parts import Part
from skan_receiver.conversion.written import Written


class Mixed(Written):
    """Say the most telling part first: buckets for payers, then a funnel for all others."""

    model: Literal["mixed"]
    parts: list[Part] = Field(min_length=2, max_length=16, description="the first fit wins")

    def cells(self, place: Place) -> list[Cell]:
        cells: list[Cell] = []
        for index, part in enumerate(self.parts):
            inside = Place(place.values, place.problems.under("parts", index))
            cells += (replace(c, at=("parts", index, *c.at)) for c in part.cells(inside))
        return cells
