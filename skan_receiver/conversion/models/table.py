"""A table: every value written out, meaning what is written and no more."""

from typing import Literal

from pydantic import Field

from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.models.rules import highest_first, joint_box
from skan_receiver.conversion.written import Coarse, Condition, Written, WrittenValue


class Entry(Written):
    label: str = Field("", max_length=200, description="a name for people")
    coarse: Coarse | None = Field(None, description="the coarse value sent along with a fine one")
    lock: bool = Field(False, description="true: lock the window once this value is set")
    when: list[Condition] = Field([], description="what is true of a user with this value")


class Table(Written):
    """For schemas that somebody else encodes: what each value means is known, its rule is not.

    Of several entries that fit, the device sets the highest; nothing is inferred from those
    it did not set.
    """

    model: Literal["table"]
    values: dict[WrittenValue, Entry] = Field(
        min_length=1,
        description="value: what it says",
        json_schema_extra={"propertyNames": {"pattern": "^([1-5]?[0-9]|6[0-3]|low|medium|high)$"}},
    )

    def cells(self, place: Place) -> list[Cell]:
        cells = [cell for value in self.values if (cell := self._cell(value, place))]
        return highest_first(cells)

    def _cell(self, value: int | str, place: Place) -> Cell | None:
        entry, at = self.values[value], ("values", value)
        if not place.fits(value, *at):
            return None
        if (box := joint_box(entry.when)) is None:
            place.problems.error("has conditions that exclude each other", *at, "when")
            return None
        return Cell(value, box, at, entry.label, entry.coarse, entry.lock, as_written=True)
