"""What an engine answers, in a form that can be compared."""

import math
from typing import Any

from skan_receiver.reports.analytics import Analytics


def rows(of: Analytics, name: str, **chosen: Any) -> list[tuple[Any, ...]]:
    """The rows of an expression; sums of fractions to five digits, which is more than they bear."""
    found = of.engine.to_pyarrow(of.expression(name, **chosen)).to_pylist()
    return [tuple(_plain(value) for value in row.values()) for row in found]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 5)
    return value
