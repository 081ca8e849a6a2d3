"""Who was erased: keyed hashes of identifiers, from which nobody gets them back.

What an MMP sends again of the time before is known by them, and dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, bindparam, select

from skan_receiver.mmp.event import Event
from skan_receiver.storage.columns import IDENTITY_BYTES, table
from skan_receiver.storage.events import Tombstone

TOMBSTONE = table(Tombstone)
ANY = select(TOMBSTONE.c.key).limit(1)
LYING = select(TOMBSTONE).where(TOMBSTONE.c.key.in_(bindparam("keys", expanding=True)))

# Of many people: an address, a browser.
_SHARED = {"ip", "user_agent"}


def tombstone(secret: str, identifier: str) -> bytes:
    """The hash under `secret` of an identifier, whatever kind it is of and however it is cased."""
    key = blake2b(secret.encode()).digest()
    said = identifier.strip().casefold().encode()
    return blake2b(said, digest_size=IDENTITY_BYTES, key=key).digest()


def any_lie(connection: Connection) -> bool:
    """Whether anybody was ever erased."""
    return connection.execute(ANY).first() is not None


def erased(connection: Connection, secrets: Sequence[str], events: Iterable[Event]) -> set[int]:
    """Which of `events`, by place, are of somebody who was erased after they happened."""
    return erased_of(connection, secrets, ((one.person.named(), one.at) for one in events))


def erased_of(
    connection: Connection,
    secrets: Sequence[str],
    told: Iterable[tuple[Mapping[str, str], datetime]],
) -> set[int]:
    """The same of whatever has identifiers, by their names, and a time.

    A tombstone was made with one of `secrets`: keys are rotated, and it cannot be.
    """
    named: dict[bytes, list[tuple[int, datetime]]] = {}
    for place, (identifiers, at) in enumerate(told):
        for value in _identifiers(identifiers):
            for secret in secrets:
                named.setdefault(tombstone(secret, value), []).append((place, at))
    if not named:
        return set()
    lying: Any = connection.execute(LYING, {"keys": list(named)})
    return {place for row in lying for place, at in named[row.key] if at <= row.erased_at}


def _identifiers(named: Mapping[str, str]) -> set[str]:
    return {value for name, value in named.items() if name not in _SHARED}
