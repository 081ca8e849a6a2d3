"""`export`: postbacks as Parquet, a file for each month and app; again: only what changed.

All of it shows one moment of the store. A month is looked at where its number of rows or the sum
of their ids changed, or where somebody took over one of its postbacks; then each partition's
print tells whether it is written anew. What is there stays readable until it is replaced.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import ColumnElement, select

from skan_receiver.config import Settings
from skan_receiver.reports.analytics import prints
from skan_receiver.reports.analytics.choice import Choice
from skan_receiver.reports.analytics.partition import Folder, Partition
from skan_receiver.reports.analytics.reading import Moment, moment
from skan_receiver.reports.analytics.state import State, locked, opened
from skan_receiver.storage import Registered, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.predicate import POSTBACK

REGISTERED = table(Registered)

LAYOUT = 1  # to be raised when the same columns are written otherwise
FILES = 200  # open at once
DISK = 16  # files that wait for the disk at once: it writes many as quickly as one
WAITING = 400_000  # rows kept in memory for all of them

EVERYTHING = Choice()


@dataclass(frozen=True, slots=True)
class Exported:
    """What a run did."""

    rows: int  # that were written
    written: int  # partitions
    removed: int
    kept: int  # partitions that were up to date


def export(store: Store, folder: Path, settings: Settings, choice: Choice = EVERYTHING) -> Exported:
    """Bring an export up to date. The store's own connections are closed meanwhile.

    Raises ConfigurationError where the folder holds something else, or an export of another
    choice.
    """
    with locked(folder):
        state = opened(folder, choice.remembered())
        with moment(store) as now, ThreadPoolExecutor(DISK) as disk:
            return _Run(now, folder, settings, choice, state, disk).run()


class _Run:
    def __init__(
        self,
        now: Moment,
        root: Path,
        settings: Settings,
        choice: Choice,
        state: State,
        disk: ThreadPoolExecutor,
    ) -> None:
        self._now, self._root, self._settings = now, root, settings
        self._choice, self._state = choice, state
        self._folder = Folder(root, "app_id" if choice.dialect is None else "app")
        self._rule = _rule(now, settings, choice)
        self._done = Exported(0, 0, 0, 0)
        self._disk = disk
        self._keeping: list[Future[None]] = []

    def run(self) -> Exported:
        self._folder.sweep()
        marks, known = prints.marks(self._now), self._look()
        for keeping in self._keeping:
            keeping.result()
        for name in self._folder.months():
            if name not in known:
                self._remove(name, self._folder.apps(name))
        files = {name: apps for name in known if (apps := self._folder.apps(name))}
        State(self._state.chosen, self._rule, *marks, known, files).write(self._root)
        return replace(self._done, kept=sum(map(len, files.values())) - self._done.written)

    def _look(self) -> dict[str, list[int]]:
        """Bring each month up to date that changed; the print of every month, by name."""
        before = self._state.postback, self._state.arrival
        touched = prints.taken_over(self._now, before)
        known = {}
        for month in prints.months(self._now):
            name, whole = f"{month:%Y-%m}", prints.of_month(self._now, _within(month))
            known[name] = list(astuple(whole))
            if month in touched or self._changed(name, known[name]):
                self._bring_up_to_date(month)
        return known

    def _changed(self, name: str, now: list[int]) -> bool:
        state = self._state
        return (
            state.rule != self._rule
            or state.months.get(name) != now
            or state.files.get(name, []) != self._folder.apps(name)
        )

    def _bring_up_to_date(self, month: datetime) -> None:
        there = self._folder.apps(name := f"{month:%Y-%m}")
        if not there:
            return self._write(month, None)
        where = (*_within(month), *self._choice.where(self._settings))
        now = prints.of_apps(self._now, where)
        self._remove(name, [app_id for app_id in there if app_id not in now])
        stale = [
            app_id
            for app_id, one in sorted(now.items())
            if self._folder.note(month, app_id) != (self._rule, one)
        ]
        return self._write(month, stale)

    def _remove(self, name: str, apps: Iterable[int]) -> None:
        for app_id in apps:
            self._folder.remove(name, app_id)
            self._done = replace(self._done, removed=self._done.removed + 1)

    def _write(self, month: datetime, left: list[int] | None) -> None:
        """Write the partitions of these apps, or of all: so many at a time as may be open."""
        while left is None or left:
            some = None if left is None else left[:FILES]
            others = self._pass(month, some)
            left = others if left is None else left[FILES:]

    def _pass(self, month: datetime, apps: list[int] | None) -> list[int]:
        """Read a month's rows of these apps once; of all apps, those for which there was no room
        are left over."""
        wanted = self._choice.rows(self._settings, *_within(month))
        if apps is not None:
            wanted = wanted.where(POSTBACK.c.app_id.in_(apps))
        files: dict[int, Partition] = {}
        left: set[int] = set()
        try:
            for batch in self._now.batches(wanted, self._choice.columns):
                for app_id, rows in _by_app(batch):
                    if app_id not in files and len(files) == FILES:
                        left.add(app_id)
                        continue
                    self._file(files, month, app_id).add(rows)
                _make_room(files)
            for file in files.values():
                file.close()
        except BaseException:
            for file in files.values():
                file.abandon()
            raise
        self._keeping += [self._disk.submit(file.keep) for file in files.values()]
        rows = sum(file.rows for file in files.values())
        done = self._done
        self._done = replace(done, rows=done.rows + rows, written=done.written + len(files))
        return sorted(left)

    def _file(self, files: dict[int, Partition], month: datetime, app_id: int) -> Partition:
        if app_id not in files:
            path = self._folder.path(month, app_id)
            files[app_id] = Partition(path, self._shape, self._rule)
        return files[app_id]

    def _shape(self, rows: pa.Table) -> pa.Table:
        """What the folder's name says does not stand in the file."""
        shaped = self._choice.shaped(rows)
        return shaped.drop_columns("app_id") if self._choice.dialect is None else shaped


def _within(month: datetime) -> tuple[ColumnElement[bool], ...]:
    received = POSTBACK.c.received_at
    return received >= month, received < prints.following(month)


def _by_app(batch: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    ids = batch["app_id"].to_numpy()
    order = np.argsort(ids, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(ids[order])) + 1):
        # A copy: a slice would keep the whole batch in memory.
        yield int(ids[part[0]]), batch.take(part)


def _make_room(files: Mapping[int, Partition]) -> None:
    """Write the largest first, so that few rows stand together nowhere."""
    waiting = sum(file.waiting for file in files.values())
    for file in sorted(files.values(), key=lambda file: -file.waiting):
        if waiting <= WAITING:
            return
        waiting -= file.waiting
        file.flush()


def _rule(now: Moment, settings: Settings, choice: Choice) -> str:
    """What rows are made by, beside themselves: when it changes, every partition is written."""
    registered = now.rows(select(REGISTERED.c.kind, REGISTERED.c.value))
    columns: Any = choice.columns if choice.dialect is None else list(choice.dialect.columns)
    told = repr((LAYOUT, columns, settings.sandbox, sorted(tuple(row) for row in registered)))
    return blake2b(told.encode(), digest_size=16).hexdigest()
