"""Hours taken together where the same versions are in force: few rows instead of one an hour."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal

from skan_receiver.conversion.force import in_order
from skan_receiver.conversion.timing import CLOCKS, Interval, arrivals
from skan_receiver.reports.cells import HOURS
from skan_receiver.reports.period import Period
from skan_receiver.storage.schemas import Version

# Each change is looked for in each cell: of very many it costs more than it saves.
MOST_CHANGES = 300


def hour_of_reading(versions: Iterable[Version], period: Period) -> ColumnElement[Any]:
    """The hour of a cell where the versions in force are changing; elsewhere one hour that
    stands for the whole stretch of the period, since every cell in it is read alike.
    """
    changes = [
        (app_id, window, change)
        for app_id, of_app in _by_app(versions).items()
        for window in range(len(CLOCKS))
        for change in reversed(_changes(of_app, window, period))
    ]
    if not changes:
        return _constant(period.start)
    if len(changes) > MOST_CHANGES:
        return HOURS.c.hour
    whens = [when for change in changes for when in _whens(*change)]
    return case(*whens, else_=_constant(period.start))


def _whens(
    app_id: int, window: int, change: Interval
) -> Iterator[tuple[ColumnElement[bool], ColumnElement[Any]]]:
    """The first that holds is taken, and the changes of an app come latest first."""
    theirs = HOURS.c.app_id == app_id, HOURS.c.window == window
    yield and_(*theirs, HOURS.c.hour >= change.end), _constant(change.end)
    yield and_(*theirs, HOURS.c.hour >= change.start), HOURS.c.hour


def _changes(versions: Sequence[Version], window: int, period: Period) -> list[Interval]:
    """When arrivals of the period can be of either version, without overlap, in order."""
    merged: list[Interval] = []
    for effect in in_order(version.effect for version in versions):
        change = arrivals(window, effect.effective_from, effect.effective_from + effect.rollout)
        if change.end <= period.start or change.start >= period.end:
            continue
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


def _constant(moment: datetime) -> ColumnElement[Any]:
    return literal(moment, HOURS.c.hour.type)
