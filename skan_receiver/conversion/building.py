"""Schemas by form: a rule put into a file, a model to begin with. What is around them stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from skan_receiver.conversion.meaning import COARSE, Value
from skan_receiver.conversion.rewrite import content, rewrite
from skan_receiver.conversion.starters import FINE_ONLY, STARTERS, TAKES, Parts
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
    block = _window(data, window)
    block[scale] = block.get(scale) or {"model": "rules", "rules": []}
    model = _fields(block, scale)
    if model.get("model") not in BY_VALUE:
        raise Unbuildable(
            f"window {window}, {scale}: the model is {model.get('model')}, whose values follow "
            "from its fields. Change those in the text, or begin with another model."
        )
    if rule.event:
        _fields(data, "events").setdefault(rule.event, None)
    if model["model"] == "table":
        _fields(model, "values")[rule.value] = rule.written()
    else:
        model["rules"] = _placed(_rules(model), rule)
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
    model = _fields(_window(data, window), "coarse" if value in COARSE else "fine")
    if model.get("model") == "table":
        _fields(model, "values").pop(value, None)
    elif model.get("model") == "rules":
        model["rules"] = [one for one in _rules(model) if one.get("value") != value]
    else:
        raise Unbuildable(f"window {window}: its values follow from the fields of its model")
    return rewrite(text, data)


def _rules(model: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rules = model.get("rules") or []
    if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
        raise Unbuildable("rules: in the text they are no list of rules; mend that first")
    return rules


def _rank(value: Any) -> int:
    return COARSE.index(value) if value in COARSE else value if isinstance(value, int) else -1


def _window(data: dict[str, Any], window: int) -> dict[str, Any]:
    windows = _fields(data, "windows")
    key = next((name for name in windows if str(name) == str(window)), window)
    return _fields(windows, key)


def _fields(data: dict[Any, Any], name: Any) -> dict[Any, Any]:
    """What stands under a name; made, where nothing does. Unbuildable where it has no fields."""
    if data.get(name) is None:
        data[name] = {}
    found = data[name]
    if not isinstance(found, dict):
        raise Unbuildable(f"{name}: in the text it has no fields; mend that first")
    return found


def with_model(text: str, window: int, model: str, parts: Parts = Parts()) -> str:  # noqa: B008  # it is frozen
    """The text of a schema whose window has values by `model`, made of these parts.

    Coarse levels where the parts say so, and in later windows, which have no others. What the
    window has beside them stays, but for coarse levels that were paired with fine values by
    number. Events that the schema does not have yet are made known.
    """
    parts = replace(parts, coarse=parts.coarse or window > 0)
    if model not in STARTERS or (parts.coarse and model in FINE_ONLY):
        fit = [name for name in STARTERS if not parts.coarse or name not in FINE_ONLY]
        raise Unbuildable(f"model: one of {', '.join(fit)}")
    for name in TAKES[model]:
        _check(name, getattr(parts, name), coarse=parts.coarse)
    data = content(text)
    if "events" in TAKES[model]:
        events = _fields(data, "events")
        parts = replace(parts, events=parts.events or _usual(events))
        if model == "mixed" and len(parts.events) < 2:
            raise Unbuildable("events: two at least, of which the last one pays")
        for event in parts.events:
            events.setdefault(event, {"revenue": "iap"} if event == PAID else None)
    data.setdefault("currency", "USD")
    block = _window(data, window)
    block["coarse" if parts.coarse else "fine"] = STARTERS[model](parts)
    block.pop("coarse_for_fine", None)
    return rewrite(text, data)


PAID = "purchase"


def _usual(events: Mapping[str, Any]) -> tuple[str, str]:
    """An event, and one with revenue: the schema's own, where it has such."""
    kinds = {name: kind if isinstance(kind, dict) else {} for name, kind in events.items()}
    paid = next((name for name, kind in kinds.items() if kind.get("revenue") == "iap"), PAID)
    return next((name for name in events if name != paid), "registration"), paid


def _check(name: str, said: Any, *, coarse: bool) -> None:
    """Numbers rise: they are where one bucket ends and the next begins."""
    if coarse and name != "revenue" and len(said) > len(COARSE) - 1:
        raise Unbuildable(f"{name}: two at most, for low, medium and high")
    if name in ("edges", "counts", "days") and any(b <= a for a, b in pairwise(said)):
        raise Unbuildable(f"{name}: from the lowest to the highest, each once")
    if name == "events" and len(set(said)) != len(said):
        raise Unbuildable("events: each once")


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
