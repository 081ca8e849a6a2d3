"""Files of user events, CSV or Parquet: what users did, as columns.

    user, event, hours, revenue, currency      a row for each event, in any order

`hours` are since the install; instead of them a file can have `time` and `installed` (ISO 8601,
UTC unless they say). A row without an event is an install. `revenue`, `currency`, `installed`,
`conversion_type` and `flags` (words, with spaces between) can be left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skan_receiver.conversion.event_files import Column, Columns, chunks
from skan_receiver.conversion.user import User, UserEvent
from skan_receiver.errors import ConfigurationError, Malformed

OF_USERS = ("installed", "conversion_type", "flags")


@dataclass(frozen=True, slots=True)
class History:
    """What users did: a row for each event, by user and then by time."""

    users: int
    user: NDArray[np.int64]  # its place, from 0 up
    hours: NDArray[np.float64]  # since the install
    event: NDArray[np.int64]  # the place of its name in `events`
    revenue: NDArray[np.float64]
    currency: NDArray[np.int64]  # the place of its name in `currencies`
    events: tuple[str, ...]
    currencies: tuple[str, ...]  # "" is that of the schema
    known: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)  # of OF_USERS, by user

    def __iter__(self) -> Iterator[User]:
        """Every user with an event or a row of their own; the others did nothing."""
        ends = np.searchsorted(self.user, np.arange(self.users + 1)).tolist()
        columns = [c.tolist() for c in (self.event, self.hours, self.revenue, self.currency)]
        for place in range(self.users):
            rows = slice(ends[place], ends[place + 1])
            yield self._user(place, zip(*(column[rows] for column in columns), strict=True))

    def _user(self, place: int, rows: Iterable[tuple[int, float, float, int]]) -> User:
        events = tuple(
            UserEvent(self.events[event], hours, revenue, self.currencies[currency] or None)
            for event, hours, revenue, currency in rows
        )
        told = {name: users[place] for name, users in self.known.items() if place in users}
        return User(events, **told)

    def day(self, row: int) -> date | None:
        """When the event in `row` happened, None where the file does not say."""
        installed: date | None = self.known.get("installed", {}).get(int(self.user[row]))
        if installed is None:
            return None
        return date.fromordinal(installed.toordinal() + int(self.hours[row] // 24))


def read_history(
    paths: Iterable[Path],
    *,
    users: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> History:
    """Read files; `users` is how many there are with those of whom the files say nothing.

    `progress` hears of the bytes of every file done. Raises Malformed with file and line.
    """
    gathered = _Gathered()
    for path in paths:
        for first, columns in chunks(path):
            try:
                gathered.add(columns)
            except _Fault as fault:
                where = f"{path}:{first + fault.row}"
                raise Malformed(f"{where}: {fault.column}: {fault.what}") from None
        progress(path.stat().st_size)
    return gathered.history(users)


class _Fault(Exception):
    """A cell that cannot be read."""

    def __init__(self, row: int, column: str, what: str) -> None:
        super().__init__(what)
        self.row, self.column, self.what = row, column, what


@dataclass(slots=True)
class _Gathered:
    """The rows so far: names as their places, numbers as they are."""

    users: dict[Any, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    currencies: dict[str, int] = field(default_factory=dict)
    known: dict[str, dict[int, Any]] = field(default_factory=lambda: {n: {} for n in OF_USERS})
    parts: list[tuple[NDArray[Any], ...]] = field(default_factory=list)

    def add(self, columns: Columns) -> None:
        count = len(columns["user"])
        user = _places(self.users, columns["user"])
        event = _places(self.events, columns["event"])
        currency = _places(self.currencies, columns.get("currency") or [""] * count)
        self._of_users(user, columns)
        revenue = _numbers("revenue", columns.get("revenue") or [0.0] * count)
        empty = event == self.events.get("", -1)
        hours = _hours(columns, empty=empty)
        _refuse(user == self.users.get("", -1), "user", "is empty")
        _refuse(empty & (revenue != 0), "event", "is empty, and has revenue")
        _refuse(hours < 0, "hours", "is before the install")
        self.parts.append((user, hours, event, revenue, currency))

    def _of_users(self, user: NDArray[np.int64], columns: Columns) -> None:
        for name, read in (("installed", _date), ("conversion_type", str), ("flags", _flags)):
            known = self.known[name]
            for row, (place, cell) in enumerate(
                zip(user.tolist(), columns.get(name, ()), strict=False)
            ):
                if cell != "" and place not in known:
                    known[place] = _cell(read, cell, row, name)

    def history(self, users: int | None) -> History:
        seen = len(self.users)
        if users is not None and users < seen:
            raise ConfigurationError(f"the files have {seen} users: --users cannot be {users}")
        columns = [np.concatenate(part) for part in zip(*self.parts, strict=True)]
        if not columns:
            raise Malformed("there is no event to read")
        user, hours, event, *_ = columns
        order = np.lexsort((hours, user))
        order = order[event[order] != self.events.get("", -1)]
        user, hours, event, revenue, currency = (column[order] for column in columns)
        known = {name: users for name, users in self.known.items() if users}
        names = tuple(self.events), tuple(self.currencies)
        return History(users or seen, user, hours, event, revenue, currency, *names, known)


def _refuse(wrong: NDArray[np.bool_], column: str, what: str) -> None:
    if (rows := np.flatnonzero(wrong)).size:
        raise _Fault(int(rows[0]), column, what)


def _places(names: dict[Any, int], column: Column) -> NDArray[np.int64]:
    return np.fromiter((names.setdefault(n, len(names)) for n in column), np.int64, len(column))


def _numbers(name: str, column: Column) -> NDArray[np.float64]:
    try:
        numbers = np.fromiter((float(cell or 0) for cell in column), np.float64, len(column))
    except (TypeError, ValueError):
        numbers = np.array([_cell(float, cell or 0, row, name) for row, cell in enumerate(column)])
    _refuse(~np.isfinite(numbers), name, "is not finite")
    return numbers


def _hours(columns: Columns, *, empty: NDArray[np.bool_]) -> NDArray[np.float64]:
    if "hours" in columns:
        return _numbers("hours", columns["hours"])
    pairs = zip(columns["time"], columns["installed"], empty.tolist(), strict=True)
    return np.array(
        [
            0.0 if no else _moment(time, row, "time") - _moment(installed, row, "installed")
            for row, (time, installed, no) in enumerate(pairs)
        ]
    )


def _moment(cell: Any, row: int, name: str) -> float:
    """In hours."""
    at: datetime = _cell(_datetime, cell, row, name)
    return at.timestamp() / 3600


def _datetime(cell: Any) -> datetime:
    at = cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _date(cell: Any) -> date:
    return _datetime(cell).astimezone(UTC).date()


def _flags(cell: Any) -> frozenset[str]:
    return frozenset(str(cell).split())


def _cell(read: Callable[[Any], Any], cell: Any, row: int, name: str) -> Any:
    try:
        return read(cell)
    except (TypeError, ValueError):
        wanted = "number" if read is float else "time: write it as 2026-01-31T12:00:00Z"
        raise _Fault(row, name, f"{str(cell)[:40]!r} is no {wanted}") from None
