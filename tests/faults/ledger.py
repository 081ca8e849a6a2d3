"""What the store holds when the dust has settled."""

from collections import Counter
from dataclasses import asdict, dataclass

from sqlalchemy import func, select, text

from skan_receiver.config import Settings
from skan_receiver.settle import settle
from skan_receiver.storage import (
    Arrival,
    CountCell,
    CountHour,
    Fresh,
    Seen,
    Store,
    StoredPostback,
)
from skan_receiver.storage.columns import table
from tests.faults.acker import missing
from tests.receiving import NOON


@dataclass(frozen=True)
class Books:
    """Everything that has to agree."""

    acked: int
    acked_missing: int
    stored: int
    stored_twice: int
    without_arrival: int
    without_key: int
    counted: int
    unsettled: int
    integrity: str

    @property
    def balanced(self) -> bool:
        clean = (self.acked_missing, self.stored_twice, self.without_arrival, self.without_key)
        return not any((*clean, self.unsettled)) and (self.counted, self.integrity) == (
            self.stored,
            "ok",
        )

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "balanced": self.balanced}


def audit(database_url: str, acked: set[str]) -> Books:
    """Settle what is left, then compare what devices were told with what is there."""
    store = Store(database_url)
    while settle(store, Settings(), NOON):
        pass
    postback, arrival, seen = table(StoredPostback), table(Arrival), table(Seen)
    hours, cell, fresh = table(CountHour), table(CountCell), table(Fresh)
    with store.read() as connection:
        ids = Counter(connection.scalars(select(postback.c.postback_id)))
        arrived = set(connection.scalars(select(arrival.c.stored_id)))
        keyed = set(connection.scalars(select(seen.c.stored_id)))
        rows = set(connection.scalars(select(postback.c.id)))
        total = select(func.sum(hours.c.n)).join_from(hours, cell, cell.c.id == hours.c.cell)
        counted = connection.scalar(total.where(cell.c.counted)) or 0
        unsettled = connection.scalar(select(func.count()).select_from(fresh)) or 0
        integrity = "ok"
        if store.is_sqlite:
            integrity = str(connection.scalar(text("PRAGMA integrity_check")))
    store.close()
    return Books(
        acked=len(acked),
        acked_missing=len(missing(acked, ids)),
        stored=len(rows),
        stored_twice=sum(n - 1 for n in ids.values()),
        without_arrival=len(rows - arrived),
        without_key=len(rows - keyed),
        counted=int(counted),
        unsettled=unsettled,
        integrity=integrity,
    )
