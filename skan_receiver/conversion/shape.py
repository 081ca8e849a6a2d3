"""Whether a file has the shape of a schema, and all the places where it has not."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from skan_receiver.conversion.document import Document
from skan_receiver.conversion.problems import Path, Problems
from skan_receiver.conversion.remedies import remedy
from skan_receiver.conversion.source import Source

# What stands in for a part that cannot be left out, so that all others can be looked at.
STAND_INS: dict[str | int, Any] = {"app": 1}


def shaped(source: Source, problems: Problems) -> Document | None:
    """The file as a document, None only where nothing is left of it.

    A part with a mistake is noted and left out, and the rest read on, so that the author hears
    of everything at once.
    """
    if not isinstance(source.data, dict):
        problems.error("is no schema: it begins with `app:` and `windows:`")
        return None
    doomed: set[Path] = set()
    while True:
        data = _without(source.data, (), doomed, source.moved)
        try:
            return Document.model_validate(data)
        except ValidationError as error:
            mistakes = {source.origin(path): m for path, m in _mistakes(error).items()}
        for path, mistake in mistakes.items():
            if not _ours(path, doomed):
                problems.note(remedy(mistake, path), path)
        more = {_doomed(path, mistake) for path, mistake in mistakes.items()}
        source.partial = True
        if () in more or more <= doomed:
            return None
        doomed |= more


def _mistakes(error: ValidationError) -> dict[Path, ErrorDetails]:
    """The first mistake at each place, without the names of union members, which are no fields."""
    found: dict[Path, ErrorDetails] = {}
    for mistake in error.errors(include_url=False):
        path = tuple(step for step in mistake["loc"] if step != "[key]" and str(step)[:1] != "<")
        found.setdefault(path, mistake)
    return found


def _ours(path: Path, doomed: Collection[Path]) -> bool:
    """Whether the part at `path` has a mistake because we took something out of it."""
    return any(taken[: len(path)] == path for taken in doomed)


def _doomed(path: Path, mistake: ErrorDetails) -> Path:
    """The smallest part that the file can go without: of a rule, all of it.

    A rule without one of its conditions would take the users of the rules after it.
    """
    for index in range(len(path) - 2, 0, -1):
        if path[index] in ("rules", "values"):
            return path[: index + 2]
    if mistake["type"] != "missing" or (len(path) == 1 and path[0] in STAND_INS):
        return path
    return path[:-1]


def _without(part: Any, path: Path, doomed: Collection[Path], moved: dict[Path, Path]) -> Any:
    """A copy of `part` without what is `doomed`; `moved` learns where list items came from."""
    if isinstance(part, dict):
        return _mapping(part, path, doomed, moved)
    if not isinstance(part, list):
        return part
    kept = [index for index in range(len(part)) if (*path, index) not in doomed]
    for new, old in enumerate(kept):
        moved[*path, new] = (*path, old)
    return [_without(part[index], (*path, index), doomed, moved) for index in kept]


def _mapping(
    part: Mapping[str | int, Any], path: Path, doomed: Collection[Path], moved: dict[Path, Path]
) -> dict[str | int, Any]:
    kept = {
        key: _without(value, (*path, key), doomed, moved)
        for key, value in part.items()
        if (*path, key) not in doomed
    }
    if path == ():
        kept |= {key: stand_in for key, stand_in in STAND_INS.items() if (key,) in doomed}
    return kept
