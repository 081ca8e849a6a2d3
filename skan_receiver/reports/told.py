"""Installs and revenue of users as an MMP, or the app's own server, tells them: for `overlap`.

On iOS, by the day of the install; revenue of 35 days from then on, which is as long as Apple's
windows are. Rows that tell who it was are read here, and none of that is told.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, cast, func, select
from sqlalchemy import or_ as any_of

from skan_receiver.mmp.event import Kind, Platform, identity_of
from skan_receiver.reports.ledgers import seconds
from skan_receiver.reports.money import Exchange
from skan_receiver.reports.question import Question
from skan_receiver.reports.stored import hour, told
from skan_receiver.storage import StoredEvent
from skan_receiver.storage.columns import table

EVENT = table(StoredEvent)

COHORT = timedelta(days=35)
MILLION = 1_000_000
AT_ONCE = 500

ON_IOS = and_(
    EVENT.c.app_id.is_not(None),
    any_of(EVENT.c.platform.is_(None), EVENT.c.platform == Platform.IOS.value),
)
# Who does not say whether, but to whom, has said it.
IS_ATTRIBUTED = any_of(
    EVENT.c.is_attributed,
    and_(EVENT.c.is_attributed.is_(None), EVENT.c.media_source.is_not(None)),
)
CONSENTS = EVENT.c.att == "authorized"

Key = tuple[Any, ...]


@dataclass(slots=True)
class Told:
    """What they tell of a group."""

    attributed: int = 0
    consented: int = 0
    organic: int = 0
    # Of who is attributed, by currency.
    revenue: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(slots=True)
class Telling:
    """What they tell, by group: (what the question is split by, the app)."""

    groups: defaultdict[Key, Told] = field(default_factory=lambda: defaultdict(Told))
    # Of each app whom we listen to: two tell of the same installs.
    tellers: dict[int, str] = field(default_factory=dict)
    others: dict[int, tuple[str, ...]] = field(default_factory=dict)
    unmapped: set[str] = field(default_factory=set)  # media sources of no ad network


@dataclass(frozen=True, slots=True)
class Naming:
    """What a media source is called on both sides; None: out of sight."""

    sources: Mapping[str, str]  # by ad-network id
    only: frozenset[str] | None = None  # ad-network ids to look at

    def of(self, media_source: str | None) -> tuple[str | None, bool]:
        """Its name, and whether an ad network of Apple's is called so."""
        said = (media_source or "").casefold()
        known = {id_: name for id_, name in self.sources.items() if name.casefold() == said}
        return next(iter(known.values()), media_source), bool(known)

    def sees(self, media_source: str | None) -> bool:
        if self.only is None:
            return True
        said = (media_source or "").casefold()
        names = (name for id_, name in self.sources.items() if id_ in self.only)
        return said in map(str.casefold, names)


def telling(connection: Connection, question: Question, naming: Naming, exchanges: Any) -> Telling:
    """What is told of a period, by what the question is split by and by app."""
    found = Telling()
    installs = list(_rows(connection, question, _installs(question)))
    _choose(installs, found)
    for row in installs:
        if found.tellers[row["app_id"]] == row["provider"] and naming.sees(row["media_source"]):
            group = found.groups[_group(row, question, naming, found)]
            group.attributed += row["attributed"]
            group.consented += row["consented"]
            group.organic += row["n"] - row["attributed"]
    for row in _paid(connection, question):
        if found.tellers.get(row["app_id"]) != row["provider"]:
            continue
        if naming.sees(row["media_source"]) and row["currency"]:
            exchange: Exchange = exchanges(row["day"] if question.currency else None)
            currency, factor = exchange(row["currency"])
            group = found.groups[_group(row, question, naming, found)]
            group.revenue[currency] += row["micros"] / MILLION * factor
    return found


def _choose(installs: list[dict[str, Any]], found: Telling) -> None:
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in installs:
        counts[row["app_id"]][row["provider"]] += row["n"]
    for app_id, tellers in counts.items():
        first, *rest = sorted(tellers, key=lambda name: (-tellers[name], name))
        found.tellers[app_id] = first
        if rest:
            found.others[app_id] = tuple(rest)


