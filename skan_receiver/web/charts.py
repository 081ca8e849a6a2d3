"""Charts as Vega-Lite specifications. The browser adds the colours of its own style."""

from collections import Counter
from collections.abc import Sequence
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
