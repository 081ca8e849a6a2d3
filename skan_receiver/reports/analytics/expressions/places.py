"""Where the ad was, and where the user is."""

import ibis

from skan_receiver.reports.analytics.expressions.expression import (
    By,
    Expression,
    Tables,
    grouped,
    share,
)


def _sources(tables: Tables, by: By) -> ibis.Table:
    """A source of four digits is in the counts of its last three and its last two as well."""
    of = tables.counted.filter(tables.counted.source_identifier.notnull())
    install = (of.window == 0) & (of.conversion_type == "download")
    parts = []
    for digits in (2, 3, 4):
        long = of.source_identifier.length() >= digits
        suffix = of.source_identifier.right(digits).name("source")
        counts = {"postbacks": of.count(where=long), "installs": of.count(where=long & install)}
        part = grouped(of, by, suffix, **counts)
        parts.append(part.filter(part.postbacks > 0).mutate(digits=ibis.literal(digits, "int64")))
    return ibis.union(*parts)


SOURCES = Expression(
    title="Source identifiers as a tree: by their last two, three and four digits",
    usually=("ad_network_id",),
    measures=("digits", "source", "postbacks", "installs"),
    make=_sources,
)


def _publishers(tables: Tables, by: By) -> ibis.Table:
    found = grouped(tables.installs, by, installs=tables.installs.count())
    whole = found.installs.sum().over(ibis.window())
    return found.mutate(share=share(found.installs, whole))


PUBLISHERS = Expression(
    title="Installs by where the ad was seen",
    usually=("source_app_id", "source_domain"),
    measures=("installs", "share"),
    make=_publishers,
)

COUNTRIES = Expression(
    title="Installs by country; nobody signs it, and Apple tells it of large crowds only",
    usually=("country",),
    measures=("installs", "share"),
    make=_publishers,
)
