"""Rules in order: all conditions of a rule must hold, and one rule wins."""

from typing import Literal

from pydantic import Field

from skan_receiver.conversion.boxes import Box, meet
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.meaning import rank
from skan_receiver.conversion.models.revenue import Tail
from skan_receiver.conversion.written import Coarse, Condition, Written, WrittenValue


class Rule(Written):
    value: WrittenValue = Field(description="the value to set: 0 to 63, or low, medium, high")
    label: str = Field("", max_length=200, description="a name for people")
    coarse: Coarse | None = Field(None, description="the coarse value sent along with a fine one")
    lock: bool = Field(False, description="true: lock the window once this value is set")
    tail: Tail | None = Field(
        None, description="what users are worth on average, where their revenue has no upper end"
    )
    when: list[Condition] = Field([], description="all of these must hold; none: always")


def joint_box(conditions: list[Condition]) -> Box | None:
    """The users for whom all conditions hold; None where two exclude each other."""
    box: Box | None = {}
    for condition in conditions:
        box = None if box is None else meet(box, condition.box())
    return box


class Rules(Written):
    """An ordered list of rules. Values of one rule may come twice: then either rule gives it."""

    model: Literal["rules"]
    pick: Literal["first", "highest"] = Field(
        "first", description="which rule wins: the first in the list, or that of the highest value"
    )
    rules: list[Rule] = Field(min_length=1, max_length=256)

    def cells(self, place: Place) -> list[Cell]:
        written = (_cell(rule, index, place) for index, rule in enumerate(self.rules))
        cells = [cell for cell in written if cell]
        return highest_first(cells) if self.pick == "highest" else cells


def _cell(rule: Rule, index: int, place: Place) -> Cell | None:
    if not place.fits(rule.value, "rules", index, "value"):
        return None
    if place.is_coarse and rule.coarse:
        place.problems.error("belongs to fine values only: delete it", "rules", index, "coarse")
    if (box := joint_box(rule.when)) is None:
        place.problems.error("has conditions that exclude each other", "rules", index, "when")
        return None
    at = ("rules", index)
    tail = _tail(rule, box, place, index)
    return Cell(rule.value, box, at, rule.label, rule.coarse, rule.lock, tail)


def _tail(rule: Rule, box: Box, place: Place, index: int) -> float | None:
    if rule.tail is None:
        return None
    edges = [of.min for what, of in box.items() if what.kind == "revenue" and of.max is None]
    if not edges:
        problem = "states a mean where no revenue is open to the top: delete it"
        place.problems.error(problem, "rules", index, "tail")
        return None
    if (mean := rule.tail.of(max(edges))) < max(edges):
        problem = "has a mean below the revenue that its rule begins with"
        place.problems.error(problem, "rules", index, "tail")
    return mean


def highest_first(cells: list[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: rank(cell.value), reverse=True)
