"""Delivers what is owed: claims, has it sent, and writes down what came of it."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from skan_receiver.delivery import gate, ledger
from skan_receiver.delivery.directory import Directory
from skan_receiver.delivery.gate import Ask, Told
from skan_receiver.delivery.lane import Claim, InHand, Lane
from skan_receiver.delivery.ledger import Tried
from skan_receiver.delivery.recorder import Ended, Recorder
from skan_receiver.delivery.registry import Entry
from skan_receiver.delivery.retry import GONE, Retry, Try
from skan_receiver.delivery.sending import Sender, Sent
from skan_receiver.storage import ReportWindow, Store, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE

log = structlog.get_logger("delivery")

POSTBACK, REPORT_WINDOW = table(StoredPostback), table(ReportWindow)

# Several exchanges long; renewed after a third. A worker that is killed keeps what it held from
# being sent for so long.
LEASE = timedelta(seconds=60)

# How long what is under way may take once the worker is to stop.
GRACE_SECONDS = 1.5


class Deliverer:
    """Delivers from one process; any number of them may, on one ledger.

    What was sent stays in hand until it is durably written down, and each lane holds only so
    much of that: a kill repeats no more.
    """

    def __init__(
        self,
        store: Store,
        sender: Sender,
        retry: Retry | None = None,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self.wake = threading.Event()  # set when it is worth calling `step` again
        self.directory = Directory(store)
        self._store = store
        self._sender = sender
        self._retry = retry or Retry()
        self._lease = lease
        self._lanes: dict[str, Lane] = {}
        self._claims: dict[str, Claim] = {}
        self._renewed = time.monotonic()
        self._stopping = False
        self._recorder = Recorder(self._write)

    def step(self) -> bool:
        """Claim what is due, for as long as threads have need of it; whether anything was."""
        self._renew()
        self._open_lanes()
        wanted = {name: lane.room for name, lane in self._lanes.items() if lane.room}
        due = ledger.due(self._store, wanted)
        return bool(due) and self._claim([self._ask(name, wanted[name]) for name in due])

    def finish(self) -> None:
        """Stop: begin nothing new, cut what does not end by itself, give back the rest."""
        for lane in self._lanes.values():
            lane.stop()
        self._wait(GRACE_SECONDS)
        self._stopping = True
        self._sender.close()
        self._wait(GRACE_SECONDS)
        self._recorder.close(timedelta(seconds=GRACE_SECONDS))
        ledger.release(self._store, self._held())

    def _open_lanes(self) -> None:
        known = {entry.name: entry for entry in self.directory.now()}
        for name in known.keys() - self._lanes.keys():
            self._lanes[name] = Lane(name, self._deliver, self.wake.set)
        for name, lane in list(self._lanes.items()):
            lane.open(known.get(name))
            if lane.entry is None:
                self._give_back(lane)
                if name not in known and lane.is_empty:
                    self._lanes.pop(name).stop()

    def _give_back(self, lane: Lane) -> None:
        ledger.release(self._store, [one.key for one in lane.withdraw()])

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for lane in self._lanes.values():
            lane.wait(max(0.0, until - time.monotonic()))

    def _ask(self, name: str, limit: int) -> Ask:
        entry = self._lanes[name].entry
        return Ask(name, limit, None if entry is None else entry.destination.rate)

    def _claim(self, asks: Sequence[Ask]) -> bool:
        """Whether any was: what is due may have to wait for its destination's gate."""
        until = time.monotonic() + self._lease.total_seconds()
        rows = ledger.claim(self._store, asks, self._lease)
        hands: defaultdict[str, list[InHand]] = defaultdict(list)
        for row, about in with_what_they_are_about(self._store, rows, self.directory):
            claim = self._claims.setdefault(row.claim_id, Claim(row.claim_id, until))
            hands[row.destination].append(InHand(row, about, claim))
        for name, hand in hands.items():
            self._lanes[name].take(hand)
        return bool(rows)

    def _renew(self) -> None:
        if time.monotonic() < self._renewed + self._lease.total_seconds() / 3:
            return
        held = self._held()
        now = time.monotonic()
        if held:
            ledger.renew(self._store, held, self._lease)
        self._renewed = now
        self._claims = {claim: self._claims[claim] for _, claim in held}
        for claim in self._claims.values():
            claim.until = now + self._lease.total_seconds()

    def _held(self) -> list[tuple[int, str]]:
        return [one.key for lane in self._lanes.values() for one in lane.held()]

    def _deliver(self, lane: Lane, entry: Entry, one: InHand) -> None:
        """In a thread of the lane: send one, and have it written down."""
        if not one.claim.lasts(self._sender.longest_seconds):
            return lane.settled(one)  # its lease will make it due again
        sent = self._sender.send(entry.destination, one.row, one.about)
        lane.note(taken=sent.taken)
        if not sent.taken and self._stopping:
            return None  # we hung up, not they: `finish` gives it back
        self._recorder.put(_ended(lane, entry, one, sent, self._retry))
        return None

    def _write(self, batch: Sequence[Ended]) -> None:
        """One transaction: the tries, and what they tell of their destinations."""
        shut: dict[str, str] = {}
        news = _news(batch)

        def also(connection: Connection, now: datetime) -> None:
            shut.clear()
            for entry, told in news:
                if why := gate.follow(connection, entry.name, entry.revision, told, now):
                    shut[entry.name] = why

        ledger.complete(self._store, [one.tried for one in batch], also)
        for name, why in shut.items():
            log.error("closed", destination=name, why=why)
            self.directory.forget()
            lane = self._lanes[name]
            lane.forget()
            self._give_back(lane)


