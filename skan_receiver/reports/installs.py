"""Installs by the day they arrived, by their usual day, and by the days they can be of.

Of whole UTC days: so draws are kept. The days that most postbacks are still to come from are wide.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection

from skan_receiver.reports import charts, drawn, results
from skan_receiver.reports.cells import Group
from skan_receiver.reports.drawn import Estimates, Key, Sum
from skan_receiver.reports.period import DAY, Period
from skan_receiver.reports.question import ARRIVAL, INSTALL, Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.storage.estimates import BY_DAY, INSTALLS

DIMENSIONS = ("day", "app_id", "ad_network_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed(Group):
    """The installs of a group.

    `estimate` lies between `low` and `high` with a chance of 90 %, given what had arrived before
    `as_of`. Where there is none, `note` says why.
    """

    arrived: int  # in the period
    usual: int  # arrived at any time, and dated back by the usual delay
    estimate: float | None
    low: float | None
    high: float | None
    as_of: datetime | None
    made_at: datetime | None
    note: str | None


@dataclass(slots=True)
class _Counted:
    arrived: int = 0
    usual: int = 0
    apps: set[int] | None = None


def rows(connection: Connection, question: Question) -> list[Installed]:
    """The installs of each group."""
    filters = question.filters
    windows = filters.window if isinstance(filters.window, tuple) else (filters.window or 0,)
    if 0 not in windows:
        return []  # later windows are of users who were counted in the first one
    asked = drawn.whole_days(question.but(filters=replace(filters, window=0)))
    found = Estimates.load(connection, INSTALLS, asked, BY_DAY)
    groups = _counted(connection, asked)
    sums = found.sums(asked.by, asked.period)
    everything = {*groups, *(key for key, _ in sums)}
    return [
        _installed(asked, key, groups.get(key, _Counted()), found, sums.get((key, "")))
        for key in sorted(everything, key=results._rank)
    ]


def _counted(connection: Connection, question: Question) -> dict[Key, _Counted]:
    groups: defaultdict[Key, _Counted] = defaultdict(_Counted)
    split = tuple(dict.fromkeys((*question.by, "app_id")))
    for basis, name in ((ARRIVAL, "arrived"), (INSTALL, "usual")):
        for row in results.rows(connection, question.but(by=split, basis=basis)):
            if row.installs:
                group = groups[tuple(getattr(row, name) for name in question.by)]
                setattr(group, name, getattr(group, name) + row.installs)
                group.apps = {*(group.apps or ()), row.app_id or 0}
    return groups


def _installed(
    question: Question, key: Key, counted: _Counted, found: Estimates, sum_: Sum | None
) -> Installed:
    group = dict(zip(question.by, key, strict=True))
    note = _note(question, counted.apps or (), found, group)
    of = sum_.interval() if sum_ and not note else None
    return Installed(
        **group,
        arrived=counted.arrived,
        usual=counted.usual,
        estimate=of.estimate if of else None,
        low=of.low if of else None,
        high=of.high if of else None,
        as_of=min((run.end for run in found.runs), default=None) if of else None,
        made_at=min((run.made_at for run in found.runs), default=None) if of else None,
        note=note or (None if of else "nothing had arrived when it was estimated"),
    )


def _note(
    question: Question, apps: Iterable[int], found: Estimates, group: Mapping[str, Any]
) -> str:
    """Why a group has no estimate; empty where it has one."""
    if unsplit := drawn.unsplit(question):
        return unsplit
    if found.runs and not drawn.is_readable():
        return drawn.NO_LIBRARY
    period = _of_day(group["day"]) if "day" in group else question.period
    reasons = (
        ((app_id, 0), why) for app_id in sorted(apps) if (why := _why(found, app_id, period))
    )
    return drawn.told(reasons, lambda pair: f"app {pair[0]}")


def _why(found: Estimates, app_id: int, period: Period) -> str | None:
    runs = found.by_pair.get((app_id, 0))
    if not runs:
        return drawn.not_yet()
    if period.start >= runs[0].end:
        return f"estimated up to {runs[0].end:%Y-%m-%d}"
    return runs[0].gap(period)


def _of_day(day: date) -> Period:
    start = datetime.combine(day, time(), UTC)
    return Period(start, start + DAY)


SERIES = "series"


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """Installs by day with their interval, beside what arrived."""
    drawn_ = [{SERIES: "installed", **row} for row in rows if row["estimate"] is not None]
    arrived = [
        {SERIES: "arrived", **row, **dict.fromkeys(("low", "estimate", "high"), row["arrived"])}
        for row in rows
    ]
    split = (SERIES, *by)
    return charts.bands([*drawn_, *arrived], split, ("low", "estimate", "high"), "Installs")


INSTALLS_REPORT = Report(
    title="Installs, by arrival and by the day they can be of",
    dimensions=DIMENSIONS,
    usually=("day",),
    measures=("arrived", "usual", "estimate", "low", "high", "as_of", "made_at", "note"),
    rows=rows,
    chart=chart,
    count="arrived",
    step=DAY,
)
