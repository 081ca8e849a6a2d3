"""How much may be sent to a destination now: pauses, breakers and rates.

What is kept of them is kept with the destination, so that all workers heed it together. It is
written when it changes, not at every try.

The breaker opens where most of what is sent fails. Then a single delivery is tried every now and
again, and the others wait without using up their tries. Where nothing but failures came for three
days, the destination is paused, and nothing is given up.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from skan_receiver.delivery.registry import Entry
from skan_receiver.storage import StoredDestination
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table

DESTINATION = table(StoredDestination)

# Built once: making a statement costs more than running it.
HEALTH = select(
    *(DESTINATION.c[name] for name in ("name", "revision", "created_at", "paused")),
    *(DESTINATION.c[name] for name in ("failing_since", "open_until", "probes")),
).where(DESTINATION.c.name == bindparam("called"))

# Open where half of at least twenty tries of the last minute failed.
WINDOW_SECONDS = 60.0
LEAST_TRIES = 20
WORST_SHARE = 0.5

FIRST_PROBE = timedelta(seconds=30)
LONGEST_PROBE = timedelta(minutes=10)

GIVE_UP = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Ask:
    """So many more, please, and not faster than `rate` a second, where there is one."""

    name: str
    limit: int
    rate: float | None = None


def allowed(connection: Connection, ask: Ask) -> int:
    """How many of those asked for may be claimed; what is allowed counts as taken."""
    row = connection.execute(HEALTH, {"called": ask.name}).first()
    if row is None or row.paused:
        return 0
    if row.open_until is not None:
        return _probe(connection, row, clock(connection))
    return ask.limit if ask.rate is None else _drawn(connection, ask, ask.rate, clock(connection))


def _probe(connection: Connection, row: Row[Any], now: datetime) -> int:
    """One, once its time has come: of two workers that see so, the first gets it."""
    if now < row.open_until:
        return 0
    mine = (DESTINATION.c.name == row.name, DESTINATION.c.open_until == row.open_until)
    following = {"open_until": now + probe_after(row.probes + 1), "probes": row.probes + 1}
    return connection.execute(update(DESTINATION).where(*mine).values(**following)).rowcount


def probe_after(probes: int) -> timedelta:
    """The wait before the next probe, after so many that failed: 30 s, 1, 2, … 10 minutes."""
    seconds = FIRST_PROBE.total_seconds() * 2.0 ** min(probes, 10)
    return min(LONGEST_PROBE, timedelta(seconds=seconds))


def _drawn(connection: Connection, ask: Ask, rate: float, now: datetime) -> int:
    """Take from the bucket: it holds what may be sent in a second, and one more, so that who
    looks once a second loses nothing to a rate that is no whole number."""
    locked = select(DESTINATION.c.tokens, DESTINATION.c.tokens_at)
    row = connection.execute(locked.where(DESTINATION.c.name == ask.name).with_for_update()).one()
    full = rate + 1.0
    passed = 0.0 if row.tokens_at is None else (now - row.tokens_at).total_seconds()
    level = full if row.tokens is None else min(full, row.tokens + max(0.0, passed) * rate)
    drawn = min(ask.limit, int(level))
    if drawn:
        left = {"tokens": level - drawn, "tokens_at": now}
        connection.execute(update(DESTINATION).where(DESTINATION.c.name == ask.name).values(**left))
    return drawn


@dataclass(slots=True)
class Recent:
    """The tries of the last minute, as one worker saw them: when, and whether it was taken."""

    _tries: deque[tuple[float, bool]] = field(default_factory=deque)
    _failed: int = 0

    def note(self, at: float, *, taken: bool) -> None:
        self._tries.append((at, taken))
        self._failed += not taken
        while self._tries[0][0] < at - WINDOW_SECONDS:
            _, was_taken = self._tries.popleft()
            self._failed -= not was_taken

    @property
    def bad(self) -> bool:
        return len(self._tries) >= LEAST_TRIES and self._failed >= WORST_SHARE * len(self._tries)


@dataclass(frozen=True, slots=True)
class Told:
    """What a batch of tries tells of a destination."""

    taken: bool  # any was
    failed: bool  # any was not
    gone: bool = False  # 410: nobody will ever listen there again
    bad: bool = False  # most of the last minute's failed
    probe: bool = False  # one that was taken was sent while the breaker was open


def follow(connection: Connection, tried: Entry, told: Told) -> str:
    """Write down what follows from a batch; the reason, where the destination is shut by it.

    Only of the definition that was tried: another, or a namesake, may be in its place by now.
    """
    row = connection.execute(HEALTH, {"called": tried.name}).first()
    if row is None or (row.created_at, row.revision) != (tried.created_at, tried.revision):
        return "its definition has changed"
    if told.gone:
        return _pause(connection, row, "it answered 410 Gone")
    if told.taken:
        _better(connection, row, told)
    return _trouble(connection, row, told, clock(connection)) if told.failed else ""


def _better(connection: Connection, row: Row[Any], told: Told) -> None:
    """Not nothing but failures, then. The breaker is closed by a probe only: what was sent before
    it opened says nothing new."""
    if told.probe and row.open_until is not None:
        _set(connection, row, {"failing_since": None, "open_until": None, "probes": 0})
    elif row.failing_since is not None:
        _set(connection, row, {"failing_since": None})


def _trouble(connection: Connection, row: Row[Any], told: Told, now: datetime) -> str:
    since = row.failing_since
    if since is not None and since <= now - GIVE_UP and not told.taken:
        return _pause(connection, row, f"nothing but failures since {since:%Y-%m-%d %H:%M} UTC")
    if since is None and not told.taken:
        _set(connection, row, {"failing_since": now}, DESTINATION.c.failing_since.is_(None))
    if told.bad and row.open_until is None:
        opened = {"open_until": now + probe_after(0), "probes": 0}
        _set(connection, row, opened, DESTINATION.c.open_until.is_(None))
        return "most of what was sent failed: trying one every now and again"
    return ""


def _pause(connection: Connection, row: Row[Any], because: str) -> str:
    paused = {"paused": True, "paused_because": because}
    _set(connection, row, paused, DESTINATION.c.paused.is_(False))
    return f"paused: {because}"


def _set(
    connection: Connection, row: Row[Any], values: Mapping[str, Any], *only: ColumnElement[bool]
) -> None:
    same = (DESTINATION.c.name == row.name, DESTINATION.c.revision == row.revision, *only)
    connection.execute(update(DESTINATION).where(*same).values(**values))
