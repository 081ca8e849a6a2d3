"""A funnel: how far a user has come."""

from typing import Literal

from pydantic import Field

from skan_receiver.conversion.boxes import Box, meet, without
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.models.ladder import Ladder
from skan_receiver.conversion.written import Condition


class Funnel(Ladder):
    """Steps in order. The lowest rung is before the first step.

    Nested, a step counts once all steps before it are done: a value then says that they are.
    Not nested, the furthest step counts: a value then says nothing of the steps before it.
    """

    model: Literal["funnel"]
    nested: bool = Field(True, description="whether a step needs all the steps before it")
    steps: list[Condition] = Field(min_length=1, max_length=63, description="the first one first")

    def cells(self, place: Place) -> list[Cell]:
        values = self.rungs(len(self.steps) + 1, place, "steps")
        boxes = self._boxes(place)
        if not values or len(boxes) <= len(self.steps):
            return []
        rungs = zip(values, boxes, strict=True)
        cells = [Cell(v, box, ("steps", max(0, i - 1))) for i, (v, box) in enumerate(rungs)]
        return cells[::-1]

    def _boxes(self, place: Place) -> list[Box]:
        """The box of every rung, the lowest first; fewer where a step cannot be reached."""
        boxes: list[Box] = [{}]
        for index, step in enumerate(self.steps):
            before = boxes[-1] if self.nested else {}
            if (box := meet(before, step.box())) is None:
                place.problems.error("excludes a step before it: nobody gets here", "steps", index)
                return boxes
            if self.nested and not without(before, box):
                what = "is already implied by the steps before it: delete it, or ask for more"
                place.problems.error(what, "steps", index)
            boxes.append(box)
        if not self.nested and len(self.steps) > 1:
            what = "a value says nothing of the steps below its own: they decode as unknown"
            place.problems.warn(f"{what}; nested: true makes a step need them", "nested")
        return boxes
