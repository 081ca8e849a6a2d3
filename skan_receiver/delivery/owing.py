"""Owing: rows of the ledger as they begin."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from skan_receiver.delivery.waiting import DELIVERY
from skan_receiver.storage.clock import in_seconds
from skan_receiver.storage.deliveries import OWED
from skan_receiver.storage.upsert import insert_new


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is owed: a row of `postback`, or of `report_window`, to a destination."""

    identity: bytes
    stored_id: int
    destination: str
    sealed_ip: bytes | None = None

    @property
    def key(self) -> tuple[bytes, int, str]:
        return self.identity, self.stored_id, self.destination


def owe(connection: Connection, owed: Iterable[Owed], now: datetime) -> None:
    """Owe each once, whoever owes it again; due at once."""
    rows = [
        {
            "identity": one.identity,
            "stored_id": one.stored_id,
            "destination": one.destination,
            "state": OWED,
            "attempts": 0,
            "refusals": 0,
            "replays": 0,
            "created_at": now,
            "sealed_ip": one.sealed_ip,
        }
        # In the order of the unique key, so that two workers never wait in a circle.
        for one in sorted(owed, key=lambda one: one.key)
    ]
    insert_new(connection, DELIVERY, rows, next_at=in_seconds(0))
