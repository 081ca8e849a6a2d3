"""A statement from the store, ready to be compared."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from skan_receiver.reports.period import zone_named
from skan_receiver.reports.question import Unanswerable
from skan_receiver.reports.reconciling.sides import Frame, Terms
from skan_receiver.storage import Statement, StatementLine, StoredDestination
from skan_receiver.storage.columns import table

STATEMENT, LINE = table(Statement), table(StatementLine)
DESTINATION = table(StoredDestination)


@dataclass(frozen=True, slots=True)
class Read:
    """A statement, ready to be compared."""

    id: int
    terms: Terms
    destinations: tuple[str, ...]


def read(connection: Connection, name: str) -> Read:
    """The statement of that name. Raises Unanswerable with those there are."""
    row = connection.execute(select(STATEMENT).where(STATEMENT.c.name == name)).one_or_none()
    if row is None:
        named = select(STATEMENT.c.name).where(STATEMENT.c.name.is_not(None))
        there = ", ".join(connection.scalars(named.order_by(STATEMENT.c.name)))
        remedy = f"there are: {there}" if there else "import one: skan-receiver statements import"
        raise Unanswerable("statement", f"there is none named {name!r}; {remedy}")
    destinations = _destinations(connection, row)
    aliases = {other: ids[0] for ids in json.loads(row.networks).values() for other in ids[1:]}
    strata, by_id = _strata(connection, row.id)
    terms = Terms(
        frame=Frame(zone_named(row.zone), row.basis),
        first=row.first_day,
        last=row.last_day,
        strata=strata,
        by_id=by_id,
        names_networks=row.names_networks,
        aliases=aliases,
        has_destinations=bool(destinations),
    )
    return Read(row.id, terms, destinations)


def _destinations(connection: Connection, row: Row[Any]) -> tuple[str, ...]:
    """Those it was imported with, or else those made from a preset of the format's name."""
    if said := json.loads(row.destinations):
        return tuple(said)
    every = connection.execute(select(DESTINATION.c.name, DESTINATION.c.definition))
    presets = {one.name: json.loads(one.definition).get("preset", "") for one in every}
    return tuple(name for name, preset in presets.items() if preset.split("_")[0] == row.format)


def _strata(connection: Connection, statement_id: int) -> tuple[frozenset[Any], frozenset[Any]]:
    split = LINE.c.app_id, LINE.c.ad_network_id
    rows = connection.execute(
        select(*split, func.count().label("n"), func.count(LINE.c.postback_id).label("ids"))
        .where(LINE.c.statement_id == statement_id)
        .group_by(*split)
    ).all()
    every = frozenset((row.app_id, row.ad_network_id) for row in rows)
    by_id = frozenset((row.app_id, row.ad_network_id) for row in rows if row.n == row.ids)
    return every, by_id
