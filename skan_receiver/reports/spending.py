"""What ads cost in a period, split as a report is; and what campaigns are called."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, cast, func, select

from skan_receiver.reports import money
from skan_receiver.reports.filters import Filters
from skan_receiver.reports.question import Question
from skan_receiver.storage.campaigns import CAMPAIGN
from skan_receiver.storage.cost_cells import MICROS
from skan_receiver.storage.costs import COST

# What costs can be split by, and the column that says it. A network bills by the country where an
# ad was shown, whatever Apple says of where the user is.
DIMENSIONS = {
    **{name: name for name in ("day", "app_id", "ad_network_id", "campaign_id", "campaign_name")},
    **dict.fromkeys(("country", "country_or_target"), "country"),
}
COUNTS = ("impressions", "clicks", "installs")


@dataclass(slots=True)
class Spending:
    """What the costs of a group come to."""

    amounts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: dict[str, int] = field(default_factory=dict)  # those that a network told
    zones: set[str] = field(default_factory=set)

    def add(self, row: Mapping[str, Any], exchange: money.Exchange) -> None:
        currency, factor = exchange(row["currency"])
        self.amounts[currency] += (row["units"] + row["rest"] / MICROS) * factor
        self.zones.add(row["zone"])
        for name in COUNTS:
            if row[name] is not None:
                self.counts[name] = self.counts.get(name, 0) + row[name]


class Called:
    """Names of campaigns by their ids: those of the campaign table, else those of costs."""

    def __init__(self, connection: Connection) -> None:
        self._tables = [_names(connection, table) for table in (CAMPAIGN, COST)]

    def name(self, network: str | None, campaign_id: str | None) -> str | None:
        """What it is called, where that is one name; of any network where none is given."""
        for names in self._tables:
            if len(found := names.get((network, campaign_id), ())) == 1:
                return next(iter(found))
        return None


Names = Mapping[tuple[str | None, str | None], set[str]]


def _names(connection: Connection, of: Table) -> Names:
    columns = (of.c.ad_network_id, of.c.campaign_id, of.c.campaign_name)
    named = select(*columns).distinct().where(of.c.campaign_id != "", of.c.campaign_name != "")
    names: defaultdict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    for network, campaign, name in connection.execute(named):
        names[network, campaign].add(name)
        names[None, campaign].add(name)
    return names


def spent(
    connection: Connection, question: Question, called: Called
) -> dict[tuple[Any, ...], Spending]:
    """Costs of the days that a period touches, by the values of what it is split by.

    Of a filter those of app and network hold; costs know no other.
    """
    first, last = question.period.first_day, question.period.last_day
    exchanges = money.exchanges(connection, question)
    asked = Filters(app_id=question.filters.app_id, ad_network_id=question.filters.ad_network_id)
    keys = [COST.c[name] for name in _columns(question)]
    statement = (
        select(*keys, *_sums())
        .where(COST.c.day >= first, COST.c.day <= last, *asked.conditions(COST))
        .group_by(*keys)
    )
    found: defaultdict[tuple[Any, ...], Spending] = defaultdict(Spending)
    for row in map(dict, connection.execute(statement).mappings()):
        key = tuple(_value(name, row, called) for name in question.by)
        found[key].add(row, exchanges(row.get("day")))
    return found


def _columns(question: Question) -> list[str]:
    by = money.dated(question).by
    named = ("ad_network_id", "campaign_id") if "campaign_name" in by else ()
    return sorted({"currency", "zone", *named, *(DIMENSIONS[name] for name in by)})


def _sums() -> Iterator[ColumnElement[int]]:
    """Units and millionths each by themselves: a sum of millionths may not fit into 64 bits."""
    yield _sum(COST.c.micros // MICROS, "units")
    yield _sum(COST.c.micros % MICROS, "rest")
    yield from (_sum(COST.c[name], name) for name in COUNTS)


def _sum(of: ColumnElement[int], name: str) -> ColumnElement[int]:
    """None where no row says it."""
    return cast(func.sum(of), BigInteger).label(name)


def _value(name: str, row: Mapping[str, Any], called: Called) -> Any:
    """Of a dimension; what a cost does not say is empty there, and None in a report."""
    told = row[DIMENSIONS[name]]
    if name == "campaign_name":
        told = called.name(row["ad_network_id"], row["campaign_id"]) or told
    return None if told == "" else told
