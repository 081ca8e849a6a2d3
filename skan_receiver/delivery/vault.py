"""Secrets of destinations, and addresses of devices on their way: encrypted at rest.

The keys are not in the database: it alone decrypts nothing. The first key encrypts, every one
decrypts, so that a key is changed by putting a new one in front (`rotate`) and later taking the
old one away. https://cryptography.io/en/latest/fernet/#cryptography.fernet.MultiFernet
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, Row, delete, select, update

from skan_receiver.delivery.registry import UnknownDestination, find
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Secret, Store
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table

SECRET = table(Secret)

LONGEST = 4096


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
        """The same secret, sealed with the first key."""
        return self._fernet.rotate(sealed)


def put_secret(store: Store, vault: Vault, destination: str, name: str, plain: str) -> None:
    """Keep a secret of a destination, in place of what it was; nobody can read it back."""
    sealed = vault.seal(plain)

    def work(connection: Connection) -> None:
        find(connection, destination)
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


def secrets_of(connection: Connection, vault: Vault) -> Mapping[str, Mapping[str, str]]:
    """The secrets of each destination, in the clear: for what is sent there, and nowhere else."""
    opened: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(SECRET)):
        opened.setdefault(row.destination, {})[row.name] = vault.open(row.sealed)
    return opened


def rotate(store: Store, vault: Vault) -> int:
    """Seal every secret with the first key; how many there are."""

    def work(connection: Connection) -> int:
        rows = connection.execute(select(SECRET)).all()
        for row in rows:
            mine = (SECRET.c.destination == row.destination, SECRET.c.name == row.name)
            sealed = vault.sealed_anew(row.sealed)
            connection.execute(update(SECRET).where(*mine).values(sealed=sealed))
        return len(rows)

    return store.write(work)
