"""Charts as Vega-Lite specifications. Who shows them adds the colours of their own style.

Times are texts to a chart: it has a mark for each, and no time zone but the report's.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from skan_receiver.protocol import Verdict

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name; nobody loads it

Rows = Iterable[Mapping[str, Any]]
Spec = dict[str, Any]

TIMES = ("hour", "day")


def name_of(row: Mapping[str, Any], by: Sequence[str]) -> str:
    """What a row is about, in one line: its dimensions beside time."""
    return ", ".join(text(name, row[name]) for name in by if name not in TIMES) or "all"


def text(name: str, value: Any) -> str:
    """A dimension's value, as the axis or legend of a chart says it."""
    if value is None:
        return "none"
    if name == "window":
        return f"window {value}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)


def when(by: Sequence[str]) -> str | None:
    """The time that rows are split by, if they are."""
    return next((name for name in by if name in TIMES), None)


def chart(values: Sequence[Mapping[str, Any]], *, height: int = 240, **more: Any) -> Spec:
    """What all have in common."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "data": {"values": list(values)},
        **more,
    }


def bars(rows: Rows, by: Sequence[str], measure: str, title: str) -> Spec:
    """A measure over time, stacked by the other dimensions; without a time, by those alone."""
    at = when(by)
    values = [
        {
            "x": text(at, row[at]) if at else name_of(row, by),
            "group": name_of(row, by),
            "n": row[measure],
        }
        for row in rows
        if row[measure] is not None
    ]
    colours = {"color": _colours(by)} if at and len({v["group"] for v in values}) > 1 else {}
    tip = [{"field": "x", "title": at or "group"}, {"field": "group"}]
    return chart(
        values,
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": time_axis(at) if at else {"field": "x", "type": "nominal", "axis": PLAIN},
            "y": amount("n", title),
            **colours,
            "tooltip": [*tip, {"field": "n", "title": title, "format": ",.6~g"}],
        },
    )


def stacks(
    values: Sequence[Mapping[str, Any]], title: str, *, at: str | None = None, about: str = ""
) -> Spec:
    """A bar for each `x` in the order they come, of the `n` of its groups; `at` is the time that
    `x` is, or else `about` says what it is."""
    axis = {**PLAIN, "title": about or None}
    x = time_axis(at) if at else {"field": "x", "type": "ordinal", "sort": None, "axis": axis}
    several = len({value["group"] for value in values}) > 1
    return chart(
        values,
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": x,
            "y": amount("n", title),
            **({"color": colour("group")} if several else {}),
            "tooltip": [
                {"field": "x", "title": at or about or "of"},
                {"field": "group"},
                {"field": "n", "title": title, "format": ",.6~g"},
            ],
        },
    )


def bands(rows: Rows, by: Sequence[str], fields: tuple[str, str, str], title: str) -> Spec:
    """Low, middle and high: over time a line in its band, without time a point on its interval."""
    low, middle, high = fields
    at = when(by)
    values = [
        {
            "x": text(at, row[at]) if at else name_of(row, by),
            "group": name_of(row, by),
            "low": row[low],
            "middle": row[middle],
            "high": row[high],
        }
        for row in rows
    ]
    x = time_axis(at) if at else {"field": "x", "type": "nominal", "axis": PLAIN}
    tip = [
        {"field": "x", "title": at or "group"},
        {"field": "group"},
        *({"field": name, "format": ",.6~g"} for name in ("low", "middle", "high")),
    ]
    shared = {"x": x, "color": colour("group"), "tooltip": tip}
    spread = {"y": amount("low", title), "y2": {"field": "high"}}
    mark: Spec = {"type": "area", "opacity": 0.25} if at else {"type": "rule", "strokeWidth": 3}
    centre: Spec = {"type": "line"} if at else {"type": "point", "filled": True, "size": 60}
    return chart(
        values,
        layer=[
            {"mark": mark, "encoding": {**shared, **spread}},
            {"mark": centre, "encoding": {**shared, "y": amount("middle", title)}},
        ],
    )


def heat(values: Sequence[Mapping[str, Any]], x: str, y: str, measure: str, title: str) -> Spec:
    """How much of each pair."""
    axis = {"title": None, "labelOverlap": True, "ticks": False, "labelAngle": 0}
    return chart(
        values,
        mark={"type": "rect", "tooltip": True},
        encoding={
            "x": {"field": x, "type": "ordinal", "sort": None, "axis": axis},
            "y": {"field": y, "type": "ordinal", "sort": None, "axis": axis},
            "color": {
                "field": measure,
                "type": "quantitative",
                "scale": {"interpolate": "rgb", "zero": True},
                "legend": {"title": title, "orient": "bottom"},
            },
        },
    )


def waterfall(steps: Mapping[str, int], total: Sequence[str], title: str) -> Spec:
    """From one total to another: each step hangs where the one before it ended."""
    values, level = [], 0
    for name, n in steps.items():
        before = 0 if name in total else level
        level = before + n
        sort = "total" if name in total else "more" if n > 0 else "less"
        values.append({"x": name, "from": before, "to": level, "n": n, "sort": sort})
    return chart(
        values,
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": {
                "field": "x",
                "type": "nominal",
                "sort": None,
                "axis": {**PLAIN, "labelAngle": -30},
            },
            "y": amount("from", title),
            "y2": {"field": "to"},
            "color": {
                "field": "sort",
                "type": "nominal",
                "scale": {"domain": ["total", "more", "less"]},
                "legend": None,
            },
            "tooltip": [
                {"field": "x", "title": "step"},
                {"field": "n", "title": title, "format": "+,"},
            ],
        },
    )


PLAIN = {"title": None, "labelAngle": 0, "labelOverlap": True, "ticks": False, "labelLimit": 180}
TILTED = {**PLAIN, "labelAngle": -30}


def _colours(by: Sequence[str]) -> Spec:
    """Verdicts have colours of their own, the same everywhere."""
    if [name for name in by if name not in TIMES] != ["verdict"]:
        return colour("group")
    return colour("group") | {"scale": {"domain": [verdict.value for verdict in Verdict]}}


def colour(field: str) -> Spec:
    """A colour for each group, told in a legend."""
    return {
        "field": field,
        "type": "nominal",
        "legend": {"title": None, "orient": "bottom", "columns": 3, "labelLimit": 220},
    }


def amount(field: str, title: str) -> Spec:
    """An axis of numbers."""
    return {
        "field": field,
        "type": "quantitative",
        "axis": {"title": title, "tickCount": 4, "format": "~s", "domain": False, "ticks": False},
    }


def time_axis(at: str | None) -> Spec:
    """An axis of days or hours, each a text."""
    form = "%d %b, %H:%M" if at == "hour" else "%d %b"
    return {"field": "x", "type": "ordinal", "axis": time_labels(form)}


def time_labels(form: str) -> Spec:
    """How times that are texts are labelled; `form` is D3's."""
    return {
        "title": None,
        "labelAngle": 0,
        "labelOverlap": True,
        "labelExpr": f"utcFormat(toDate(datum.value), '{form}')",
        "ticks": False,
        "labelPadding": 6,
    }
