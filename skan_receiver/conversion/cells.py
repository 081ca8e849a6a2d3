"""Cells: what every schema model comes down to, an ordered list of values and their boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

from skan_receiver.conversion.boxes import Box
from skan_receiver.conversion.meaning import Value
from skan_receiver.conversion.problems import Path, Problems


@dataclass(frozen=True, slots=True)
class Cell:
    """The device sets `value` for a user in `box` who is in no cell before this one."""

    value: Value
    box: Box
    at: Path  # where the author wrote it, below the model
    label: str = ""
    coarse: Value | None = None  # the coarse value sent along with a fine one
    lock: bool = False  # lock the window as soon as this value is set
    tail: float | None = None  # the mean revenue the author states where the box has no top
    as_written: bool = False  # the box alone is the meaning, whatever the cells before it take


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model stands: the values it may use, and who hears of its mistakes."""

    values: tuple[Value, ...]  # FINE or COARSE
    problems: Problems

    @property
    def is_coarse(self) -> bool:
        return self.values[0] == "low"

    def fits(self, value: Value, *at: str | int) -> bool:
        """Whether `value` exists here; if not, the author hears of it."""
        if value in self.values:
            return True
        wanted = "low, medium or high" if self.is_coarse else "a number from 0 to 63"
        self.problems.error(f"{value} is no value of this part: write {wanted}", *at)
        return False

    def row(self, count: int, first: int, at: str) -> Sequence[Value]:
        """`count` values from `first` on; none, and a mistake, where there are not as many."""
        if first + count <= len(self.values):
            return self.values[first : first + count]
        room = "coarse ones are three" if self.is_coarse else "6 bits hold 64, from 0 to 63"
        self.problems.error(f"needs {count} values from {first} on, and {room}: use fewer", at)
        return ()
