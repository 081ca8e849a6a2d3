"""From which numbers on a rule tells, and whether it does: as usual, or as somebody said."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from skan_receiver.alerting.rule import Limit, Rule
from skan_receiver.alerting.rules import RULES
from skan_receiver.errors import SkanError
from skan_receiver.storage import Store
from skan_receiver.storage.alerts import SETTING
from skan_receiver.storage.upsert import put


class LimitsRefused(SkanError):
    """Limits that make no sense: pairs of a limit's name and what is wrong with it."""

    def __init__(self, mistakes: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {what}" for name, what in mistakes))
        self.mistakes = tuple(mistakes)


class UnknownRule(SkanError):
    """There is no such rule."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A rule as it is set."""

    rule: Rule
    limits: Mapping[str, float]
    is_off: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether nobody changed it."""
        return not self.is_off and self.limits == self.rule.usual

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        rule = self.rule
        return {
            **{name: getattr(rule, name) for name in ("name", "title", "says", "remedy")},
            "is_off": self.is_off,
            "limits": dict(self.limits),
            "usual": rule.usual,
        }


def settings(connection: Connection) -> dict[str, Setting]:
    """Every rule, as it is set."""
    rows = {row.rule: row for row in connection.execute(select(SETTING))}
    found = {}
    for name, rule in RULES.items():
        row = rows.get(name)
        said = json.loads(row.threshold) if row else {}
        # A limit that a release has given up is no longer one.
        limits = {key: said.get(key, usual) for key, usual in rule.usual.items()}
        found[name] = Setting(rule, limits, row is not None and row.is_off)
    return found


def rule_named(name: str) -> Rule:
    """UnknownRule where there is none."""
    if (rule := RULES.get(name)) is None:
        raise UnknownRule(f"there is no rule {name!r}; there are {', '.join(RULES)}")
    return rule


def set_rule(
    store: Store, name: str, limits: Mapping[str, float], *, is_off: bool = False
) -> Setting:
    """Set a rule; limits that are left out are as usual. UnknownRule, LimitsRefused."""
    rule = rule_named(name)
    if mistakes := list(_mistakes(rule, limits)):
        raise LimitsRefused(mistakes)
    setting = Setting(rule, {**rule.usual, **limits}, is_off)
    changed = {key: n for key, n in setting.limits.items() if n != rule.usual[key]}
    row = {"rule": name, "threshold": json.dumps(changed), "is_off": is_off}

    def work(connection: Connection) -> None:
        if setting.is_usual:
            connection.execute(delete(SETTING).where(SETTING.c.rule == name))
        else:
            put(connection, SETTING, [row], ("rule",))

    store.write(work)
    return setting


def _mistakes(rule: Rule, limits: Mapping[str, float]) -> list[tuple[str, str]]:
    known = {limit.name: limit for limit in rule.limits}
    mistakes = [
        (name, f"{rule.name} has no such limit; it has {', '.join(known) or 'none'}")
        for name in limits
        if name not in known
    ]
    wrong = (
        known[name] for name, n in limits.items() if name in known and not _fits(known[name], n)
    )
    return mistakes + [
        (limit.name, f"must be a number from {limit.least:g} to {limit.most:g}") for limit in wrong
    ]


def _fits(limit: Limit, n: float) -> bool:
    return limit.least <= n <= limit.most  # not so of NaN
