"""Secrets of destinations, and addresses of devices on their way: encrypted at rest.

The keys are not in the database: it alone decrypts nothing. The first key encrypts, every one
decrypts, so that a key is changed by putting a new one in front (`rotate`) and later taking the
old one away. https://cryptography.io/en/latest/fernet/#cryptography.fernet.MultiFernet
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, Row, delete, select, update

from skan_receiver.delivery.registry import UnknownDestination, changing, known
from skan_receiver.errors import ConfigurationError, SkanError
from skan_receiver.storage import AlertChannel, Secret, Store
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table

SECRET, CHANNEL = table(Secret), table(AlertChannel)

LONGEST = 4096
_SECRET = re.compile(rf"[\x20-\x7e]{{1,{LONGEST}}}")


class SecretRefused(SkanError):
    """What is to be a secret could never be sent; the message says why, and never what it is."""


class Vault:
    """Seals and opens, with the keys of this process."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except (ValueError, TypeError):
            raise ConfigurationError(
                "SKAN_SECRET_KEYS: each key is 32 bytes in URL-safe base64; make one with "
                "`skan-receiver destinations secret new-key`"
            ) from None
        self._oldest = blake2b(keys[-1].encode()).digest()

    def blinded(self, hashed: bytes) -> bytes:
        """A hash under a key of ours, as long as it was: who has only the result can test no guess
        of what was hashed. By the oldest key, so that it stays the same when one is put in front.
        """
        return blake2b(hashed, digest_size=len(hashed), key=self._oldest).digest()

    def seal(self, plain: str) -> bytes:
        return self._fernet.encrypt(plain.encode())

    def open(self, sealed: bytes) -> str:
        """ConfigurationError where none of our keys sealed it."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise ConfigurationError(
                "SKAN_SECRET_KEYS: none of these keys has sealed what is stored; "
                "put the key it was sealed with back, after the others"
            ) from None

    def sealed_anew(self, sealed: bytes) -> bytes:
        """The same secret, sealed with the first key; ConfigurationError as `open` raises it."""
        return self.seal(self.open(sealed))


def put_secret(store: Store, vault: Vault, destination: str, name: str, plain: str) -> None:
    """Keep a secret of a destination, in place of what it was; nobody can read it back."""
    if not _SECRET.fullmatch(plain):
        raise SecretRefused(f"{name}: a secret is visible ASCII, and not empty; a line's end may "
                            "have come with it")  # fmt: skip
    sealed = vault.seal(plain)

    def work(connection: Connection) -> None:
        changing(connection)
        known(connection, destination)
        mine = (SECRET.c.destination == destination, SECRET.c.name == name)
        connection.execute(delete(SECRET).where(*mine))
        row = {"destination": destination, "name": name, "sealed": sealed}
        connection.execute(SECRET.insert(), {**row, "changed_at": clock(connection)})

    store.write(work)


def remove_secret(store: Store, destination: str, name: str) -> None:
    """Forget a secret; what needs it will fail, and say so."""
    mine = (SECRET.c.destination == destination, SECRET.c.name == name)
    if not store.write(lambda connection: connection.execute(delete(SECRET).where(*mine)).rowcount):
        raise UnknownDestination(f"{destination!r} has no secret {name!r}")


def secret_names(connection: Connection, destination: str) -> Sequence[Row[Any]]:
    """Which secrets a destination has: `name` and `changed_at`."""
    named = select(SECRET.c.name, SECRET.c.changed_at).where(SECRET.c.destination == destination)
    rows: Any = connection.execute(named.order_by(SECRET.c.name)).all()
    return rows  # type: ignore[no-any-return]  # SQLAlchemy's types name each column


def sealed_secrets(connection: Connection) -> Mapping[str, Mapping[str, bytes]]:
    """The secrets of each destination, as they are kept."""
    sealed: dict[str, dict[str, bytes]] = {}
    for row in connection.execute(select(SECRET)):
        sealed.setdefault(row.destination, {})[row.name] = row.sealed
    return sealed


def rotate(store: Store, vault: Vault) -> int:
    """Seal every secret with the first key, those of alerts' channels too; how many there are."""

    def work(connection: Connection) -> int:
        rows = connection.execute(select(SECRET).with_for_update()).all()
        for row in rows:
            mine = (SECRET.c.destination == row.destination, SECRET.c.name == row.name)
            sealed = vault.sealed_anew(row.sealed)
            connection.execute(update(SECRET).where(*mine).values(sealed=sealed))
        return len(rows) + _rotate_channels(connection, vault)

    return store.write(work)


def _rotate_channels(connection: Connection, vault: Vault) -> int:
    there = select(CHANNEL).where(CHANNEL.c.sealed.is_not(None)).with_for_update()
    rows = connection.execute(there).all()
    for row in rows:
        mine = update(CHANNEL).where(CHANNEL.c.name == row.name)
        connection.execute(mine.values(sealed=vault.sealed_anew(row.sealed)))
    return len(rows)
