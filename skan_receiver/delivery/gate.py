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

from sqlalchemy import ColumnElement, Connection, Row, select, update

from skan_receiver.storage import StoredDestination
from skan_receiver.storage.columns import table

DESTINATION = table(StoredDestination)

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


def allowed(connection: Connection, ask: Ask, now: datetime) -> int:
    """How many of those asked for may be claimed; what is allowed counts as taken."""
    row = connection.execute(select(DESTINATION).where(DESTINATION.c.name == ask.name)).first()
    if row is None or row.paused:
        return 0
    if row.open_until is not None:
        return _probe(connection, row, now)
    return ask.limit if ask.rate is None else _drawn(connection, ask, ask.rate, now)


def _probe(connection: Connection, row: Row[Any], now: datetime) -> int:
    """One, once its time has come: of two workers that see so, the first gets it."""
    if now < row.open_until:
        return 0
    mine = (DESTINATION.c.name == row.name, DESTINATION.c.open_until == row.open_until)
    following = {"open_until": now + probe_after(row.probes + 1), "probes": row.probes + 1}
    return connection.execute(update(DESTINATION).where(*mine).values(**following)).rowcount


def probe_after(probes: int) -> timedelta:
    """The wait before the next probe, after so many that failed: 30 s, 1, 2, … 10 minutes."""
    return min(LONGEST_PROBE, FIRST_PROBE * 2 ** min(probes, 10))


def _drawn(connection: Connection, ask: Ask, rate: float, now: datetime) -> int:
    """Take from the bucket: it holds what may be sent in a second, and at least one."""
    locked = select(DESTINATION.c.tokens, DESTINATION.c.tokens_at)
    row = connection.execute(locked.where(DESTINATION.c.name == ask.name).with_for_update()).one()
    full = max(1.0, rate)
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

    def note(self, at: float, *, taken: bool) -> None:
        self._tries.append((at, taken))
        while self._tries[0][0] < at - WINDOW_SECONDS:
            self._tries.popleft()

    @property
    def bad(self) -> bool:
        failed = sum(not taken for _, taken in self._tries)
        return len(self._tries) >= LEAST_TRIES and failed >= WORST_SHARE * len(self._tries)


@dataclass(frozen=True, slots=True)
class Told:
    """What a batch of tries tells of a destination."""

    taken: bool  # any was
    failed: bool  # any was not
    gone: bool = False  # 410: nobody will ever listen there again
    bad: bool = False  # most of the last minute's failed


def follow(connection: Connection, name: str, revision: int, told: Told, now: datetime) -> str:
    """Write down what follows from a batch; the reason, where the destination is shut by it.

    Only of the definition that was tried: another may have taken its place meanwhile.
    """
    tried = (DESTINATION.c.name == name, DESTINATION.c.revision == revision)
    row = connection.execute(select(DESTINATION).where(*tried)).first()
    if row is None:
        return "its definition has changed"
    if told.gone:
        return _pause(connection, row, "it answered 410 Gone")
    if told.taken and not told.bad:
        if row.failing_since is not None or row.open_until is not None:
            _set(connection, row, {"failing_since": None, "open_until": None, "probes": 0})
        return ""
    if told.taken and row.failing_since is not None:
        _set(connection, row, {"failing_since": None})
    return _trouble(connection, row, told, now)


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
