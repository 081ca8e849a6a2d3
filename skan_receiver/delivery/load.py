"""Destinations from a YAML file; every mistake with its line, its field and the remedy."""

import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import structlog
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.delivery.destinations import ANY_KIND, KINDS, Destination
from skan_receiver.errors import ConfigurationError

log = structlog.get_logger("delivery")

# A file that was written just now may still be half of itself.
STILL_SECONDS = 1.0

REMEDIES = {
    "missing": "is missing",
    "string_pattern_mismatch": "{input!r} is in no form this takes: see docs/destinations.md",
    "model_type": "must be a destination: name, kind, url, …",
    "tuple_type": "must be a list, as in [{input}]",
}


def load_destinations(path: Path) -> tuple[Destination, ...]:
    """The destinations in `path`; none where there is no such file.

    Raises ConfigurationError with every mistake as `file:line: field: what`.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    destinations: list[Destination] = []
    faults: list[str] = []
    lines: dict[str, int] = {}
    entries = _entries(path, text)
    for number, entry in enumerate(entries):
        line = int(entries.lc.item(number)[0]) + 1
        try:
            made = ANY_KIND.validate_python(entry)
        except ValidationError as error:
            faults += [_fault(path, line, entry, fault) for fault in error.errors()]
            continue
        if made.name in lines:
            faults.append(f"{path}:{line}: name: {made.name} is taken by the entry on line "
                          f"{lines[made.name]}; deliveries are kept by name")  # fmt: skip
        lines.setdefault(made.name, line)
        destinations.append(made)
    if faults:
        raise ConfigurationError("\n".join(faults))
    return tuple(destinations)


def _entries(path: Path, text: str) -> Any:
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, what = mark.line + 1 if mark else 1, (error.problem or "cannot be read").strip()
        raise ConfigurationError(f"{path}:{line}: destinations: not YAML: {what}") from None
    except (YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{path}:1: destinations: not YAML: {error}") from None
    if isinstance(document, dict) and isinstance(document.get("destinations"), list):
        return document["destinations"]
    raise ConfigurationError(
        f"{path}:1: destinations: must be a list under this name; `destinations: []` for none"
    )


def _fault(path: Path, line: int, entry: Any, error: Mapping[str, Any]) -> str:
    location = error["loc"]
    field = ".".join(map(str, location)) or "destination"
    return f"{path}:{_line(line, entry, location)}: {field}: {_what(error)}"


def _line(line: int, entry: Any, location: tuple[int | str, ...]) -> int:
    """The line of the innermost field that the file has."""
    here = entry
    for step in location:
        try:
            line = int((here.lc.key(step) if isinstance(step, str) else here.lc.item(step))[0]) + 1
            here = here[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _what(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        fields = sorted({field for kind in KINDS for field in kind.model_fields})
        near = did_you_mean(str(error["loc"][-1]), fields)
        return f"no destination has this{near or '; there are ' + ', '.join(fields)}"
    if remedy := REMEDIES.get(error["type"]):
        return remedy.format(input=error["input"])
    what = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return what[:1].lower() + what[1:]


class Destinations:
    """What the file says, read again when it has changed.

    A file that is broken, half written or gone leaves things as they are: were it taken for
    "no destinations", what settles meanwhile would never be owed to anybody.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._stamp: tuple[float, int, int] | None = None
        self._known: tuple[Destination, ...] | None = None

    def now(self) -> tuple[Destination, ...]:
        """The destinations; ConfigurationError as long as the file has never been right."""
        with self._lock:
            stamp = self._look()
            if self._known is None:
                self._known = load_destinations(self._path)
                self._stamp = stamp
            elif stamp != self._stamp and (stamp is None or _still(stamp)):
                self._stamp = stamp
                self._reload()
            return self._known

    @property
    def changing(self) -> bool:
        """Whether the file has just been written to, and may be in the middle of it.

        Whoever settles waits, a second at most: what arrives after a destination was written
        down is owed to it.
        """
        stamp = self._look()
        return stamp is not None and stamp != self._stamp and not _still(stamp)

    def _reload(self) -> None:
        if self._stamp is None:
            log.warning("destinations: the file is gone; keeping what it said until we restart",
                        file=str(self._path))  # fmt: skip
            return
        try:
            self._known = load_destinations(self._path)
        except ConfigurationError as error:
            log.warning("destinations: keeping what the file said before", error=str(error))
            return
        log.info("destinations read", names=[one.name for one in self._known])

    def _look(self) -> tuple[float, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime, status.st_size, status.st_ino


def _still(stamp: tuple[float, int, int]) -> bool:
    return not 0 <= time.time() - stamp[0] < STILL_SECONDS