def _ended(lane: Lane, entry: Entry, one: InHand, sent: Sent, retry: Retry) -> Ended:
    """What follows from a try."""
    row = one.row
    tried = Try(
        row.attempts + 1,
        sent.status,
        permanent=sent.failure is not None and sent.failure.permanent,
        refusals=row.refusals,
        retry_after=sent.answer.retry_after if sent.answer else None,
    )
    following = retry.after(tried, datetime.now(UTC))
    say(row, following.state, sent)
    written = Tried(*one.key, following.state, following.again, sent.logged(row.id), tried.refused)
    return Ended(lane, entry, one, written, sent.taken, sent.status == GONE)


def _news(batch: Iterable[Ended]) -> list[tuple[Entry, Told]]:
    """What a batch tells of each destination; nothing of one that is well and was well."""
    by_name: defaultdict[str, list[Ended]] = defaultdict(list)
    for one in batch:
        by_name[one.entry.name].append(one)
    news = []
    for ended in by_name.values():
        entry, bad = ended[-1].entry, ended[-1].lane.is_bad
        told = Told(
            taken=any(one.taken for one in ended),
            failed=any(not one.taken for one in ended),
            gone=any(one.gone for one in ended),
            bad=bad,
        )
        if told.failed or entry.failing_since is not None or entry.open_until is not None:
            news.append((entry, told))
    return news


def with_what_they_are_about(
    store: Store, rows: Sequence[Row[Any]], directory: Directory
) -> list[tuple[Row[Any], Row[Any] | None]]:
    """Claimed deliveries, each with its row of `postback` or `report_window`; None where that
    is no longer kept. Read after the claim, so that nobody waits for it."""
    reports = {entry.name for entry in directory.now() if entry.destination.kind == "report"}
    windows = {row.stored_id for row in rows if row.destination in reports}
    postbacks = {row.stored_id for row in rows} - windows
    found: dict[bool, dict[int, Row[Any]]] = {True: {}, False: {}}
    with store.read() as connection:
        for is_report, ids in ((True, windows), (False, postbacks)):
            about = REPORT_WINDOW if is_report else POSTBACK
            if ids:
                kept: Any = connection.execute(select(about).where(about.c.id.in_(ids)))
                found[is_report] = {row.id: row for row in kept}
    return [(row, found[row.destination in reports].get(row.stored_id)) for row in rows]


def say(row: Row[Any], state: str, sent: Sent) -> None:
    """One line for each try; what went well is not worth one at the usual level."""
    tell = {DONE: log.debug, DEAD: log.error}.get(state, log.warning)
    tell(
        "delivered" if state == DONE else "not delivered",
        delivery=row.id,
        destination=row.destination,
        number=row.attempts + 1,
        status=sent.status,
        state=state,
        error=sent.error,
    )
