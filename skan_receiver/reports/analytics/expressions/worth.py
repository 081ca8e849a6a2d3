"""What values mean: events and revenue, read through the schemas that were in force."""

import ibis

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.reports.analytics.expressions.expression import (
    By,
    Expression,
    Tables,
    grouped,
)
from skan_receiver.reports.analytics.postbacks import value

_CELL = ("app_id", "window", "rising", "type", "value", "hour")
_VALUE = ("app_id", "window", "type", "value")
_READ = (*_VALUE, "schema_version")


def _cells(tables: Tables, by: By) -> ibis.Table:
    """Counts of raw values by hour: what meanings are joined to."""
    of = tables.valued
    of = of.mutate(
        value=value(of),
        type=of.conversion_type.fill_null(""),
        rising=of.version.isin(sorted(RISING_ONLY)),
        hour=of.received_at.truncate("h"),
    )
    of = of.filter(of.value.notnull())
    keys = [of[name] for name in _CELL]
    groups = tuple(name for name in by if name not in _CELL)
    return grouped(of, groups, *keys, n=of.count())


def _weighed(tables: Tables, by: By) -> ibis.Table:
    """The cells, once for each version that can have been in force, with its weight."""
    cells, force = _cells(tables, by), tables.small("force")
    if tables.meanings.closing:
        closing = tables.small("closing").mutate(locked=True)
        joined = cells.left_join(closing, _during(cells, closing, (*_VALUE, "rising")))
        joined = joined.select(*cells.columns, "locked")
        # A column made anew ends a chain of joins: in a longer one Ibis takes no side for another.
        cells = joined.mutate(locked=joined.locked.fill_null(False))
    else:
        cells = cells.mutate(locked=False)
    joined = cells.inner_join(
        force, _during(cells, force, ("app_id", "window", "rising", "locked"))
    )
    weighed = joined.select(*cells.columns, "schema_version", "weight")
    return weighed.mutate(weight=weighed.n * weighed.weight)


def _during(cells: ibis.Table, small: ibis.Table, same: tuple[str, ...]) -> list[ibis.Value]:
    equal = [cells[name] == small[name] for name in same]
    return [*equal, cells.hour >= small.start, cells.hour < small.end]


def _read(tables: Tables, by: By, name: str) -> ibis.Table:
    cells, small = _weighed(tables, by), tables.small(name)
    same = [cells[key] == small[key] for key in _READ]
    others = (name for name in small.columns if name not in _READ)
    return cells.inner_join(small, same).select(*cells.columns, *others)


def _bounds(of: ibis.Table) -> dict[str, ibis.Value]:
    """Sums of intervals: no most where one of them has none."""
    endless = of.count(where=of.most.isnull()) > 0
    most = ibis.ifelse(endless, None, (of.weight * of.most).sum())
    return {
        "postbacks": of.weight.sum().round(6),
        "least": (of.weight * of.least).sum().round(6),
        "most": most.round(6),
    }


def _events(tables: Tables, by: By) -> ibis.Table:
    of = _read(tables, by, "events")
    return grouped(of, by, of.event.name("event"), **_bounds(of))


EVENTS = Expression(
    title="Events, as far as values speak of them: how often at least, and at most",
    usually=("app_id",),
    measures=("event", "postbacks", "least", "most"),
    make=_events,
)


def _revenue(tables: Tables, by: By) -> ibis.Table:
    of = _read(tables, by, "revenue")
    unknown = of.count(where=of.middle.isnull()) > 0
    middle = ibis.ifelse(unknown, None, (of.weight * of.middle).sum()).round(6)
    return grouped(of, by, of.currency.name("currency"), **_bounds(of), middle=middle)


REVENUE = Expression(
    title="Revenue, as far as values speak of it: at least, in the middle, at most",
    usually=("app_id", "month"),
    measures=("currency", "postbacks", "least", "middle", "most"),
    make=_revenue,
)

REVENUE_BY_WINDOW = Expression(
    title="Revenue of days 0–2, 3–7 and 8–35",
    usually=("app_id", "window"),
    measures=("currency", "postbacks", "least", "middle", "most"),
    make=_revenue,
)


def _readings(tables: Tables, by: By) -> ibis.Table:
    of = _weighed(tables, by)
    known = tables.small("read").mutate(known=True)
    joined = of.left_join(known, [of[key] == known[key] for key in _READ])
    of = joined.select(*of.columns, "known")
    return grouped(
        of,
        by,
        of.schema_version,
        postbacks=of.weight.sum().round(6),
        not_in_schema=of.weight.sum(where=of.known.isnull()).fill_null(0.0).round(6),
    )


READINGS = Expression(
    title="How many values each version of a schema reads, with the weights of uncertain ones",
    usually=("app_id",),
    measures=("schema_version", "postbacks", "not_in_schema"),
    make=_readings,
)
