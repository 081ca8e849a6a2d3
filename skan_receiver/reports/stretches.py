"""Hours taken together where the same versions are in force: few rows instead of one an hour."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, true

from skan_receiver.conversion.force import in_order
from skan_receiver.conversion.timing import CLOCKS, Interval, arrivals
from skan_receiver.reports import cells
from skan_receiver.reports.cells import AT, CELL, N
from skan_receiver.reports.folding import HOUR, MEANT
from skan_receiver.reports.period import DAY, Period
from skan_receiver.reports.question import Question
from skan_receiver.storage.schemas import Version

# Each stretch is asked for on its own: of very many that costs more than it saves.
MOST = 200


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a period for some of the cells: what to look at, and the hour to read it as."""

    period: Period
    only: ColumnElement[bool]
    hour: datetime | None  # None: each by its own

    def sums(
        self,
        connection: Connection,
        question: Question,
        *,
        also: Sequence[ColumnElement[Any]] = (),
        only: Sequence[ColumnElement[bool]],
    ) -> Iterator[dict[str, Any]]:
        """`n` of its cells, split as asked, by `also` and by what they mean."""
        hours = () if self.hour else (AT.label(HOUR),)
        for row in cells.sums(
            connection,
            question.but(period=self.period),
            also=(*MEANT, *hours, *also),
            amounts=(cells.total(N, "n"),),
            only=(*only, self.only),
        ):
            row.setdefault(HOUR, self.hour)
            yield row


def stretches(
    versions: Iterable[Version], period: Period, windows: Container[int] = range(len(CLOCKS))
) -> list[Stretch]:
    """Where the versions in force are changing, hours are read one by one; else all of a stretch
    as its first, since every cell in it is read alike.

    A change is taken to be whole days, so that all the rest is as well.
    """
    changing = {
        and_(CELL.c.app_id == app_id, CELL.c.window == window): changes
        for app_id, of_app in _by_app(versions).items()
        for window in range(len(CLOCKS))
        if window in windows and (changes := _changes(of_app, window, period))
    }
    found = [
        stretch
        for theirs, changes in changing.items()
        for stretch in _between(theirs, changes, period)
    ]
    together = _together(found)
    if len(together) > MOST:
        return [Stretch(period, true(), None)]
    others = not_(or_(*changing)) if changing else true()
    return [Stretch(period, others, period.start), *together]


def _together(found: Iterable[Stretch]) -> list[Stretch]:
    """Those of the same time are asked for once: the same counts are looked at."""
    same: defaultdict[tuple[Period, datetime | None], list[ColumnElement[bool]]]
    same = defaultdict(list)
    for stretch in found:
        same[stretch.period, stretch.hour].append(stretch.only)
    return [Stretch(period, or_(*those), hour) for (period, hour), those in same.items()]


def _between(
    theirs: ColumnElement[bool], changes: Iterable[Interval], period: Period
) -> Iterator[Stretch]:
    at = period.start
    for change in changes:
        if at < change.start:
            yield Stretch(replace(period, start=at, end=change.start), theirs, at)
        yield Stretch(replace(period, start=change.start, end=change.end), theirs, None)
        at = change.end
    if at < period.end:
        yield Stretch(replace(period, start=at), theirs, at)


def _changes(versions: Sequence[Version], window: int, period: Period) -> list[Interval]:
    """When arrivals of the period can be of either version, without overlap, in order."""
    merged: list[Interval] = []
    for effect in in_order(version.effect for version in versions):
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
    return merged


def _by_app(versions: Iterable[Version]) -> dict[int, list[Version]]:
    apps: defaultdict[int, list[Version]] = defaultdict(list)
    for version in versions:
        apps[version.app_id].append(version)
    return apps


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
