"""What an export remembers between two runs: in `_export.json` beside its partitions.

It only saves looking: whether a partition is up to date is written in the partition's own file,
and replaced together with it. So a run that was killed loses nothing.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from skan_receiver.errors import ConfigurationError, SkanError

NAME, LOCK = "_export.json", "_export.lock"


@dataclass(slots=True)
class State:
    """What the last run that was finished left behind."""

    chosen: dict[str, Any]  # what the export holds; another choice belongs in another folder
    rule: str = ""  # what else rows depend on: columns, and what is registered
    postback: int = 0
    arrival: int = 0
    # By month: the print of all its rows, and the apps that have a file.
    months: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, list[int]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Replace the file of this state, whole."""
        with replaced(folder / NAME) as new:
            new.write_text(json.dumps(asdict(self), indent=1))


def opened(folder: Path, chosen: dict[str, Any]) -> State:
    """The state of an export of `chosen` in this folder; a new one where it is empty."""
    path = folder / NAME
    if not path.exists():
        if any(found.name != LOCK for found in folder.iterdir()):
            raise ConfigurationError(f"{folder} holds something else; name a new folder")
        State(chosen).write(folder)
    try:
        state = State(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"{path} is broken, or nothing of ours; export to a new folder"
        ) from None
    if state.chosen != chosen:
        raise ConfigurationError(
            f"{folder} holds an export with {_words(state.chosen)}, not with {_words(chosen)}; "
            "name another folder, or ask for the same"
        )
    return state


def _words(chosen: dict[str, Any]) -> str:
    said = (f"--{name} {value}" for name, value in chosen.items() if value not in (None, False))
    return " ".join(said) or "all rows"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One run at a time for each folder."""
    with _lock_of(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SkanError(f"another export is writing to {folder}; wait for it") from None
        yield


def _lock_of(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return open(folder / LOCK, "ab")
    except OSError as error:
        raise ConfigurationError(
            f"{folder} is no folder to write to ({error.strerror}); name another one"
        ) from None


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A new file to write, which takes the place of `path` at once and durably, or not at all."""
    new = path.with_name(f".{path.name}.new")
    try:
        yield new
        keep(new, path)
    finally:
        new.unlink(missing_ok=True)


def keep(new: Path, path: Path) -> None:
    """Let `new`, once it is on disk, be `path`."""
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    new.rename(path)
    durable(path.parent)


def durable(folder: Path) -> None:
    """Names in a folder are on disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
