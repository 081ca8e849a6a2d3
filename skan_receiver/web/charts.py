"""Charts as Vega-Lite specifications. The browser adds the colours of its own style."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from skan_receiver.reports.charts import SCHEMA, time_labels


class Step(Protocol):
    """A point of time and its counts."""

    @property
    def at(self) -> str: ...
    @property
    def counts(self) -> Counter[str]: ...


def bars(steps: Sequence[Step], verdicts: Sequence[str]) -> dict[str, Any]:
    """Counts over time, stacked by verdict.

    Times are texts to the chart, which so has a bar for each and no time zone but UTC.
    """
    form = "%H:%M" if steps and "T" in steps[0].at else "%d %b"
    values = [
        {"at": step.at, "verdict": verdict, "rank": rank, "n": step.counts[verdict]}
        for step in steps
        for rank, verdict in enumerate(verdicts)
        if step.counts[verdict]
    ]
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {
                "field": "at",
                "type": "ordinal",
                "scale": {
                    "domain": [step.at for step in steps],
                    "paddingInner": 0.12,
                    "paddingOuter": 0.06,
                },
                "axis": time_labels(form),
            },
            "y": {
                "field": "n",
                "type": "quantitative",
                "axis": {
                    "title": None,
                    "tickCount": 4,
                    "tickMinStep": 1,
                    "format": "~s",
                    "domain": False,
                    "ticks": False,
                },
            },
            "color": {
                "field": "verdict",
                "type": "nominal",
                "scale": {"domain": list(verdicts)},
                "legend": None,
            },
            "order": {"field": "rank"},
            "tooltip": [
                {"field": "at", "title": "UTC"},
                {"field": "verdict", "title": "Verdict"},
                {"field": "n", "title": "Postbacks", "format": ","},
            ],
        },
    }


def grid(values: Mapping[int, int]) -> dict[str, Any]:
    """How often each of the 64 fine values came, as eight rows of eight."""
    most = max(values.values(), default=0)
    cells = [
        {"row": value // 8, "column": value % 8, "value": value, "n": values.get(value, 0)}
        for value in range(64)
    ]
    where = {
        "x": {"field": "column", "type": "ordinal", "axis": None},
        "y": {"field": "row", "type": "ordinal", "axis": None},
    }
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 260,
        "data": {"values": cells},
        "encoding": where,
        "layer": [
            {
                "mark": {"type": "rect", "tooltip": True, "cornerRadius": 3},
                "encoding": {
                    "color": {
                        "field": "n",
                        "type": "quantitative",
                        "legend": None,
                        # A square root: one value that nearly all have hides no other.
                        "scale": {"type": "sqrt", "domain": [0, most or 1], "interpolate": "rgb"},
                    },
                    "tooltip": [
                        {"field": "value", "title": "Value"},
                        {"field": "n", "title": "Postbacks", "format": ","},
                    ],
                },
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {
                    "text": {"field": "value", "type": "nominal"},
                    "color": {"condition": {"test": f"datum.n > {most / 4}", "value": "white"}},
                },
            },
        ],
    }


def line(domain: Sequence[str], shares: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """A share over time."""
    form = "%H:%M" if domain and "T" in domain[0] else "%d %b"
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 120,
        "data": {"values": [{"at": at, "share": share} for at, share in shares]},
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "x": {
                "field": "at",
                "type": "ordinal",
                "scale": {"domain": list(domain)},
                "axis": time_labels(form),
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": {"title": None, "tickCount": 3, "format": "%", "domain": False},
            },
            "tooltip": [
                {"field": "at", "title": "UTC"},
                {"field": "share", "title": "Without a value", "format": ".1%"},
            ],
        },
    }
