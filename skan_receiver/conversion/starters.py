"""A block of each model, made of what a form has: events, amounts, counts, days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skan_receiver.conversion.meaning import COARSE, Value

Block = dict[str, Any]

# Where the last edge is no end, on average: until somebody knows better.
TAIL = {"factor": 1.5}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a window is to be made of. A model takes what it needs, and its own for what is not
    said.
    """

    events: tuple[str, ...] = ()  # in the order in which users do them
    revenue: str = "total"  # iap, ad, total
    edges: tuple[float, ...] = ()  # amounts where one bucket ends and the next begins
    counts: tuple[int, ...] = ()  # how often the first event happened: where buckets begin
    days: tuple[int, ...] = ()  # since the install
    coarse: bool = False  # three levels, and not 64 values

    def values(self, steps: int) -> list[Value]:
        """So many values above the lowest one, with room between them where there is room."""
        if self.coarse:
            return list(COARSE[: steps + 1])
        apart = max(1, min(10, 63 // max(1, steps)))
        return [step * apart for step in range(steps + 1)]


def _rules(parts: Parts) -> Block:
    lowest, *values = parts.values(len(parts.events))
    told = [
        {"value": value, "label": _label(event), "when": [{"event": event}]}
        for value, event in zip(values, parts.events, strict=False)
    ]
    return {"model": "rules", "rules": [*told[::-1], {"value": lowest, "label": "Opened"}]}


def _table(parts: Parts) -> Block:
    event, counts = parts.events[-1], parts.counts or (1,)
    bounds = zip(counts, (*counts[1:], None), strict=True)
    values = COARSE if parts.coarse else range(len(counts) + 1)
    told = {
        value: {"label": f"{_label(event)}, {_from_to(least, end)}", "when": [
            {"event": event, "at_least": least, **({"less_than": end} if end else {})}
        ]}
        for value, (least, end) in zip(values[1:], bounds, strict=False)
    }  # fmt: skip
    before = {"event": event, "less_than": counts[0]}
    return {"model": "table", "values": {values[0]: {"label": "Opened", "when": [before]}, **told}}


def _funnel(parts: Parts) -> Block:
    steps = [{"event": event} for event in parts.events]
    return {"model": "funnel", "nested": True, "values": parts.values(len(steps)), "steps": steps}


def _revenue(parts: Parts) -> Block:
    return {"model": "revenue", **_buckets(parts, (1, 20) if parts.coarse else (1, 5, 10, 20, 50))}


def _bits(parts: Parts) -> Block:
    events = [{"event": event} for event in parts.events]
    return {"model": "bits", "bits": [*events, _buckets(parts, (1, 5, 20))]}


def _engagement(parts: Parts) -> Block:
    counts = parts.counts or ((1, 5) if parts.coarse else (1, 2, 3, 5, 8, 13))
    return {"model": "engagement", "event": parts.events[0], "counts": list(counts)}


def _retention(parts: Parts) -> Block:
    return {"model": "retention", "days": list(parts.days or (1,))}


def _mixed(parts: Parts) -> Block:
    *first, last = parts.events
    high = {"revenue": parts.revenue, "at_least": (parts.edges or (20,))[-1]}
    rules = [
        {"value": 50, "label": f"{_label(last)}, much", "when": [{"event": last}, high]},
        {"value": 32, "label": _label(last), "when": [{"event": last}]},
    ]
    steps = [{"event": event} for event in first]
    return {
        "model": "mixed",
        "parts": [{"model": "rules", "rules": rules}, {"model": "funnel", "steps": steps}],
    }


# In the order in which people should think of them.
STARTERS: Mapping[str, Callable[[Parts], Block]] = {
    "rules": _rules,
    "table": _table,
    "funnel": _funnel,
    "revenue": _revenue,
    "bits": _bits,
    "engagement": _engagement,
    "retention": _retention,
    "mixed": _mixed,
}

# Of the six bits of a fine value, or of room between values: three levels have neither.
FINE_ONLY = ("bits", "mixed")

# What of `Parts` each takes.
TAKES: Mapping[str, tuple[str, ...]] = {
    "rules": ("events",),
    "table": ("events", "counts"),
    "funnel": ("events",),
    "revenue": ("revenue", "edges"),
    "bits": ("events", "revenue", "edges"),
    "engagement": ("events", "counts"),
    "retention": ("days",),
    "mixed": ("events", "revenue", "edges"),
}


def _buckets(parts: Parts, usual: tuple[float, ...]) -> Block:
    return {"revenue": parts.revenue, "edges": list(parts.edges or usual), "tail": dict(TAIL)}


def _label(event: str) -> str:
    return event.replace("_", " ").capitalize()


def _from_to(least: int, end: int | None) -> str:
    last = None if end is None else end - 1
    if last == least:
        return f"{least} times" if least > 1 else "once"
    if last is None:
        return f"{least} times and more" if least > 1 else "once and more"
    return f"{least} to {last} times"
