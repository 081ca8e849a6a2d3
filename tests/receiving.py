"""A receiver without a web server: a store, keys of our own that count, and a clock to set."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from skan_receiver.config import Settings
from skan_receiver.ingest import Incoming, Ingest, Result
from skan_receiver.settle import settle
from skan_receiver.storage import CountCell, CountHour, CountPlace, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.counts import MEMBERS
from skan_receiver.testing import Signer, encode

NOON = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


class Receiver:
    """Receives postbacks as a network's endpoint does, one at a time or many at once."""

    def __init__(
        self, store: Store, settings: Settings | None = None, *, trusted: bool = True
    ) -> None:
        self.store = store
        self.settings = settings or Settings()
        self.signer = Signer(seed=1)
        self.keys = self.signer.keys(production=trusted)
        self.now = NOON
        self._ingest = Ingest(store, self.settings, self.keys)

    def receive(
        self, *bodies: Mapping[str, Any] | bytes, endpoint: str = "network"
    ) -> list[Result]:
        incoming = [Incoming(self.now, endpoint, encode(body)) for body in bodies]
        return list(self._ingest(incoming))

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    def settle(self) -> int:
        total = 0
        while settled := settle(self.store, self.settings, self.now):
            total += settled
        return total

    def rows(self, model: Any) -> list[Any]:
        columns: Table = table(model)
        with self.store.read() as connection:
            return list(connection.execute(select(columns).order_by(*columns.primary_key)))

    def counts(self, model: Any = CountHour) -> list[Any]:
        """Every row of a grain, with what its cell is."""
        grain, cell = table(model), table(CountCell)
        others = (column for column in grain.c if column.name not in ("cell", "n"))
        found = select(*(cell.c[name] for name in MEMBERS), *others, grain.c.n)
        with self.store.read() as connection:
            rows = connection.execute(found.join_from(grain, cell, cell.c.id == grain.c.cell))
            return sorted(rows, key=tuple)

    def hours(self) -> Counter[tuple[Any, ...]]:
        """Every cell of the narrow counts that is not zero."""
        return _cells(self.counts())

    def days(self) -> Counter[tuple[Any, ...]]:
        """Every cell of the wide counts that is not zero."""
        return _cells(self.counts(CountPlace))


def _cells(rows: list[Any]) -> Counter[tuple[Any, ...]]:
    return Counter({tuple(row)[:-1]: row.n for row in rows if row.n})
