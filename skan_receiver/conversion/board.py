"""A schema as one looks at it: a board of values for each window, and where its mistakes are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skan_receiver.conversion.meaning import COARSE, FINE, Meaning, Value
from skan_receiver.conversion.problems import Path, Problem
from skan_receiver.conversion.schema import Schema, Window

LEVELS = 5  # of worth, by which cells are shaded

Place = tuple[str, int, Value]  # conversion, window, value


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one window."""

    value: Value
    meaning: Meaning | None
    level: int = 0  # 1 to LEVELS: how much the least revenue it states is; 0: none
    problems: tuple[Problem, ...] = ()

    @property
    def label(self) -> str:
        """What the author calls it, else what it says."""
        return (self.meaning.label or str(self.meaning)) if self.meaning else ""


@dataclass(frozen=True, slots=True)
class Board:
    """The values of one window: 64 fine ones, or none, and three coarse ones, or none."""

    conversion: str
    window: int
    fine: tuple[Cell, ...]
    coarse: tuple[Cell, ...]
    counts: str = field(default="")  # what its numbers are of

    @property
    def told(self) -> tuple[Cell, ...]:
        """The cells that mean something, or are wrong."""
        return tuple(c for c in (*self.fine, *self.coarse) if c.meaning or c.problems)


def boards(schema: Schema, faults: Mapping[Place, Sequence[Problem]] | None = None) -> list[Board]:
    """Every window of a schema, installs first, with the `faults` of its cells."""
    return [
        _board(conversion, index, window, faults or {})
        for conversion, plan in schema.plans.items()
        for index, window in sorted(plan.items())
    ]


def _board(
    conversion: str, index: int, window: Window, faults: Mapping[Place, Sequence[Problem]]
) -> Board:
    highest = max((_worth(one) for one in window.meanings.values()), default=0.0)

    def cells(values: Iterable[Value]) -> tuple[Cell, ...]:
        return tuple(
            Cell(
                value,
                meaning := window.meanings.get(value),
                _level(meaning, highest),
                tuple(faults.get((conversion, index, value), ())),
            )
            for value in values
        )

    counts = "since the install" if window.since_install and index else ""
    return Board(
        conversion,
        index,
        cells(FINE) if window.fine else (),
        cells(COARSE) if window.coarse or window.coarse_for_fine else (),
        counts,
    )


def _worth(meaning: Meaning) -> float:
    return max((revenue.min for revenue in meaning.revenue), default=0.0)


def _level(meaning: Meaning | None, highest: float) -> int:
    worth = _worth(meaning) if meaning else 0.0
    return 1 + round((LEVELS - 1) * worth / highest) if worth and highest else 0


def faults_by_cell(problems: Iterable[Problem], data: Any) -> dict[Place, list[Problem]]:
    """Mistakes and warnings by the value they are about, as far as the file says which it is."""
    found: dict[Place, list[Problem]] = {}
    for problem in problems:
        for place in _places(problem.path, data):
            found.setdefault(place, []).append(problem)
    return found


def _places(path: Path, data: Any) -> Iterator[Place]:
    conversion = "re-engagement" if path[:1] == ("re-engagement",) else "install"
    if "windows" not in path:
        return
    at = path.index("windows") + 1
    window = path[at] if at < len(path) else None
    if window not in (0, 1, 2):
        return
    node = data
    for step in path:
        node = _child(node, step)
        if isinstance(node, dict) and (value := node.get("value")) in (*FINE, *COARSE):
            yield conversion, int(window), value
            return
        if step in FINE and isinstance(node, dict) and path[at : at + 1] != (step,):
            yield conversion, int(window), step


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step, node.get(str(step)))
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return node[step]
    return None
