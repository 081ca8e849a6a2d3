"""Schemas by form: a rule put into a file, a model to begin with. What is around them stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skan_receiver.conversion.meaning import COARSE, Value
from skan_receiver.conversion.rewrite import content, rewrite
from skan_receiver.errors import SkanError

BY_VALUE = ("rules", "table")  # models that are written value by value


class Unbuildable(SkanError):
    """A form cannot say this of this schema; the message says what can."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one value is to mean: an event so many times, an amount of revenue."""

    value: Value
    label: str = ""
    coarse: str = ""
    event: str = ""
    at_least: int = 1
    revenue: str = ""  # iap, ad, total
    from_amount: float | None = None
    to_amount: float | None = None  # left out itself

    def written(self) -> dict[str, Any]:
        """As a rule of a file, without its value."""
        when: list[dict[str, Any]] = []
        if self.event:
            when.append({"event": self.event, "at_least": self.at_least})
        if self.revenue:
            bounds = {"at_least": self.from_amount, "less_than": self.to_amount}
            stated = {name: amount for name, amount in bounds.items() if amount is not None}
            when.append({"revenue": self.revenue, **stated})
        named = {name: text for name in ("label", "coarse") if (text := getattr(self, name))}
        return named | ({"when": when} if when else {})


def with_rule(text: str, window: int, rule: Rule) -> str:
    """The text of a schema in which `rule.value` of a window means what the rule says.

    Raises Unbuildable where the window's model is not one of BY_VALUE; SchemaError where the text
    cannot be read.
    """
    data = content(text)
    scale = "coarse" if rule.value in COARSE else "fine"
    model = _window(data, window).setdefault(scale, {"model": "rules", "rules": []})
    if model.get("model") not in BY_VALUE:
        raise Unbuildable(
            f"window {window}, {scale}: the model is {model.get('model')}, whose values follow "
            "from its fields. Change those in the text, or begin with another model."
        )
    if rule.event:
        data.setdefault("events", {}).setdefault(rule.event, None)
    if model["model"] == "table":
        model.setdefault("values", {})[rule.value] = rule.written()
    else:
        model["rules"] = _placed(model.get("rules") or [], rule)
    return rewrite(text, data)


def _placed(rules: Sequence[Mapping[str, Any]], rule: Rule) -> list[Mapping[str, Any]]:
    """In the place of the rule that gave the value; a new one where higher values come first."""
    written = {"value": rule.value, **rule.written()}
    values = [one.get("value") for one in rules]
    if rule.value in values:
        at = values.index(rule.value)
        return [*rules[:at], written, *rules[at + 1 :]]
    order = _rank(rule.value)
    at = next((n for n, value in enumerate(values) if _rank(value) < order), len(rules))
    return [*rules[:at], written, *rules[at:]]


def without_value(text: str, window: int, value: Value) -> str:
    """The text of a schema in which no rule gives a value of a window."""
    data = content(text)
    model = _window(data, window).get("coarse" if value in COARSE else "fine") or {}
    if model.get("model") == "table":
        model.get("values", {}).pop(value, None)
    elif model.get("model") == "rules":
        model["rules"] = [one for one in model.get("rules", []) if one.get("value") != value]
    else:
        raise Unbuildable(f"window {window}: its values follow from the fields of its model")
    return rewrite(text, data)


def _rank(value: Any) -> int:
    return COARSE.index(value) if value in COARSE else value if isinstance(value, int) else -1


def _window(data: dict[str, Any], window: int) -> dict[str, Any]:
    windows = data.setdefault("windows", {})
    key = next((name for name in windows if str(name) == str(window)), window)
    found: dict[str, Any] = windows.setdefault(key, {})
    return found


Starter = Callable[[str, str], dict[str, Any]]  # an event, an event with revenue

# A block of each model to begin with, in the order in which people should think of them.
STARTERS: Mapping[str, Starter] = {
    "rules": lambda event, paid: {
        "model": "rules",
        "rules": [
            {"value": 40, "label": "Paid", "when": [{"event": paid}]},
            {"value": 10, "label": "Came on", "when": [{"event": event}]},
            {"value": 0, "label": "Opened"},
        ],
    },
    "table": lambda _event, paid: {
        "model": "table",
        "values": {
            0: {"label": "Opened", "when": [{"event": paid, "exactly": 0}]},
            1: {"label": "Paid", "when": [{"event": paid, "at_least": 1}]},
        },
    },
    "funnel": lambda event, paid: {
        "model": "funnel",
        "nested": True,
        "values": [0, 10, 20],
        "steps": [{"event": event}, {"event": paid}],
    },
    "revenue": lambda _event, _paid: {
        "model": "revenue",
        "revenue": "total",
        "edges": [1, 5, 10, 20, 50],
        "tail": {"factor": 1.5},
    },
    "bits": lambda event, _paid: {
        "model": "bits",
        "bits": [
            {"event": event},
            {"revenue": "total", "edges": [1, 5, 20], "tail": {"factor": 1.5}},
        ],
    },
    "engagement": lambda event, _paid: {
        "model": "engagement",
        "event": event,
        "counts": [1, 2, 3, 5, 8, 13],
    },
    "retention": lambda _event, _paid: {"model": "retention", "days": [1]},
    "mixed": lambda event, paid: {
        "model": "mixed",
        "parts": [
            {
                "model": "rules",
                "rules": [
                    {
                        "value": 50,
                        "label": "Over 20",
                        "when": [{"event": paid}, {"revenue": "iap", "at_least": 20}],
                    },
                    {"value": 32, "label": "Paid", "when": [{"event": paid}]},
                ],
            },
            {"model": "funnel", "steps": [{"event": event}]},
        ],
    },
}


def with_model(text: str, window: int, model: str) -> str:
    """The text of a schema whose window has fine values by `model`, to go on from.

    Its coarse levels stay, but for those that were paired with fine values by number.
    """
    if model not in STARTERS:
        raise Unbuildable(f"model: one of {', '.join(STARTERS)}")
    data = content(text)
    events = data.setdefault("events", {}) or {}
    data["events"] = events
    paid = next((n for n, kind in events.items() if (kind or {}).get("revenue") == "iap"), None)
    if paid is None:
        paid = "purchase"
        events[paid] = {"revenue": "iap"}
    event = next((name for name in events if name != paid), None)
    if event is None:
        event = "registration"
        events[event] = None
    data.setdefault("currency", "USD")
    block = _window(data, window)
    block["fine"] = STARTERS[model](event, paid)
    block.pop("coarse_for_fine", None)
    return rewrite(text, data)


BEGINNING = """\
# What the values of {name} mean.
app: {app_id}
currency: USD

events:
  registration:
  purchase: {{revenue: iap}}

windows:
  0: {{}} # days 0-2
"""


def new_schema(app_id: int, model: str, name: str = "") -> str:
    """The text of a first schema for an app, by one model."""
    start = BEGINNING.format(name=name or f"app {app_id}", app_id=app_id)
    return with_model(start, 0, model)
