"""Named expressions over postbacks, in Ibis: one text for every engine.

To add one is a function and a line here.
"""

from types import MappingProxyType

from skan_receiver.reports.analytics.expressions.counting import (
    COPIES,
    FORGERIES,
    INSTALLS,
    TREND,
    VOLUMES,
    WINS,
)
from skan_receiver.reports.analytics.expressions.expression import Expression, Tables
from skan_receiver.reports.analytics.expressions.places import COUNTRIES, PUBLISHERS, SOURCES
from skan_receiver.reports.analytics.expressions.values import NULLS, TIERS, VALUES
from skan_receiver.reports.analytics.expressions.worth import (
    EVENTS,
    READINGS,
    REVENUE,
    REVENUE_BY_WINDOW,
)

__all__ = ["EXPRESSIONS", "Expression", "Tables"]

# The table of contents.
EXPRESSIONS: MappingProxyType[str, Expression] = MappingProxyType(
    {
        "volumes": VOLUMES,
        "installs": INSTALLS,
        "trend": TREND,
        "wins": WINS,
        "copies": COPIES,
        "forgeries": FORGERIES,
        "values": VALUES,
        "nulls": NULLS,
        "tiers": TIERS,
        "sources": SOURCES,
        "publishers": PUBLISHERS,
        "countries": COUNTRIES,
        "events": EVENTS,
        "revenue": REVENUE,
        "revenue-by-window": REVENUE_BY_WINDOW,
        "readings": READINGS,
    }
)
