"""Hours taken together where the same versions are in force: few rows instead of one an hour."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, true

from skan_receiver.conversion.force import bends, in_order
from skan_receiver.conversion.timing import CLOCKS, Interval, arrivals, turns, whole_hour
from skan_receiver.reports import cells
from skan_receiver.reports.cells import CELL, NT, NTT, N
from skan_receiver.reports.clock import AT
from skan_receiver.reports.folding import HOUR, MEANT
from skan_receiver.reports.moments import nodes, parted
from skan_receiver.reports.period import DAY, Period
from skan_receiver.reports.question import Question
from skan_receiver.storage.schemas import Version

# Each stretch is asked for on its own: of very many that costs more than it saves.
MOST = 200

Key = ColumnElement[bool]  # the cells of an app and a window


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a period for some of the cells: what to look at, and the hours to read it as.

    None: each hour by its own. One: all is read alike. Two or three: weights of versions are, from
    hour to hour, on one line or parabola through those in them.
    """

    period: Period
    only: ColumnElement[bool]
    hours: tuple[datetime, ...] = ()

    def sums(
        self,
        connection: Connection,
        question: Question,
        *,
        also: Sequence[ColumnElement[Any]] = (),
        only: Sequence[ColumnElement[bool]],
    ) -> Iterator[dict[str, Any]]:
        """`n` of its cells, split as asked, by `also` and by what they mean."""
        moments = (cells.total(NT, "nt"), cells.total(NTT, "ntt")) if len(self.hours) > 1 else ()
        for row in cells.sums(
            connection,
            question.but(period=self.period),
            also=(*MEANT, *(() if self.hours else (AT.label(HOUR),)), *also),
            amounts=(cells.total(N, "n"), *moments),
            only=(*only, self.only),
        ):
            if not self.hours:
                yield row
                continue
            for hour, n in parted(row, self.period.start, self.hours):
                yield {**row, HOUR: hour, "n": n}


def stretches(
    versions: Iterable[Version],
    period: Period,
    windows: Container[int] = range(len(CLOCKS)),
    *,
    by_hour: bool,
) -> list[Stretch]:
    """Where the versions in force are changing, hours are read with their weights, `by_hour` one
    by one; else all of a stretch as its first, since every cell in it is read alike.

    A change is taken to be whole days, so that all the rest is as well.
    """
    changing = {
        and_(CELL.c.app_id == app_id, CELL.c.window == window): _changes(of_app, window, period)
        for app_id, of_app in _by_app(versions).items()
        for window in range(len(CLOCKS))
        if window in windows
    }
    for by_each in (by_hour, True):
        found = list(_stretches(changing, period, by_hour=by_each))
        if len(found) <= MOST:
            return found
    return [Stretch(period, true())]


@dataclass(frozen=True, slots=True)
class _Change:
    """Days in which either version can be what a value was set by."""

    days: Interval
    turns: frozenset[datetime]  # hours from which on weights go another way


def _stretches(
    changing: Mapping[Key, Sequence[_Change]], period: Period, *, by_hour: bool
) -> Iterator[Stretch]:
    ends = {end for of in changing.values() for one in of for end in (one.days.start, one.days.end)}
    for start, end in pairwise(sorted({period.start, period.end, *ends})):
        part = replace(period, start=start, end=end)
        now = {
            key: one
            for key, of in changing.items()
            for one in of
            if one.days.start <= start < one.days.end
        }
        yield Stretch(part, not_(or_(*now)) if now else true(), (start,))
        if now and by_hour:
            yield Stretch(part, or_(*now))
        elif now:
            yield from _turning(part, or_(*now), {at for one in now.values() for at in one.turns})


def _turning(part: Period, only: Key, turns: Iterable[datetime]) -> Iterator[Stretch]:
    # A period may begin at half past; what is counted is whole hours.
    first, last = whole_hour(part.start), whole_hour(part.end)
    inside = {at for at in turns if first < at < last}
    for start, end in pairwise(sorted({first, last, *inside})):
        yield Stretch(replace(part, start=start, end=end), only, nodes(start, end))


def _changes(versions: Sequence[Version], window: int, period: Period) -> list[_Change]:
    """When arrivals of the period can be of either version, without overlap, in order."""
    effects = in_order(version.effect for version in versions)
    turning = frozenset(turns(window, bends(effects)))
    merged: list[Interval] = []
    for effect in effects:
        change = arrivals(window, effect.effective_from, effect.effective_from + effect.rollout)
        start = max(_midnight(change.start), period.start)
        end = min(_midnight(change.end + DAY), period.end)
        if start >= end:
            continue
        change = Interval(start, end)
        if merged and change.start <= merged[-1].end:
            last = merged.pop()
            change = Interval(last.start, max(last.end, change.end))
        merged.append(change)
    return [_Change(days, turning) for days in merged]


def _by_app(versions: Iterable[Version]) -> dict[int, list[Version]]:
    apps: defaultdict[int, list[Version]] = defaultdict(list)
    for version in versions:
        apps[version.app_id].append(version)
    return apps


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