def _group(row: Mapping[str, Any], question: Question, naming: Naming, found: Telling) -> Key:
    network, is_mapped = naming.of(row["media_source"])
    if row["media_source"] and not is_mapped:
        found.unmapped.add(row["media_source"])
    named = {**row, "network": network}
    return (*(named[name] for name in question.by), row["app_id"])


def _rows(
    connection: Connection, question: Question, statement: Select[Any]
) -> Iterator[dict[str, Any]]:
    for row in connection.execute(statement).mappings():
        yield {
            **row,
            "day": told("day", row["hour"], question.period) if "hour" in row else None,
        }


def _keys(question: Question, at: ColumnElement[Any]) -> list[Any]:
    dated = [hour(at).label("hour")] if "day" in question.by or question.currency else []
    campaign = [EVENT.c.campaign_id] if "campaign_id" in question.by else []
    return [EVENT.c.app_id, EVENT.c.provider, EVENT.c.media_source, *campaign, *dated]


def _looked_at(question: Question, at: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    apps = question.filters.app_id
    ours = (
        () if apps is None else (EVENT.c.app_id.in_(apps if isinstance(apps, tuple) else [apps]),)
    )
    return [ON_IOS, *ours, at >= question.period.start, at < question.period.end]


def _installs(question: Question) -> Select[Any]:
    keys = _keys(question, EVENT.c.at)
    return (
        select(
            *keys,
            func.count().label("n"),
            _count(IS_ATTRIBUTED).label("attributed"),
            _count(and_(IS_ATTRIBUTED, CONSENTS)).label("consented"),
        )
        .where(*_looked_at(question, EVENT.c.at))
        .where(EVENT.c.kind == Kind.INSTALL.value, EVENT.c.withdrawn_by.is_(None))
        .group_by(*(key.name if key.name == "hour" else key for key in keys))
    )


def _count(of: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(case((of, 1), else_=0)), 0), BigInteger)


def _of_cohort(question: Question) -> list[ColumnElement[bool]]:
    """Paid by who was installed in the period and is given to an ad, in time."""
    start, end = question.period.start, question.period.end
    return [
        *_looked_at(question, EVENT.c.installed_at),
        EVENT.c.at >= start,
        EVENT.c.at < end + COHORT,
        seconds(EVENT.c.installed_at, EVENT.c.at) < COHORT.total_seconds(),
        IS_ATTRIBUTED,
        EVENT.c.revenue_micros.is_not(None),
        EVENT.c.withdrawn_by.is_(None),
    ]


def _paid(connection: Connection, question: Question) -> Iterator[dict[str, Any]]:
    keys = [*_keys(question, EVENT.c.installed_at), EVENT.c.currency]
    micros = cast(func.sum(EVENT.c.revenue_micros), BigInteger).label("micros")
    bought = (
        select(*keys, micros)
        .where(*_of_cohort(question), EVENT.c.kind == Kind.EVENT.value)
        .group_by(*(key.name if key.name == "hour" else key for key in keys))
    )
    yield from _rows(connection, question, bought)
    # What was taken back wholly is not among what was bought; what was in part, is.
    back = select(
        *keys, EVENT.c.revenue_micros.label("micros"), EVENT.c.id, EVENT.c.withdraws
    ).where(*_of_cohort(question), EVENT.c.kind == Kind.REFUND.value)
    refunds = list(_rows(connection, question, back))
    whole = _wholly(connection, refunds)
    yield from (row for row in refunds if row["id"] not in whole)


def _wholly(connection: Connection, refunds: list[dict[str, Any]]) -> set[int]:
    """The refunds that took an event back."""
    named = [identity_of(row["provider"], row["withdraws"]) for row in refunds if row["withdraws"]]
    found: set[int] = set()
    for at in range(0, len(named), AT_ONCE):
        some = EVENT.c.identity.in_(named[at : at + AT_ONCE])
        taken = select(EVENT.c.withdrawn_by).where(some, EVENT.c.withdrawn_by.is_not(None))
        found.update(connection.scalars(taken))
    return found
