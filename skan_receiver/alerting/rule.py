"""What a rule is: a question to the counts, and the numbers from which its answer is bad news."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from skan_receiver.config import Settings
from skan_receiver.storage.alerts import WARNING


@dataclass(frozen=True, slots=True)
class Sight:
    """What a rule looks at, and from which numbers on it tells."""

    connection: Connection
    settings: Settings
    now: datetime
    limits: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not well. The message has the number, and what is usual."""

    subject: str
    message: str
    value: float | None = None
    severity: str = WARNING


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of a rule that people may change."""

    name: str
    usual: float
    says: str
    unit: str = ""
    least: float = 1
    most: float = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for. `look` reads counts alone: it is asked every minute."""

    name: str
    title: str
    says: str  # what it finds, in a sentence
    remedy: str  # what to do about it
    look: Callable[[Sight], Iterable[Finding]]
    limits: tuple[Limit, ...] = ()

    @property
    def usual(self) -> dict[str, float]:
        """Every limit as it is where nobody changed it."""
        return {limit.name: limit.usual for limit in self.limits}
