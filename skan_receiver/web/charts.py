"""Charts as Vega-Lite specifications. The browser adds the colours of its own style."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name; nobody loads it


class Step(Protocol):
    """A point of time and its counts."""

    @property
    def at(self) -> str: ...
    @property
    def counts(self) -> Counter[str]: ...


def bars(steps: Sequence[Step], verdicts: Sequence[str]) -> dict[str, Any]:
    """Counts over time, stacked by verdict. Times are read and shown as UTC."""
    hourly = bool(steps) and "T" in steps[0].at
    unit = "utcyearmonthdatehours" if hourly else "utcyearmonthdate"
    values = [
        {
            "at": f"{step.at}{':00Z' if hourly else ''}",
            "verdict": verdict,
            "n": step.counts[verdict],
        }
        for step in steps
        for verdict in verdicts
    ]
    label = "%d %b %H:%M" if hourly else "%d %b %Y"
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {
                "field": "at",
                "timeUnit": unit,
                "type": "temporal",
                "scale": {"type": "utc"},
                "axis": {
                    "title": None,
                    "grid": False,
                    "format": "%H:%M" if hourly else "%d %b",
                    "labelOverlap": True,
                },
            },
            "y": {
                "field": "n",
                "type": "quantitative",
                "axis": {"title": None, "tickCount": 4, "tickMinStep": 1, "format": "~s"},
            },
            "color": {
                "field": "verdict",
                "type": "nominal",
                "scale": {"domain": list(verdicts)},
                "legend": None,
            },
            "order": {"field": "verdict", "sort": "descending"},
            "tooltip": [
                {"field": "at", "timeUnit": unit, "title": "UTC", "format": label},
                {"field": "verdict", "title": "Verdict"},
                {"field": "n", "title": "Postbacks", "format": ","},
            ],
        },
    }
