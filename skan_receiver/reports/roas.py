"""What ads cost, and what came of them: cost per install, and revenue by cost.

A cost is of a day of its account; a postback, of the day of its usual install unless asked
otherwise. What was spent on a day and installed on it is not the same: an ad works for weeks.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from skan_receiver.reports import charts, results
from skan_receiver.reports.cells import Group
from skan_receiver.reports.question import ARRIVAL, INSTALL, Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.results import BY_DAY
from skan_receiver.reports.spending import DIMENSIONS, Called, Spending, spent
from skan_receiver.reports.tally import Lifetime, Result

REVENUES = ("revenue_min", "revenue", "revenue_max")
ROAS_OF = dict(zip(("roas_min", "roas", "roas_max"), REVENUES, strict=True))
NOTHING_SPENT = Spending()

# By currency: the cost and the revenue, as far as they are known.
Amounts = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roas(Group):
    """What a group cost and brought in. What nobody has told is None, and so is what cannot be
    divided.

    All amounts are in `currency`. Where there are several, amounts and ratios are None, and
    `currencies` has each.
    """

    campaign_id: str | None = None
    campaign_name: str | None = None
    country: str | None = None  # as the device says it, and as the network bills it
    country_or_target: str | None = None

    cost: float | None
    impressions: int | None
    clicks: int | None
    network_installs: int | None  # as the network counts them
    installs: int  # ours: see `results`
    cpi: float | None  # cost per install of ours
    revenue_min: float | None
    revenue: float | None
    revenue_max: float | None
    roas_min: float | None  # revenue by cost: 1 is as much as was spent
    roas: float | None
    roas_max: float | None
    currency: str | None
    currencies: tuple[Mapping[str, Any], ...]
    zone: str  # whose days those of installs and revenue are
    cost_zone: str | None  # whose days those of costs are; several with commas


def rows(connection: Connection, question: Question) -> list[Roas]:
    """Costs beside results; where there is one alone, the row has that."""
    called, by = Called(connection), question.by
    # An id has one name at most: it splits nothing further, and two spellings must not.
    named = {"campaign_id", "campaign_name"} <= set(by)
    split = tuple(name for name in by if not (named and name == "campaign_name"))
    asked = question.but(by=split)
    costs = spent(connection, asked, called)
    found = {_key(row, split): row for row in results.rows(connection, asked, Lifetime)}
    zone = "UTC" if set(split) & set(BY_DAY) else str(question.period.zone)
    return [
        _row(
            _group(dict(zip(split, key, strict=True)), called, named=named),
            costs.get(key, NOTHING_SPENT),
            found.get(key),
            zone,
        )
        for key in sorted(costs.keys() | found.keys(), key=results._rank)
    ]


def _key(row: Result, by: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in by)


def _group(group: dict[str, Any], called: Called, *, named: bool) -> dict[str, Any]:
    if not named:
        return group
    name = called.name(group.get("ad_network_id"), group["campaign_id"])
    return {**group, "campaign_name": name}


def _row(group: Mapping[str, Any], cost: Spending, result: Result | None, zone: str) -> Roas:
    amounts, installs = _amounts(cost, result), result.installs if result else 0
    each: list[dict[str, Any]] = [{"currency": of, **amounts[of]} for of in sorted(amounts)]
    one: dict[str, Any] = each[0] if len(each) == 1 else {}
    spent = one.get("cost")
    ratios: dict[str, Any] = {name: _ratio(one.get(of), spent) for name, of in ROAS_OF.items()}
    return Roas(
        **group,
        cost=spent,
        impressions=cost.counts.get("impressions"),
        clicks=cost.counts.get("clicks"),
        network_installs=cost.counts.get("installs"),
        installs=installs,
        cpi=_ratio(spent, installs),
        **{name: one.get(name) for name in REVENUES},
        **ratios,
        currency=one.get("currency"),
        currencies=tuple(each) if len(each) > 1 else (),
        zone=zone,
        cost_zone=", ".join(sorted(cost.zones)) or None,
    )


def _amounts(cost: Spending, result: Result | None) -> Amounts:
    names = ("cost", *REVENUES)
    amounts: defaultdict[str, dict[str, float | None]]
    amounts = defaultdict(lambda: dict.fromkeys(names))
    for currency, amount in cost.amounts.items():
        amounts[currency]["cost"] = round(amount, 6)
    if result is not None and result.currency:
        amounts[result.currency] |= {name: getattr(result, name) for name in REVENUES}
    for each in result.currencies if result else ():
        amounts[each["currency"]] |= {name: each[name] for name in REVENUES}
    return amounts


def _ratio(of: float | None, by: float | None) -> float | None:
    return None if of is None or not by else round(of / by, 6)


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """Revenue by cost, with its interval; while there is none, costs."""
    told = [row for row in rows if row["roas"] is not None and row["roas_max"] is not None]
    if not told:
        return charts.bars(rows, by, "cost", "Cost")
    return charts.bands(told, by, ("roas_min", "roas", "roas_max"), "Revenue by cost")


ROAS = Report(
    title="Costs, and what came of them",
    dimensions=tuple(DIMENSIONS),
    usually=("app_id", "ad_network_id"),
    measures=(
        *("cost", "impressions", "clicks", "network_installs", "installs", "cpi"),
        *(*REVENUES, *ROAS_OF, "currency", "currencies", "zone", "cost_zone"),
    ),
    rows=rows,
    chart=chart,
    bases=(INSTALL, ARRIVAL),
    has_amounts=True,
    is_sent=False,  # what is paid is told to nobody
)
