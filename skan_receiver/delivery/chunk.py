"""Delivers a chunk that an engine was told of: claims it, sends one after the other, writes down
what came of it, and tells of the next."""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from skan_receiver.delivery import ledger
from skan_receiver.delivery.deliver import LEASE, is_another_matter, with_what_they_are_about
from skan_receiver.delivery.directory import Directory
from skan_receiver.delivery.gate import Ask, Recent
from skan_receiver.delivery.hints import CHUNK, EngineUnavailable, Tell, hint
from skan_receiver.delivery.lane import Claim, InHand
from skan_receiver.delivery.outcome import Outcome, outcome, write_down
from skan_receiver.delivery.recorder import AGAIN_SECONDS
from skan_receiver.delivery.registry import Entry
from skan_receiver.delivery.retry import Retry
from skan_receiver.delivery.sending import Sender
from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import Store

log = structlog.get_logger("delivery")


class Chunks:
    """Delivers chunks from one process, in any number of threads; any number of processes may.

    Nothing is in hand but what is under way: a kill repeats no more than a chunk for each that a
    destination takes at once.
    """

    def __init__(
        self,
        store: Store,
        sender: Sender,
        tell: Tell,
        retry: Retry | None = None,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self._store, self._sender, self._tell = store, sender, tell
        self._retry = retry or Retry()
        self._lease = lease
        self._directory = Directory(store)
        self._seen = Seen()
        self._stopping = False

    def deliver(self, name: str, ids: Sequence[int]) -> int:
        """Deliver those of `ids` that are due, as far as the gate lets them; how many were tried.

        StoreUnavailable where that could not be written down: they are due again when the lease
        has run out.
        """
        entry = self._entry(name)
        if entry is None or self._stopping or not (hand := self._claim(entry, ids[:CHUNK])):
            return 0
        outcomes = self._send(entry, hand)
        if outcomes:
            self._record(outcomes, hand[0].claim)
        ledger.release(self._store, [one.key for one in hand[len(outcomes) :]])
        self._hint(name)
        return len(outcomes)

    def stop(self) -> None:
        """Begin nothing new: of each chunk, what was not begun is given back."""
        self._stopping = True

    def _entry(self, name: str) -> Entry | None:
        """The destination, unless it is paused or no more."""
        found = (one for one in self._directory.now() if one.name == name and not one.paused)
        return next(found, None)

    def _claim(self, entry: Entry, ids: Sequence[int]) -> list[InHand]:
        until = time.monotonic() + self._lease.total_seconds()
        ask = Ask(entry.name, len(ids), entry.destination.rate)
        at_once = entry.destination.concurrency
        rows = ledger.claim_these(self._store, ask, ids, self._lease, at_once)
        with_about = with_what_they_are_about(self._store, rows, self._directory)
        return [InHand(row, about, Claim(row.claim_id, until)) for row, about in with_about]

    def _send(self, entry: Entry, hand: Sequence[InHand]) -> list[Outcome]:
        """What came of those that were tried: of all, unless there is a reason to stop."""
        outcomes: list[Outcome] = []
        for one in hand:
            if not one.claim.lasts(self._sender.longest_seconds) or not self._goes_on(entry):
                break
            sent = self._sender.send(entry.destination, one.row, one.about)
            self._seen.note(entry, taken=sent.taken)
            outcomes.append(outcome(entry, one, sent, self._retry))
        return outcomes

    def _goes_on(self, entry: Entry) -> bool:
        """Whether the destination is still what it was; half a second late at most."""
        try:
            now = self._entry(entry.name)
        except StoreUnavailable:
            return False
        return not self._stopping and now is not None and not is_another_matter(entry, now)

    def _record(self, outcomes: Sequence[Outcome], claim: Claim) -> None:
        """Write it down; again and again, while the lease lasts."""
        while True:
            try:
                return self._write(outcomes)
            except StoreUnavailable as error:
                log.warning("not recorded", deliveries=len(outcomes), error=str(error))
                if not claim.lasts(AGAIN_SECONDS):
                    raise
            time.sleep(AGAIN_SECONDS)

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        if write_down(self._store, outcomes, self._seen.is_bad):
            self._directory.forget()

    def _hint(self, name: str) -> None:
        """What could be claimed in place of what is done; where that fails, the worker will."""
        entry = self._entry(name)
        if entry is None or self._stopping:
            return
        try:
            hint(self._store, entry, self._tell, lease=self._lease)
        except EngineUnavailable as error:
            log.warning("engine unavailable", destination=name, error=str(error))


class Seen:
    """The tries of the last minute, of each destination, as this process saw them.

    Judged anew where the destination was changed, or its breaker opened or closed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: dict[str, tuple[Any, Recent]] = {}

    def note(self, entry: Entry, *, taken: bool) -> None:
        """A try has ended, so or so."""
        state = entry.created_at, entry.revision, entry.open_until is None
        with self._lock:
            before, recent = self._recent.get(entry.name, (None, None))
            if recent is None or before != state:
                recent = Recent()
            recent.note(time.monotonic(), taken=taken)
            self._recent[entry.name] = state, recent

    def is_bad(self, name: str) -> bool:
        """Whether most of what was lately sent there failed."""
        with self._lock:
            return self._recent[name][1].bad
