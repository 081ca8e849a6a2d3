"""Sends what is owed: claims, tries, and writes down what came of it."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from skan_receiver.delivery import ledger
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.ledger import Tried
from skan_receiver.delivery.retry import Retry
from skan_receiver.delivery.transport import Answer, Transport
from skan_receiver.errors import DeliveryFailed
from skan_receiver.storage import Store

log = structlog.get_logger("delivery")

# At once to one destination: one that hangs keeps its own threads, and nobody else's.
AT_ONCE = 8
DESTINATIONS_AT_ONCE = 8


class Deliverer:
    """Delivers from one process; any number of them may, on one ledger."""

    def __init__(self, store: Store, transport: Transport, retry: Retry | None = None) -> None:
        self._store = store
        self._transport = transport
        self._retry = retry or Retry()
        self._pool = ThreadPoolExecutor(AT_ONCE * DESTINATIONS_AT_ONCE, "deliver")
        self._sending: dict[Future[Tried], str] = {}

    def step(self, destinations: Sequence[Destination], patience: float = 0.05) -> int:
        """Write down what has come of earlier sends, start due ones; how many were started.

        Returns at once where nothing is under way, else within about `patience` seconds.
        """
        self._harvest(patience)
        busy = Counter(self._sending.values())
        free = {one.name: one for one in destinations if not one.paused and not busy[one.name]}
        due = ledger.due(self._store, free)
        claimed = ledger.claim(self._store, due, AT_ONCE) if due else []
        for row in claimed:
            future = self._pool.submit(self._try, free[row.destination], row)
            self._sending[future] = row.destination
        return len(claimed)

    def finish(self) -> None:
        """Wait for what is under way, and write it down."""
        self._pool.shutdown(wait=True)
        self._harvest(0)

    def _harvest(self, patience: float) -> None:
        if not self._sending:
            return
        done, _ = wait(self._sending, timeout=patience, return_when=FIRST_COMPLETED)
        ledger.record(self._store, [future.result() for future in done])
        for future in done:
            del self._sending[future]

    def _try(self, destination: Destination, row: Row[Any]) -> Tried:
        at = datetime.now(UTC)
        number = row.attempts + 1
        answer, failure = self._send(destination, row)
        status = answer.status if answer else None
        following = self._retry.after(
            number,
            status,
            permanent=failure is not None and failure.permanent,
            retry_after=answer.retry_after if answer else None,
        )
        log.info("tried", delivery=row.delivery_id, destination=destination.name, number=number,
                 status=status, state=following.state, error=str(failure or ""))  # fmt: skip
        attempt = {
            "delivery_id": row.delivery_id,
            "at": at,
            "status": status,
            "duration_ms": (datetime.now(UTC) - at) // timedelta(milliseconds=1),
            "error": str(failure or ""),
            "answer": answer.excerpt if answer else "",
            "url": destination.url.partition("?")[0],  # a query may hold a secret
        }
        return Tried(row.delivery_id, row.claim_id, following.state, following.again, attempt)

    def _send(
        self, destination: Destination, row: Row[Any]
    ) -> tuple[Answer | None, DeliveryFailed | None]:
        try:
            request = destination.request(row)
            own = {
                # The same over all tries: a receiver that has seen it may drop the copy.
                "webhook-id": f"dlv_{row.delivery_id}",
                "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
            }
            return self._transport.send(replace(request, headers={**request.headers, **own})), None
        except DeliveryFailed as failure:
            return None, failure
        except Exception as error:  # a delivery that breaks its kind must not break the others
            log.exception("broke", delivery=row.delivery_id, destination=destination.name)
            return None, DeliveryFailed(f"{type(error).__name__}: {error}")
