"""Delivers what is owed: claims, has it sent, and writes down what came of it."""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select

from skan_receiver.delivery import ledger
from skan_receiver.delivery.destinations.destination import EVENTS, POSTBACKS, VERBATIM, WINDOWS
from skan_receiver.delivery.directory import Directory
from skan_receiver.delivery.firsts import IS_ITS_OWN
from skan_receiver.delivery.firsts import OWED as DECIDED
from skan_receiver.delivery.gate import Ask
from skan_receiver.delivery.lane import Claim, InHand, Lane
from skan_receiver.delivery.outcome import outcome, write_down
from skan_receiver.delivery.recorder import Ended, Recorder
from skan_receiver.delivery.registry import Entry
from skan_receiver.delivery.retry import Retry
from skan_receiver.delivery.sending import Sender
from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import EventDecision, ReportWindow, Store, StoredEvent, StoredPostback
from skan_receiver.storage.columns import table

POSTBACK, REPORT_WINDOW = table(StoredPostback), table(ReportWindow)
EVENT, DECISION = table(StoredEvent), table(EventDecision)

# What a delivery is about. Of a postback that is passed on as it came, the bytes are enough.
_BYTES = (POSTBACK.c.id, POSTBACK.c.identity, POSTBACK.c.framework, POSTBACK.c.body)
ABOUT = {
    need: select(*columns).where(columns[0].table.c.id.in_(bindparam("ids", expanding=True)))
    for need, columns in (
        (VERBATIM, _BYTES),
        (POSTBACKS, tuple(POSTBACK.c)),
        (WINDOWS, tuple(REPORT_WINDOW.c)),
    )
} | {
    # An event, once for each destination that it was decided for and may go to.
    EVENTS: select(*EVENT.c, DECISION.c.withheld, DECISION.c.destination.label("decided_for"))
    .join(DECISION, DECISION.c.event_id == EVENT.c.id)
    .where(EVENT.c.id.in_(bindparam("ids", expanding=True)))
    .where(DECISION.c.outcome == DECIDED, IS_ITS_OWN)
}

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
        due = ledger.due(self._store, wanted) if wanted else []
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
            entry = known.get(name)
            if is_another_matter(lane.entry, entry):
                lane.forget()
                self._give_back(lane)
            lane.open(entry)
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
        now = time.monotonic()
        lasting = {id_: claim for id_, claim in self._claims.items() if claim.lasts(0)}
        held = [(id_, claim) for id_, claim in self._held() if claim in lasting]
        if held:
            ledger.renew(self._store, held, self._lease)
        self._renewed = now
        self._claims = {claim: lasting[claim] for _, claim in held}
        for claim in self._claims.values():
            if claim.lasts(0):  # else others may have claimed the same before we were done
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
        self._recorder.put(Ended(lane, one, outcome(entry, one, sent, self._retry)))
        return None

    def _write(self, batch: Sequence[Ended]) -> None:
        outcomes = [ended.outcome for ended in batch]
        for name in write_down(self._store, outcomes, lambda name: self._lanes[name].is_bad):
            self._shut(self._lanes[name])

    def _shut(self, lane: Lane) -> None:
        self.directory.forget()
        lane.forget()
        with suppress(StoreUnavailable):  # then their leases run out; what was tried is written
            self._give_back(lane)


def is_another_matter(before: Entry | None, now: Entry | None) -> bool:
    """Whether what was seen of a destination counts no more, and what is in hand has to pass its
    gate again: it was changed, or let go on, or another worker opened its breaker."""
    if before is None or now is None:
        return now is not None
    same = (before.created_at, before.revision) == (now.created_at, now.revision)
    return not same or (before.open_until is None and now.open_until is not None)


def with_what_they_are_about(
    store: Store, rows: Sequence[Row[Any]], directory: Directory
) -> list[tuple[Row[Any], Row[Any] | None]]:
    """Claimed deliveries, each with its row of `postback`, `report_window` or `event`; None where
    that is no longer kept. Read after the claim, so that nobody waits for it.

    By number and identity: a destination of the same name may have been of another kind once, and
    then its numbers are those of another table.
    """
    needs = {entry.name: entry.destination.needs for entry in directory.now()}
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        wanted[needs.get(row.destination, VERBATIM)].add(row.stored_id)
    found: dict[tuple[Any, ...], Row[Any]] = {}
    with store.read() as connection:
        for need, ids in wanted.items():
            kept: Any = connection.execute(ABOUT[need], {"ids": sorted(ids)})
            found |= {_key(need, row.id, row, getattr(row, "decided_for", "")): row for row in kept}
    keys = (
        _key(needs.get(row.destination, VERBATIM), row.stored_id, row, row.destination)
        for row in rows
    )
    return [(row, found.get(key)) for row, key in zip(rows, keys, strict=True)]


def _key(need: str, id_: int, row: Row[Any], destination: str) -> tuple[Any, ...]:
    """By number and identity; what was decided of an event is one destination's alone."""
    return need, id_, row.identity, destination if need == EVENTS else ""
