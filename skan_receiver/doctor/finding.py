"""What was looked at, and how it is."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is."""

    GOOD = "good"
    WARNING = "warning"  # works, and is worth a look
    BAD = "bad"  # postbacks will be missing


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing; `said` holds the remedy where there is something to remedy."""

    state: State
    what: str
    said: str


def good(what: str, said: str) -> Finding:
    return Finding(State.GOOD, what, said)


def warning(what: str, said: str) -> Finding:
    return Finding(State.WARNING, what, said)


def bad(what: str, said: str) -> Finding:
    return Finding(State.BAD, what, said)
