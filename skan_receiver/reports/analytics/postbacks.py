"""The table of postbacks as expressions see it: the same on every engine."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import ibis
import ibis.expr.datatypes as dt

from skan_receiver.reports.analytics.columns import COLUMNS

_PLAIN = """
    app_id framework version window verdict reason conversion_type source_app_id source_domain
    country endpoint interaction_type impression_type
"""

# What an expression can be split by. Days and hours are UTC: every session's time zone is.
DIMENSIONS: Mapping[str, Callable[[ibis.Table], ibis.Value]] = MappingProxyType(
    {
        "month": lambda t: t.received_at.truncate("M").date(),
        "day": lambda t: t.received_at.date(),
        "hour": lambda t: t.received_at.truncate("h"),
        # Ids of networks compare without case.
        "ad_network_id": lambda t: t.ad_network_id.lower(),
        # Before SKAdNetwork 4 it is called the campaign.
        "source": lambda t: source(t),
        **{name: lambda t, name=name: t[name] for name in _PLAIN.split()},  # type: ignore[misc]
    }
)

WIDE = ("id", "app_id", "window", "campaign_id", "fidelity_type", "source_app_id", "fine_value")


def dimension(of: ibis.Table, name: str) -> ibis.Value:
    """A column to split by; one that a table already has is taken as it is."""
    return of[name] if name in of.columns and name not in _MADE else DIMENSIONS[name](of)


_MADE = ("ad_network_id",)


def source(of: ibis.Table) -> ibis.Value:
    """The source identifier, or the campaign id, as text."""
    return ibis.coalesce(of.source_identifier, of.campaign_id.cast("string"))


def value(of: ibis.Table) -> ibis.Value:
    """The conversion value as text, fine before coarse; absent where none came."""
    return ibis.coalesce(of.fine_value.cast("string"), of.coarse_value)


def uniform(found: ibis.Table) -> ibis.Table:
    """An engine's own table with the types that expressions rely on."""
    numbers = {name: found[name].cast("int64") for name in WIDE}
    moment = found.received_at.cast(dt.Timestamp(timezone="UTC"))
    # Not the folders' names for months, which the tables of a store do not have.
    columns = found.select(*(column.name for column in COLUMNS))
    return columns.mutate(**numbers, received_at=moment)
