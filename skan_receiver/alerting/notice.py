"""What a channel is told: some alerts at once, in words and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from skan_receiver.alerting.rules import RULES
from skan_receiver.storage.alerts import OPENED, REMINDER, RESOLVED

TEST = "test"
MOST_IN_WORDS = 20  # of which one message tells: Slack takes no more than 40,000 characters

WORDS = {OPENED: "New", REMINDER: "Still so", RESOLVED: "Well again", TEST: "Test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert, and what is new about it."""

    state: str
    rule: str
    subject: str
    severity: str
    message: str
    value: float | None = None
    since: datetime
    resolved_at: datetime | None = None

    @property
    def title(self) -> str:
        """The rule in words."""
        if self.state == TEST:
            return "alerts"
        return RULES[self.rule].title if self.rule in RULES else self.rule

    @property
    def remedy(self) -> str:
        """What to do; nothing where it is well again."""
        done = self.state == RESOLVED or self.rule not in RULES
        return "" if done else RULES[self.rule].remedy

    @property
    def lines(self) -> tuple[str, ...]:
        """As people read it."""
        since = f"Since {self.since:%d %b %Y, %H:%M} UTC"
        until = f", until {self.resolved_at:%d %b %Y, %H:%M} UTC" if self.resolved_at else ""
        what = f"{self.message}" if self.state != RESOLVED else f"It was: {self.message}"
        return (
            f"{WORDS[self.state]}: {self.title}",
            what,
            *filter(None, [self.remedy]),
            since + until,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "since": _iso(self.since),
            "resolved_at": _iso(self.resolved_at) if self.resolved_at else None,
        }


_PLAIN = ("state", "rule", "title", "subject", "severity", "message", "remedy", "value")


@dataclass(frozen=True, slots=True)
class Notice:
    """What one channel is told at once. `id` is the same whenever it is tried."""

    id: str
    at: datetime
    told: Sequence[Told]
    link: str = ""  # to the page of alerts, where this receiver's address is known

    @property
    def subject(self) -> str:
        """In a line."""
        if len(self.told) == 1:
            one = self.told[0]
            return f"[skan-receiver] {WORDS[one.state]}: {one.title} ({one.subject})"
        counts = {
            word: sum(WORDS[one.state] == word for one in self.told) for word in WORDS.values()
        }
        said = ", ".join(f"{n} {word.lower()}" for word, n in counts.items() if n)
        return f"[skan-receiver] {len(self.told)} alerts: {said}"

    @property
    def text(self) -> str:
        """All of it, as people read it."""
        parts = ["\n".join(one.lines) for one in self.told[:MOST_IN_WORDS]]
        if (more := len(self.told) - MOST_IN_WORDS) > 0:
            parts.append(f"And {more} more.")
        return "\n\n".join([*parts, *filter(None, [self.link])])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        told = [one.as_dict() for one in self.told]
        return {"type": "alerts", "at": _iso(self.at), "url": self.link or None, "alerts": told}


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
