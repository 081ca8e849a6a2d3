"""What an author should look at twice: the schema works, and costs something."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, product

from skan_receiver.conversion.boxes import Box, Dimension, hull, meet, remainder
from skan_receiver.conversion.cells import Cell
from skan_receiver.conversion.meaning import rank
from skan_receiver.conversion.problems import Problems
from skan_receiver.conversion.ranges import ANY
from skan_receiver.conversion.says import Says
from skan_receiver.conversion.schema import Scale, Schema, Window

# The ground may fall into so many pieces before gaps are no longer looked for.
MOST_PIECES = 256


@dataclass(frozen=True, slots=True)
class Doubted:
    """One scale of one window, and who hears of doubts."""

    scale: Scale
    window: Window
    says: Says
    problems: Problems  # at the scale

    def words(self, box: Box) -> str:
        return f"users with {self.says.of_box(box, 0)}" if box else "all users"

    def warn(self, what: str, cell: Cell) -> None:
        self.problems.warn(what, *cell.at)


def doubts(schema: Schema, problems: Problems) -> None:
    """Note everything doubtful in `schema`."""
    for conversion, windows in schema.plans.items():
        steps = ("windows",) if conversion == "install" else (conversion, "windows")
        for window in windows.values():
            _window(window, schema, problems.under(*steps, window.index))


def _window(window: Window, schema: Schema, problems: Problems) -> None:
    says = Says(window.index, schema.currency or "", window.since_install)
    for part, scale in (("fine", window.fine), ("coarse", window.coarse)):
        if scale is not None and scale.cells:
            doubted = Doubted(scale, window, says, problems.under(part))
            for doubt in DOUBTS:
                doubt(doubted)


def gap(doubted: Doubted) -> None:
    """Users for whom no rule holds."""
    left = remainder({}, [cell.box for cell in doubted.scale.cells], most=MOST_PIECES)
    if left.boxes and left.exact:
        nobody = doubted.words(hull(left.boxes[:1]))
        doubted.problems.warn(
            f"has no value for {nobody}: their value stays what it was, and without any value"
            " Apple sends no postback; add a value for everyone else"
        )


def twice(doubted: Doubted) -> None:
    """A value with several rules says only what they have in common."""
    seen: dict[object, Cell] = {}
    for cell in doubted.scale.cells:
        first = seen.setdefault(cell.value, cell)
        if first is not cell:
            what = f"gives {cell.value} once more: it then says only what all its rules have"
            doubted.warn(f"{what} in common", cell)


def overlap(doubted: Doubted) -> None:
    """Entries of a table that fit the same users."""
    written = [cell for cell in doubted.scale.cells if cell.as_written]
    for higher, lower in combinations(written, 2):
        if (both := meet(higher.box, lower.box)) is not None:
            users = doubted.words(hull([both]))
            what = f"fits {users} as well as {higher.value} does, which wins as the higher one"
            doubted.warn(f"{what}; narrow one of them", lower)


def falling(doubted: Doubted) -> None:
    """Values that a user who does more would lose: up to SKAdNetwork 3 they cannot fall."""
    if doubted.window.index or doubted.scale is not doubted.window.fine:
        return
    for lower, higher in _falls(doubted.scale):
        what = f"is below {higher.value}, which a user can get first: up to SKAdNetwork 3 values"
        doubted.warn(f"{what} only rise, and {higher.value} stays", lower)


def _falls(scale: Scale) -> Iterator[tuple[Cell, Cell]]:
    """Every cell that can follow one of a higher value, with the lowest such."""
    cells = [(c, r.boxes) for c, r in zip(scale.cells, scale.regions, strict=True) if r.exact]
    for later, ends in cells:
        higher = [
            cell
            for cell, starts in cells
            if rank(cell.value) > rank(later.value)
            and any(_leads(start, end) for start, end in product(starts, ends))
        ]
        if higher:
            yield later, min(higher, key=lambda cell: rank(cell.value))


def _leads(start: Box, end: Box) -> bool:
    """Whether a user in `start` can come to `end`. All that is told only grows; flags stay."""
    for dimension in start.keys() & end.keys():
        one, other = start[dimension], end[dimension]
        if dimension.kind == "flag" and (one & other).empty:
            return False
        if one.start >= other.end:
            return False
    return True


def coarse_order(doubted: Doubted) -> None:
    """Higher fine values that go with lower coarse ones."""
    if doubted.scale is not doubted.window.fine:
        return
    goes_with = doubted.window.coarse_for_fine
    cells = {cell.value: cell for cell in doubted.scale.cells if cell.value in goes_with}
    rising = sorted(cells.values(), key=lambda cell: rank(cell.value))
    for one, other in pairwise(rising):
        before, after = goes_with[one.value], goes_with[other.value]
        if rank(after) < rank(before):
            what = f"{other.value} goes with {after}, and {one.value} below it with {before}"
            doubted.warn(f"{what}: coarse values out of order are easily misread", other)


def without_coarse(doubted: Doubted) -> None:
    """Fine values that say nothing of small installs."""
    window = doubted.window
    if doubted.scale is not window.fine or window.coarse is not None:
        return
    bare = {cell.value for cell in doubted.scale.cells} - window.coarse_for_fine.keys()
    if bare:
        first = min(bare, key=rank)
        doubted.problems.warn(
            f"has no coarse value for {first}{' and others' if len(bare) > 1 else ''}: from small"
            " installs Apple sends coarse values only; add `coarse_for_fine`"
        )


def behind_the_lock(doubted: Doubted) -> None:
    """Values that ask for more of the event whose first occurrence locks the window."""
    lock = doubted.window.lock
    if lock is None or lock.event is None or doubted.window.since_install:
        return
    event = Dimension("event", lock.event)
    for cell in doubted.scale.cells:
        if cell.box.get(event, ANY).min > 1:
            what = f"needs more than one {lock.event}, and the first one locks the window"
            doubted.warn(f"{what}: from SKAdNetwork 4 on, {cell.value} cannot be set", cell)


DOUBTS: tuple[Callable[[Doubted], None], ...] = (
    gap,
    twice,
    overlap,
    falling,
    coarse_order,
    without_coarse,
    behind_the_lock,
)
