"""Writes down what was tried, while the next is being sent: one commit for all that has ended."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue

import structlog

from skan_receiver.delivery.lane import InHand, Lane
from skan_receiver.delivery.outcome import Outcome
from skan_receiver.errors import StoreUnavailable

log = structlog.get_logger("delivery")

LARGEST = 256
# A commit costs about as much as three deliveries, whatever it holds: a moment's wait lets more
# of them share one. Once so many have ended there is enough to write.
ENOUGH = 8
LINGER_SECONDS = 0.002
AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that was tried, and what came of it."""

    lane: Lane
    one: InHand
    outcome: Outcome


class Recorder:
    """A thread that calls `write` with batches, until `close`.

    What cannot be written is tried again while its lease lasts, and nothing more is sent
    meanwhile than the lanes allow: it will be sent again when the lease has run out.
    """

    def __init__(self, write: Callable[[Sequence[Ended]], None]) -> None:
        self._write = write
        self._ended: SimpleQueue[Ended | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def put(self, ended: Ended) -> None:
        """Have it written down."""
        self._ended.put(ended)

    def close(self, within: timedelta) -> None:
        """Write what has ended, and stop."""
        self._ended.put(None)
        self._thread.join(within.total_seconds())

    def _run(self) -> None:
        while (batch := self._batch()) is not None:
            self._record(batch)
            for ended in batch:
                ended.lane.settled(ended.one)

    def _batch(self) -> list[Ended] | None:
        """What has ended, at least one; None when that was all."""
        if (first := self._ended.get()) is None:
            return None
        if self._ended.qsize() < ENOUGH:
            time.sleep(LINGER_SECONDS)
        batch = [first]
        while len(batch) < LARGEST and not self._ended.empty():
            if (ended := self._ended.get()) is None:
                self._ended.put(None)
                break
            batch.append(ended)
        return batch

    def _record(self, batch: Sequence[Ended]) -> None:
        alive = batch  # once in any case: the ledger knows best whose claim is over
        while alive:
            try:
                return self._write(alive)
            except StoreUnavailable as error:
                log.warning("not recorded", deliveries=len(alive), error=str(error))
            except Exception:
                log.exception("not recorded", deliveries=len(alive))
            time.sleep(AGAIN_SECONDS)
            alive = [ended for ended in batch if ended.one.claim.lasts(0)]
        return None
