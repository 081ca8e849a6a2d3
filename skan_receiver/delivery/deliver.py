"""Sends what is owed: claims, tries, and writes down what came of it."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import Row

from skan_receiver.delivery import ledger
from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.lane import Claim, InHand, Lane
from skan_receiver.delivery.ledger import Tried
from skan_receiver.delivery.retry import GONE, Retry, Try
from skan_receiver.delivery.transport import Answer, Request, Transport, plain
from skan_receiver.errors import DeliveryFailed, StoreUnavailable
from skan_receiver.storage import GroupCommit, Store
from skan_receiver.storage.deliveries import DEAD, DONE

log = structlog.get_logger("delivery")

# Several exchanges long; renewed after a third. A worker that is killed keeps what it held from
# being sent for so long.
LEASE = timedelta(seconds=60)

# How long what is under way may take once the worker is to stop.
GRACE_SECONDS = 1.5


class Deliverer:
    """Delivers from one process; any number of them may, on one ledger.

    A thread holds a delivery until its try is durably recorded, and then takes the next:
    a kill repeats at most what the threads were holding.
    """

    def __init__(
        self,
        store: Store,
        transport: Transport,
        retry: Retry | None = None,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self.wake = threading.Event()  # set when it is worth calling `step` again
        self._store = store
        self._transport = transport
        self._retry = retry or Retry()
        self._lease = lease
        self._lanes: dict[str, Lane] = {}
        self._claims: dict[str, Claim] = {}
        self._renewed = time.monotonic()
        self._stopping = False
        self._record: GroupCommit[Tried, None] = GroupCommit(self._complete)

    def step(self, destinations: Sequence[Destination]) -> bool:
        """Claim what is due, for as long as threads have need of it; whether anything was."""
        self._renew()
        defined = {one.name: one for one in destinations}
        for name in defined.keys() | self._lanes.keys():
            lane = self._lanes.setdefault(name, Lane(name, self.wake.set))
            lane.open(defined.get(name))
        wanted = {name: lane.room for name, lane in self._lanes.items() if lane.room}
        due = ledger.due(self._store, wanted)
        if due:
            self._claim({name: wanted[name] for name in due})
        return bool(due)

    def finish(self) -> None:
        """Stop: begin nothing new, cut what does not end by itself, give back the rest."""
        for lane in self._lanes.values():
            lane.stop()
        self._wait(GRACE_SECONDS)
        self._stopping = True
        self._transport.close()
        self._wait(GRACE_SECONDS)
        ledger.release(self._store, self._held())

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for lane in self._lanes.values():
            lane.wait(max(0.0, until - time.monotonic()))

    def _claim(self, wanted: dict[str, int]) -> None:
        until = time.monotonic() + self._lease.total_seconds()
        rows = ledger.claim(self._store, wanted, self._lease)
        rows.sort(key=lambda row: row.destination)
        for name, claimed in groupby(rows, key=lambda row: row.destination):
            self._lanes[name].take(self._in_hand(claimed, until), self._deliver)

    def _in_hand(self, rows: Iterable[Row[Any]], until: float) -> list[InHand]:
        return [
            InHand(row, self._claims.setdefault(row.claim_id, Claim(row.claim_id, until)))
            for row in rows
        ]

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

    def _deliver(self, lane: Lane, one: InHand) -> None:
        """In a thread of the lane: one delivery from its hand to the ledger."""
        destination = lane.destination
        if not one.claim.lasts(self._transport.exchange_seconds):
            return  # its lease will make it due again
        if destination is None:
            self._keep_trying(one, lambda: ledger.release(self._store, [one.key]))
            return
        tried = self._try(lane, destination, one)
        if tried.state != DONE and self._stopping:
            # We hung up, not they.
            self._keep_trying(one, lambda: ledger.release(self._store, [one.key]))
            return
        self._keep_trying(one, lambda: self._record([tried]))

    def _keep_trying(self, one: InHand, write: Any) -> None:
        """Write, while the lease lasts: what cannot be recorded will be sent again."""
        while one.claim.lasts(0):
            try:
                write()
            except StoreUnavailable as error:
                log.warning("not recorded", delivery=one.row.delivery_id, error=str(error))
                time.sleep(0.5)
            else:
                return

    def _try(self, lane: Lane, destination: Destination, one: InHand) -> Tried:
        at, begun = datetime.now(UTC), time.monotonic()
        answer, failure = self._send(destination, one.row, at)
        took = round((time.monotonic() - begun) * 1000)
        following = self._retry.after(self._ended(one.row, answer, failure), datetime.now(UTC))
        error = str(failure or "")
        if answer is not None and answer.status == GONE and lane.gone(destination):
            log.error("closed by its owner: pausing it until its entry changes or we restart",
                      destination=destination.name)  # fmt: skip
        _say(one.row, following.state, answer, error)
        attempt = {
            "delivery_id": one.row.delivery_id,
            "at": at,
            "status": answer.status if answer else None,
            "duration_ms": took,
            "error": error,
            "answer": answer.excerpt if answer else "",
            "url": _masked(destination.url),
        }
        return Tried(*one.key, following.state, following.again, attempt)

    def _ended(self, row: Row[Any], answer: Answer | None, failure: DeliveryFailed | None) -> Try:
        ended = Try(
            row.attempts + 1,
            answer.status if answer else None,
            permanent=failure is not None and failure.permanent,
            retry_after=answer.retry_after if answer else None,
        )
        if not ended.refused:
            return ended
        try:
            return replace(ended, refusals=ledger.refusals(self._store, row.delivery_id))
        except StoreUnavailable:  # no reason to forget that it was tried
            return ended

    def _send(
        self, destination: Destination, row: Row[Any], now: datetime
    ) -> tuple[Answer | None, DeliveryFailed | None]:
        try:
            return self._transport.send(_request(destination, row, now)), None
        except DeliveryFailed as failure:
            return None, failure
        except Exception as error:  # a delivery that breaks its kind must not break the others
            log.exception("broke", delivery=row.delivery_id, destination=destination.name)
            return None, DeliveryFailed(plain(f"{type(error).__name__}: {error}"))

    def _complete(self, tries: Sequence[Tried]) -> Sequence[None]:
        ledger.complete(self._store, tries)
        return [None] * len(tries)


def _request(destination: Destination, row: Row[Any], now: datetime) -> Request:
    if row.body is None:
        raise DeliveryFailed("its postback is no longer kept", permanent=True)
    request = destination.request(row)
    own = {"webhook-id": delivery_name(row), "webhook-timestamp": str(int(now.timestamp()))}
    return replace(request, headers={**request.headers, **own})


def delivery_name(row: Row[Any]) -> str:
    """What a receiver may tell copies by: the same over retries, replays and databases.

    Not the number of the row: a new database begins at 1 again, and a receiver that remembers
    would drop what it has never seen.
    """
    return f"{row.identity.hex()}_{row.destination}"


def _masked(url: str) -> str:
    try:
        return target(url).masked
    except DeliveryFailed:
        return url.partition("?")[0]


def _say(row: Row[Any], state: str, answer: Answer | None, error: str) -> None:
    tell = {DONE: log.debug, DEAD: log.error}.get(state, log.warning)
    tell(
        "delivered" if state == DONE else "not delivered",
        delivery=row.delivery_id,
        destination=row.destination,
        number=row.attempts + 1,
        status=answer.status if answer else None,
        state=state,
        error=error,
    )
