"""Mistakes in schema files: where, what, and the remedy."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skan_receiver.conversion.source import Source

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. A warning leaves the schema usable, and says what it costs."""

    file: str
    line: int
    path: Path
    what: str
    warning: bool = False

    @property
    def field(self) -> str:
        """The path as one reads it: windows.0.fine.rules[3].value"""
        text = ""
        for before, step in zip(("", *self.path), self.path, strict=False):
            indexed = isinstance(step, int) and before not in ("windows", "values")
            text += f"[{step}]" if indexed else f".{step}"
        return text.lstrip(".") or "schema"

    def __str__(self) -> str:
        grade = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}: {self.field}: {grade}{self.what}"


@dataclass(frozen=True, slots=True)
class Problems:
    """Collects problems below one place of a file."""

    source: "Source"
    path: Path = ()  # in the data that was read on, which may lack parts of the file
    found: list[Problem] = field(default_factory=list)

    def under(self, *steps: str | int) -> "Problems":
        """The same collection, at a place further in."""
        return Problems(self.source, (*self.path, *steps), self.found)

    def note(self, what: str, path: Path, *, warning: bool = False) -> None:
        """Add a problem at a path in the file itself."""
        self.found.append(Problem(self.source.name, self.source.line(path), path, what, warning))

    def error(self, what: str, *steps: str | int) -> None:
        self.note(what, self.source.origin((*self.path, *steps)))

    def warn(self, what: str, *steps: str | int) -> None:
        self.note(what, self.source.origin((*self.path, *steps)), warning=True)

    @property
    def failed(self) -> bool:
        """Whether there is a mistake below this place."""
        here = self.source.origin(self.path)
        return any(p.path[: len(here)] == here for p in self.found if not p.warning)

    @property
    def partial(self) -> bool:
        """Whether parts of the file were left out, so that the whole cannot be judged."""
        return self.source.partial


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with the nearest known word, nothing where none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    if near and near[0] == word:
        return "; it belongs elsewhere: docs/schemas.md"
    return f"; did you mean `{near[0]}`?" if near else ""
