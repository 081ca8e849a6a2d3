"""Which values came, and how much Apple told."""

import ibis

from skan_receiver.reports.analytics.expressions.expression import (
    By,
    Expression,
    Tables,
    grouped,
    share,
)
from skan_receiver.reports.analytics.postbacks import source, value


def _values(tables: Tables, by: By) -> ibis.Table:
    of = tables.valued
    found = grouped(of, by, value(of).name("value"), postbacks=of.count())
    whole = found.postbacks.sum().over(ibis.window(group_by=list(by)))
    return found.mutate(share=share(found.postbacks, whole))


VALUES = Expression(
    title="Conversion values; where it is absent, none came",
    usually=("window",),
    measures=("value", "postbacks", "share"),
    make=_values,
)


def _nulls(tables: Tables, by: By) -> ibis.Table:
    of = tables.valued
    none = of.fine_value.isnull() & of.coarse_value.isnull()
    found = grouped(of, by, postbacks=of.count(), nulls=of.count(where=none))
    return found.mutate(null_share=share(found.nulls, found.postbacks))


NULLS = Expression(
    title="How often a value could have come, and did not",
    usually=("ad_network_id", "window"),
    measures=("postbacks", "nulls", "null_share"),
    make=_nulls,
)


def _tiers(tables: Tables, by: By) -> ibis.Table:
    """What the fields reveal of Apple's postback data tier."""
    of = tables.counted
    digits = source(of).length()
    return grouped(
        of,
        by,
        postbacks=of.count(),
        fine=of.count(where=of.fine_value.notnull()),
        coarse=of.count(where=of.fine_value.isnull() & of.coarse_value.notnull()),
        country=of.count(where=of.country.notnull()),
        publisher=of.count(where=of.source_app_id.notnull() | of.source_domain.notnull()),
        four_digits=of.count(where=digits == 4),
        three_digits=of.count(where=digits == 3),
        two_digits=of.count(where=digits <= 2),
    )


TIERS = Expression(
    title="How much Apple told: values, country, publisher, digits of the source",
    usually=("ad_network_id",),
    measures=(
        *("postbacks", "fine", "coarse", "country", "publisher"),
        *("four_digits", "three_digits", "two_digits"),
    ),
    make=_tiers,
)
