"""Both sides laid together: what SKAdNetwork counts, what the MMP does, and neither twice.

Of installs by their day: a postback is dated back to its usual install. How many are in both
nobody can look up; `both` says how it is bounded, and estimated.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion import Meaning
from skan_receiver.reports import charts, money, results
from skan_receiver.reports.both import Bounds, Sides, in_both
from skan_receiver.reports.cells import Group
from skan_receiver.reports.question import INSTALL, Question, Unanswerable
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.stored import in_order
from skan_receiver.reports.tally import Lifetime, Worth, telling_most
from skan_receiver.reports.told import Naming, Telling, Told, telling
from skan_receiver.storage.meanings import Readings, rest
from skan_receiver.storage.sources import sources

# The flag of a schema by which a value says it, by either name (docs/reports.md).
SAYING = ("already_attributed", "attributed")

DIMENSIONS = ("day", "app_id", "network", "campaign_id")
FILTERS = {"app_id", "ad_network_id"}

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlapping(Group):
    """What both sides count of a group, and all of it together, each once.

    `total` lies between `total_low` and `total_high`, and so does the truth, if both count what
    is there. Amounts are None where there are several currencies, or where a value has no upper
    end.
    """

    network: str | None = None
    campaign_id: str | None = None

    skan_installs: int
    mmp_installs: int
    overlap: float
    overlap_share: float | None  # of SKAdNetwork's installs
    total: float
    total_low: float
    total_high: float
    known_by: str  # flag, or estimate
    flagged: int
    unflagged: int
    currency: str | None
    skan_revenue: float | None
    mmp_revenue: float | None
    total_revenue: float | None
    total_revenue_low: float | None
    total_revenue_high: float | None
    note: str | None


@dataclass(slots=True)
class _Stratum:
    """A group within one app: no user of one app is a user of another."""

    tallies: defaultdict[bool | None, Lifetime] = field(
        default_factory=lambda: defaultdict(Lifetime)
    )
    told: Told = field(default_factory=Told)

    def installs(self, *flags: bool | None) -> int:
        return sum(self.tallies[flag].kinds["installs"] for flag in flags)

    def sides(self, *, is_whole: bool) -> Sides:
        """`is_whole`: all installs of the app are looked at, and so all organic ones."""
        told = self.told
        return Sides(
            skan=self.installs(True, False, None),
            attributed=told.attributed,
            consented=told.consented,
            everybody=told.attributed + told.organic if is_whole and told.organic else None,
            flagged=self.installs(True),
            unflagged=self.installs(False),
        )


def rows(connection: Connection, question: Question) -> list[Overlapping]:
    """Both sides of each group."""
    if other := [name for name, _ in question.filters.given() if name not in FILTERS]:
        raise Unanswerable(other[0], "only Apple's postbacks have it; leave it out")
    known = sources(connection)
    strata, theirs = _strata(connection, question, known)
    groups: defaultdict[Key, list[_Stratum]] = defaultdict(list)
    for key, stratum in strata.items():
        groups[key[:-1]].append(stratum)
    is_whole = not {"network", "campaign_id"} & set(question.by)
    is_whole = is_whole and question.filters.ad_network_id is None
    note = _note(question, theirs)
    return [
        _row(dict(zip(question.by, key, strict=True)), groups[key], note, is_whole=is_whole)
        for key in in_order(groups)
    ]


def _strata(
    connection: Connection, question: Question, known: Mapping[str, str]
) -> tuple[dict[Key, _Stratum], Telling]:
    strata: defaultdict[Key, _Stratum] = defaultdict(_Stratum)
    own = tuple("ad_network_id" if name == "network" else name for name in question.by)
    split = tuple(dict.fromkeys((*own, "app_id")))
    asked = question.but(by=split, basis=INSTALL)
    for of in results.gathered(connection, asked):
        named = dict(zip(split, of.group, strict=True))
        if (id_ := named.get("ad_network_id")) is not None:
            named["network"] = known.get(id_, id_)
        stratum = strata[(*(named[name] for name in question.by), named["app_id"])]
        stratum.tallies[flag_of(of.readings)].add(of.cell, of.n, of.readings, of.exchange)
    naming = Naming(known, _only(question))
    theirs = telling(connection, question, naming, money.exchanges(connection, question))
    for key, told in theirs.groups.items():
        strata[key].told = told
    return strata, theirs


def _only(question: Question) -> frozenset[str] | None:
    said = dict(question.filters.given()).get("ad_network_id")
    return None if said is None else frozenset([said] if isinstance(said, str) else said)


def flag_of(readings: Readings) -> bool | None:
    """What a value says of the flag; None where it says nothing, or no version is certain."""
    said = {
        None if (meaning := one.decoded.meaning) is None else _said(meaning) for one in readings
    }
    return said.pop() if len(said) == 1 and not rest(readings) else None


def _said(meaning: Meaning) -> bool | None:
    flags = dict(meaning.flags)
    return next((flags[name] for name in SAYING if name in flags), None)


def _row(
    group: Mapping[str, Any], strata: Sequence[_Stratum], note: str | None, *, is_whole: bool
) -> Overlapping:
    sides = [stratum.sides(is_whole=is_whole) for stratum in strata]
    bounds = [in_both(one) for one in sides]
    skan, mmp = sum(one.skan for one in sides), sum(one.attributed for one in sides)
    flagged, unflagged = (sum(getattr(one, name) for one in sides) for name in FLAGS)
    both = sum(one.estimate for one in bounds)
    return Overlapping(
        **group,
        skan_installs=skan,
        mmp_installs=mmp,
        overlap=round(both, 6),
        overlap_share=round(both / skan, 6) if skan else None,
        total=round(skan + mmp - both, 6),
        total_low=round(skan + mmp - sum(one.high for one in bounds), 6),
        total_high=round(skan + mmp - sum(one.low for one in bounds), 6),
        known_by="flag" if flagged + unflagged else "estimate",
        flagged=flagged,
        unflagged=unflagged,
        **_revenue(strata, bounds),
        note=note,
    )


FLAGS = ("flagged", "unflagged")
AMOUNTS = ("skan_revenue", "mmp_revenue", "total_revenue", "total_revenue_low")
NO_AMOUNTS: dict[str, Any] = dict.fromkeys(("currency", *AMOUNTS, "total_revenue_high"))


def _revenue(strata: Sequence[_Stratum], bounds: Sequence[Bounds]) -> dict[str, Any]:
    """What both sides tell of money; who is in both is not paid for twice."""
    told = {name for one in strata for name in one.told.revenue}
    said = {name for one in strata for tally in one.tallies.values() for name in tally.worths()}
    if len(told | said) != 1:
        return NO_AMOUNTS
    (currency,) = told | said
    parts = [_paid(one, of, currency) for one, of in zip(strata, bounds, strict=True)]
    return {"currency": currency} | {
        name: _sum(part[name] for part in parts) for name in NO_AMOUNTS if name != "currency"
    }


def _paid(stratum: _Stratum, both: Bounds, currency: str) -> dict[str, float | None]:
    # One window for all: what a later one tells since the install says nothing of the flag.
    window = telling_most(stratum.tallies.values(), currency)
    alone, unknown, flagged = (
        stratum.tallies[flag].upto[window].get(currency, Worth()) for flag in (False, None, True)
    )
    mmp = float(stratum.told.revenue[currency])
    installs, certain = stratum.installs(None), stratum.installs(True)
    share = min((both.estimate - certain) / installs, 1.0) if installs else 0.0
    share = max(share, 0.0)
    least = (alone.bounds.least or 0.0) + mmp
    # None of the unknown need be in both, and all that was paid may be by those who are.
    if both.high <= certain:
        least += unknown.bounds.least or 0.0
    return {
        "skan_revenue": _sum((alone.middle, unknown.middle, flagged.middle)),
        "mmp_revenue": mmp,
        "total_revenue": _sum((mmp, alone.middle, _times(unknown.middle, 1 - share))),
        "total_revenue_low": least,
        "total_revenue_high": _sum((mmp, alone.bounds.most, unknown.bounds.most)),
    }


def _times(amount: float | None, share: float) -> float | None:
    return None if amount is None else amount * share


def _sum(amounts: Iterable[float | None]) -> float | None:
    total = 0.0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return round(total, 6)


def _note(question: Question, theirs: Telling) -> str | None:
    """What keeps the sides apart that need not."""
    said = []
    if theirs.unmapped and ("network" in question.by or question.filters.ad_network_id):
        names = ", ".join(sorted(theirs.unmapped)[:5])
        said.append(f"of no ad network yet: {names}: see `events sources map`")
    for app_id, others in sorted(theirs.others.items()):
        teller = theirs.tellers[app_id]
        said.append(f"app {app_id}: {', '.join(others)} tell the same as {teller}: left out")
    return "; ".join(said) or None


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """The total with its interval."""
    return charts.bands(rows, by, ("total_low", "total", "total_high"), "Installs, each once")


OVERLAP = Report(
    title="Overlap: what SKAdNetwork and the MMP count, each install once",
    dimensions=DIMENSIONS,
    usually=(),
    measures=(
        *("skan_installs", "mmp_installs", "overlap", "overlap_share", "total", "total_low"),
        *("total_high", "known_by", *FLAGS, "currency", *AMOUNTS, "total_revenue_high", "note"),
    ),
    rows=rows,
    chart=chart,
    bases=(INSTALL,),
    has_amounts=True,
    is_sent=False,
)
