"""Destinations as YAML, in and out: never with their secrets, which are named and not told."""

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from skan_receiver.config import Settings
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.registry import Entry
from skan_receiver.delivery.save import Mistakes, checked, named
from skan_receiver.delivery.save import Path as Field
from skan_receiver.errors import ConfigurationError

# Read with the definition, kept beside it: see `registry`.
PAUSED = "paused"

Written = tuple[Destination, bool | None]  # and whether it is to be paused; None: as it is


def read(text: str, settings: Settings, source: str = "destinations") -> list[Written]:
    """The destinations of a document.

    Raises ConfigurationError with every mistake as `file:line: field: what`.
    """
    found: list[Written] = []
    faults: list[str] = []
    lines: dict[str, int] = {}
    entries = _entries(source, text)
    for number, entry in enumerate(entries):
        line = int(entries.lc.item(number)[0]) + 1
        try:
            made, paused = _one(entry, settings)
        except Mistakes as error:
            faults += [
                f"{source}:{_line(line, entry, path)}: {named(path)}: {what}"
                for path, what in error.mistakes
            ]
            continue
        if made.name in lines:
            faults.append(f"{source}:{line}: name: {made.name} is taken by the entry on line "
                          f"{lines[made.name]}; deliveries are kept by name")  # fmt: skip
        lines.setdefault(made.name, line)
        found.append((made, paused))
    if faults:
        raise ConfigurationError("\n".join(faults))
    return found


def read_file(path: Path, settings: Settings) -> list[Written]:
    """As `read`, from a file."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    return read(text, settings, str(path))


def write(entries: Iterable[Entry]) -> str:
    """The document that `read` reads as these."""
    return as_yaml({"destinations": [described_as(entry) for entry in entries]})


def as_yaml(tree: Any) -> str:
    """A tree as people read it."""
    out = StringIO()
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 100
    yaml.dump(tree, out)
    return out.getvalue()


def described_as(entry: Entry) -> dict[str, Any]:
    """A destination as it is written: without what nobody said."""
    said = entry.destination.model_dump(mode="json", exclude_defaults=True)
    head = {"name": entry.name, "kind": entry.destination.kind}
    return {**head, **said, **({PAUSED: True} if entry.paused and not entry.paused_because else {})}


def _one(entry: Any, settings: Settings) -> Written:
    if not isinstance(entry, Mapping):
        return checked(entry, settings), None
    said = {name: value for name, value in entry.items() if name != PAUSED}
    paused = entry.get(PAUSED)
    if paused is not None and not isinstance(paused, bool):
        raise Mistakes([((PAUSED,), "must be true or false")])
    return checked(said, settings), paused


def _entries(source: str, text: str) -> Any:
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, what = mark.line + 1 if mark else 1, (error.problem or "cannot be read").strip()
        raise ConfigurationError(f"{source}:{line}: destinations: not YAML: {what}") from None
    except (YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{source}:1: destinations: not YAML: {error}") from None
    if isinstance(document, dict) and isinstance(document.get("destinations"), list):
        return document["destinations"]
    raise ConfigurationError(
        f"{source}:1: destinations: must be a list under this name; `destinations: []` for none"
    )


def _line(line: int, entry: Any, location: Field) -> int:
    """The line of the innermost field that the file has."""
    here = entry
    for step in location:
        try:
            line = int((here.lc.key(step) if isinstance(step, str) else here.lc.item(step))[0]) + 1
            here = here[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
