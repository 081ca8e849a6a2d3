"""The campaign table a part at a time: found by number, and removed by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, or_, select

from skan_receiver.storage.campaigns import CAMPAIGN
from skan_receiver.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which rows; None does not narrow."""

    ad_network_id: str | None = None
    app_id: int | None = None  # 0: those of any app
    on: date | None = None  # those that run on this day

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """One for each that narrows."""
        if self.ad_network_id is not None:
            yield CAMPAIGN.c.ad_network_id == self.ad_network_id.lower()
        if self.app_id is not None:
            yield CAMPAIGN.c.app_id == self.app_id
        if self.on is not None:
            yield CAMPAIGN.c.starts_on <= self.on
            yield or_(CAMPAIGN.c.ends_on.is_(None), CAMPAIGN.c.ends_on >= self.on)


def find(connection: Connection, which: Which, *, after: int = 0, limit: int) -> Sequence[Row[Any]]:
    """Rows by number, from the one that follows `after` on."""
    found = select(CAMPAIGN).where(CAMPAIGN.c.id > after, *which.conditions())
    return connection.execute(found.order_by(CAMPAIGN.c.id).limit(limit)).all()


def remove_campaign(store: Store, number: int) -> bool:
    """Whether there was one of that number; it is gone now."""
    gone = delete(CAMPAIGN).where(CAMPAIGN.c.id == number)
    return bool(store.write(lambda connection: connection.execute(gone).rowcount))
