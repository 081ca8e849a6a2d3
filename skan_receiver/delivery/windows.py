"""The windows of reports as they fall due: made once, whoever makes them, and owed like postbacks.

A window is due when it has been over for a while and whatever came before its end is counted; by
the database's clock. Its row and what is owed of it are written in one transaction, under a name
that the window alone decides: of two workers, or of one that was killed and comes back, a single
one finds it new.

Late postbacks, and whatever else changes what is counted, make a revision: each window is looked
at again once in its length, a week once a day, as long as the destination asks for that.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice
from math import inf
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, select

from skan_receiver.config import Settings
from skan_receiver.delivery.destinations import ReportDestination
from skan_receiver.delivery.edition import Edition, edition
from skan_receiver.delivery.owing import Owed, owe
from skan_receiver.delivery.registry import Entry, readable, settling
from skan_receiver.delivery.window_spans import LENGTHS, Length, Span, containing, over
from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import Fresh, ReportWindow, Store
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import IDENTITY_BYTES, table
from skan_receiver.storage.upsert import insert_new

log = structlog.get_logger("windows")

WINDOW, FRESH = table(ReportWindow), table(Fresh)

# Windows of one destination that one call makes, where many are missing.
MOST = 48
# A worker that is to stop waits for the call to end.
SECONDS = 2.0


class Looks:
    """When each window was looked at again: once an hour where it is an hour, else once a day, and
    at once where its destination has another definition.

    Kept by the process alone: one that has just begun looks at all of them once more, which
    changes nothing where nothing is new.
    """

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}
        self._looked: defaultdict[str, set[Span]] = defaultdict(set)

    def due(self, entry: Entry, span: Span, now: datetime) -> bool:
        """Whether a window was not looked at in this turn."""
        turn = _turn(entry, span, now)
        if self._turns.get(entry.name) != turn:
            self._turns[entry.name] = turn
            self._looked[entry.name].clear()
        return span not in self._looked[entry.name]

    def note(self, entry: Entry, span: Span, now: datetime) -> None:
        """It was."""
        if self.due(entry, span, now):
            self._looked[entry.name].add(span)


_Turn = tuple[datetime, datetime, int]


def _turn(entry: Entry, span: Span, now: datetime) -> _Turn:
    often: Length = "hour" if span.end - span.start == LENGTHS["hour"] else "day"
    return containing(often, now).start, entry.created_at, entry.revision


@dataclass(frozen=True, slots=True)
class _Errand:
    """A window to make, or, where an edition of it stands, to look at again."""

    entry: Entry
    destination: ReportDestination
    span: Span
    standing: Row[Any] | None = None


def make_windows(
    store: Store, _settings: Settings, looks: Looks | None = None, *, seconds: float = SECONDS
) -> int:
    """Make windows that are due, and revise those that have changed; how many were made.

    Any number of workers may. Who calls often gives the same `looks` each time, and then a call
    begins nothing after some `seconds`: the next one goes on. Without, every window that may be
    revised is looked at again.
    """
    until = time.monotonic() + (seconds if looks else inf)
    made, broken = 0, set()
    for number, errand in enumerate(_errands(store, looks or Looks())):
        if number and time.monotonic() > until:
            break
        if errand.entry.name in broken:
            continue  # in order, or not at all
        try:
            made += _done(store, errand)
        except StoreUnavailable:
            raise
        except Exception:  # one report that breaks must not keep the others from theirs
            broken.add(errand.entry.name)
            log.exception("no window made", destination=errand.entry.name)
    return made


def _errands(store: Store, looks: Looks) -> Iterator[_Errand]:
    """First what is missing, of each destination the oldest first; then what may have changed."""
    with store.read() as connection:
        now = clock(connection)
        known = [(entry, entry.destination) for entry in readable(connection)[0]]
    reports = [(entry, one) for entry, one in known if isinstance(one, ReportDestination)]
    for entry, destination in reports:
        with store.read() as connection:
            missing = list(_missing(connection, entry, destination, now))
        for span in missing:
            yield _Errand(entry, destination, span)
            looks.note(entry, span, now)
    for entry, destination in reports:
        with store.read() as connection:
            standing = _standing(connection, destination, now)
        for span, row in standing.items():
            if looks.due(entry, span, now):
                yield _Errand(entry, destination, span, row)
                looks.note(entry, span, now)


def _missing(
    connection: Connection, entry: Entry, destination: ReportDestination, now: datetime
) -> Iterator[Span]:
    """What has been over for long enough, and is settled, and was never made."""
    since = max(entry.since, _made_until(connection, entry.name) or entry.since)
    for span in islice(over(destination.length, since, now - destination.wait), MOST):
        before = select(FRESH.c.id).where(FRESH.c.at < span.end).limit(1)
        if connection.execute(before).first() is not None:
            return
        yield span


def _made_until(connection: Connection, name: str) -> datetime | None:
    """When the last window ended. Where the destination had another length before, the one that
    ended last need not have begun last."""
    mine = WINDOW.c.destination == name
    start = connection.scalar(select(func.max(WINDOW.c.start)).where(mine))
    if start is None:
        return None
    lately = WINDOW.c.start >= start - LENGTHS["week"]
    until: datetime | None = connection.scalar(select(func.max(WINDOW.c.end)).where(mine, lately))
    return until


def _standing(
    connection: Connection, destination: ReportDestination, now: datetime
) -> dict[Span, Row[Any]]:
    """The last edition of each window that may still be revised, the oldest window first."""
    if not destination.revised_for:
        return {}
    length = LENGTHS[destination.length]
    since = now - timedelta(days=destination.revised_for) - length
    columns = (WINDOW.c[name] for name in ("start", "end", "revision", "content_hash"))
    rows = connection.execute(
        select(*columns)
        .where(WINDOW.c.destination == destination.name, WINDOW.c.start > since)
        .order_by(WINDOW.c.start, WINDOW.c.revision)
    )
    return {Span(row.start, row.end): row for row in rows if row.end - row.start == length}


def _done(store: Store, errand: _Errand) -> bool:
    """Whether an edition was made."""
    with store.read() as connection:
        found = edition(connection, errand.destination, errand.span, clock(connection))
    if errand.standing is None:
        return _issued(store, errand, found, 0)
    if found.hash == errand.standing.content_hash:
        return False
    return _issued(store, errand, found, errand.standing.revision + 1)


def _issued(store: Store, errand: _Errand, made: Edition, revision: int) -> bool:
    """Write an edition and owe it; False where another worker was first."""
    name, span = errand.entry.name, errand.span
    key = identity(name, span, revision)
    row = {
        "identity": key,
        "destination": name,
        "start": span.start,
        "end": span.end,
        "revision": revision,
        "content_hash": made.hash,
        "content": made.content,
    }

    def work(connection: Connection) -> bool:
        # What is made by a definition that is no more is made anew by the one that stands.
        known = {entry.name: entry.revision for entry in settling(connection)}
        if known.get(name) != errand.entry.revision:
            return False
        now = clock(connection)
        standing = select(WINDOW.c.id, WINDOW.c.content).where(WINDOW.c.identity == key)
        known_before = connection.execute(standing).first() is not None
        insert_new(connection, WINDOW, [{**row, "created_at": now}])
        stands = connection.execute(standing).one()
        owe(connection, [Owed(key, stands.id, name)], now)
        # Another may have inserted it between our two statements, on PostgreSQL.
        return not known_before and bool(stands.content == made.content)

    is_ours = store.write(work)
    if is_ours:
        log.info("window made", destination=name, start=str(span.start), revision=revision + 1)
    return is_ours


def identity(name: str, span: Span, revision: int) -> bytes:
    """Of an edition: whoever makes it, on whichever database, a receiver sees the same name."""
    told = f"{name}\n{span.start.isoformat()}\n{span.end.isoformat()}\n{revision}"
    return blake2b(told.encode(), digest_size=IDENTITY_BYTES).digest()
