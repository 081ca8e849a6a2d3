"""Destinations from a YAML file; every mistake with its line and field."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from skan_receiver.delivery.destinations import ANY_KIND, Destination
from skan_receiver.errors import ConfigurationError


def load_destinations(path: Path) -> tuple[Destination, ...]:
    """The destinations in `path`; none where there is no such file.

    Raises ConfigurationError with every mistake as `file:line: field: what`.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    entries = _entries(path, text)
    destinations: list[Destination] = []
    faults: list[str] = []
    for entry in entries:
        try:
            destinations.append(ANY_KIND.validate_python(entry))
        except ValidationError as error:
            faults += [f"{path}:{_line(entry, e['loc'])}: {_field(e['loc'])}: {e['msg']}"
                       for e in error.errors()]  # fmt: skip
    names = [destination.name for destination in destinations]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"{path}: name: {name} is given twice; deliveries are kept by name")
    if faults:
        raise ConfigurationError("\n".join(faults))
    return tuple(destinations)


def _entries(path: Path, text: str) -> list[Any]:
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{path}:{line}: not YAML: {error.problem}") from None
    if document is None:
        return []
    entries = document.get("destinations") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ConfigurationError(f"{path}:1: destinations: must be a list, one entry each")
    return entries


def _line(entry: Any, location: tuple[int | str, ...]) -> int:
    """The line of the innermost field that the file has."""
    line, here = getattr(getattr(entry, "lc", None), "line", 0), entry
    for step in location:
        try:
            line = here.lc.key(step)[0] if isinstance(step, str) else here.lc.item(step)[0]
            here = here[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return int(line) + 1


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "destination"
