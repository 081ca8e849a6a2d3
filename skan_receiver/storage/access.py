"""Who may sign in: users, their one-time links, their passwords.

What is kept proves a secret without being one: argon2id for what people choose, a plain SHA-256
for what has 256 random bits.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from skan_receiver.errors import SkanError
from skan_receiver.storage.columns import table
from skan_receiver.storage.people import User
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import insert_new

ACCOUNT = table(User)

ADMIN = "admin"
# Viewers look, editors change schemas and destinations, import and replay, and admins say who may
# what.
ROLES = ("viewer", "editor", "admin")
LINK_LIVES = timedelta(hours=24)
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000  # a bound on what a stranger makes us hash
LONGEST_NAME = 200  # one on what a stranger makes us remember, and look for


class AccessError(SkanError):
    """What was asked for makes no sense for this key or user; the message says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user, as a session needs one."""

    id: int
    name: str
    role: str
    session_salt: str
    # What they see; empty: everything.
    apps: frozenset[int] = frozenset()
    networks: frozenset[str] = frozenset()

    def may(self, role: str) -> bool:
        """Whether they may do what `role` may: each may what those before it may."""
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def is_limited(self) -> bool:
        """Whether there is something that they do not see."""
        return bool(self.apps or self.networks)


def ensure_admin(store: Store, now: datetime) -> str | None:
    """A one-time link's token for `admin`, until somebody can sign in without one; then None.

    Each start gives a new link and the one before is dead, so that a lost link is no lock-out.
    """
    by_provider = ACCOUNT.c.subject.is_not(None) & (ACCOUNT.c.role == ADMIN)
    chosen = select(ACCOUNT.c.id).where(ACCOUNT.c.password_hash.is_not(None) | by_provider)
    with store.read() as connection:
        if connection.execute(chosen.limit(1)).first():
            return None

    def work(connection: Connection) -> str:
        insert_new(connection, ACCOUNT, [new_account(ADMIN, EVERYTHING, now)])
        return _link(connection, ADMIN, now)

    return store.write(work)


@dataclass(frozen=True, slots=True)
class Permit:
    """What somebody may do, and see."""

    role: str = ADMIN
    apps: tuple[int, ...] = ()  # empty: all
    networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise AccessError(f"role: one of {', '.join(ROLES)}")
        if self.role == ADMIN and (self.apps or self.networks):
            raise AccessError("role: an admin sees everything; a viewer or editor can be limited")
        if any(not 0 < app < 2**63 for app in self.apps):
            raise AccessError("apps: numbers of the App Store, as in 525463029")
        if any(not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) for name in self.networks):
            raise AccessError("networks: ad-network ids, as in abc123.skadnetwork")

    @property
    def columns(self) -> dict[str, str]:
        """As a row has it."""
        apps = " ".join(str(app) for app in dict.fromkeys(self.apps))
        networks = " ".join(dict.fromkeys(name.lower() for name in self.networks))
        return {"role": self.role, "apps": apps, "networks": networks}


EVERYTHING = Permit()


def add_user(store: Store, name: str, now: datetime, permit: Permit = EVERYTHING) -> str:
    """A new user; the token of the one-time link with which they choose a password."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise AccessError(f"name: 1 to {LONGEST_NAME} characters that can be seen")

    def work(connection: Connection) -> str:
        if connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.name == name)).first():
            raise AccessError(f"there is a user {name!r} already; `users link` makes a new link")
        insert_new(connection, ACCOUNT, [new_account(name, permit, now)])
        return _link(connection, name, now)

    return store.write(work)


def change_user(store: Store, name: str, permit: Permit) -> None:
    """Let them do and see something else, from their next request on."""

    def work(connection: Connection) -> None:
        change = update(ACCOUNT).where(ACCOUNT.c.name == name).values(**permit.columns)
        if not connection.execute(change).rowcount:
            raise AccessError(f"there is no user {name!r}")
        _keep_an_admin(connection)

    store.write(work)


def _keep_an_admin(connection: Connection) -> None:
    """Nobody takes away the last one: there would be no way back but by the command line."""
    if not connection.scalar(select(func.count()).where(ACCOUNT.c.role == ADMIN)):
        raise AccessError("role: somebody has to stay admin")


def new_link(store: Store, name: str, now: datetime) -> str:
    """Another one-time link. The password stays good until the link is used."""
    return store.write(lambda connection: _link(connection, name, now))


def remove_user(store: Store, name: str) -> bool:
    """Whether there was one. Their sessions end with them. AccessError for the last admin."""
    gone = delete(ACCOUNT).where(ACCOUNT.c.name == name)

    def work(connection: Connection) -> bool:
        found = bool(connection.execute(gone).rowcount)
        _keep_an_admin(connection)
        return found

    return store.write(work)


def users(store: Store, *, after: str = "", limit: int | None = None) -> Sequence[Row[Any]]:
    """Users by name, from the one that follows `after` on: all, or `limit` of them."""
    some = select(ACCOUNT).where(ACCOUNT.c.name > after).order_by(ACCOUNT.c.name).limit(limit)
    with store.read() as connection:
        return connection.execute(some).all()


def account(store: Store, user_id: int) -> Account | None:
    """The user with this id."""
    return _one(store, ACCOUNT.c.id == user_id)


def invited(store: Store, token: str, now: datetime) -> Account | None:
    """Whose one-time link this is, if it is still good. Looking does not use it up."""
    return _one(store, *_good_link(token, now))


def choose_password(store: Store, token: str, password: str, now: datetime) -> Account | None:
    """Use up a one-time link; None where it is no longer good. All earlier sessions end.

    Of two that use the same link at once one wins: the link is part of the condition.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise AccessError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise AccessError(f"A password has at most {LONGEST_PASSWORD} characters.")
    if (who := invited(store, token, now)) is None:
        return None
    use = (
        update(ACCOUNT)
        .where(*_good_link(token, now))
        .values(
            password_hash=_hasher().hash(password),
            session_salt=_salt(),
            link_hash=None,
            link_expires_at=None,
        )
    )
    if not store.write(lambda connection: connection.execute(use).rowcount):
        return None
    return account(store, who.id)


def sign_in(store: Store, name: str, password: str) -> Account | None:
    """The user, if name and password are right. Takes equally long if there is no such user."""
    if "\0" in name:  # no name has one, and PostgreSQL takes it for no text
        return None
    with store.read() as connection:
        row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
    known = row.password_hash if row else None
    right = _matches(known or _nobody(), password[:LONGEST_PASSWORD])
    return _account(row) if row and known and right else None


def end_sessions(store: Store, user_id: int) -> None:
    """Sign a user out everywhere: sessions are known by the salt they began with."""
    new = update(ACCOUNT).where(ACCOUNT.c.id == user_id).values(session_salt=_salt())
    store.write(lambda connection: connection.execute(new))


def new_account(name: str, permit: Permit, now: datetime) -> dict[str, Any]:
    """The row of a user whom nobody knows yet."""
    return {"name": name, **permit.columns, "session_salt": _salt(), "created_at": now}


def _link(connection: Connection, name: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    found = connection.execute(
        update(ACCOUNT)
        .where(ACCOUNT.c.name == name)
        .values(link_hash=digest(token), link_expires_at=now + LINK_LIVES)
    ).rowcount
    if not found:
        raise AccessError(f"there is no user {name!r}")
    return token


def _good_link(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return ACCOUNT.c.link_hash == digest(token), ACCOUNT.c.link_expires_at > now


def _one(store: Store, *conditions: ColumnElement[bool]) -> Account | None:
    with store.read() as connection:
        return find_account(connection, *conditions)


def find_account(connection: Connection, *conditions: ColumnElement[bool]) -> Account | None:
    """The user of whom this is true; of several the first."""
    row = connection.execute(select(ACCOUNT).where(*conditions).order_by(ACCOUNT.c.id)).first()
    return _account(row) if row else None


def _account(row: Row[Any]) -> Account:
    apps = frozenset(int(app) for app in row.apps.split())
    return Account(
        row.id, row.name, row.role, row.session_salt, apps, frozenset(row.networks.split())
    )


def digest(secret: str) -> str:
    """What is kept of a secret with 256 random bits."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _salt() -> str:
    return secrets.token_hex(16)


@cache
def _hasher() -> PasswordHasher:
    """argon2id, at the parameters of RFC 9106 for little memory (64 MiB)."""
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password has: what is checked for a user who is not there."""
    return _hasher().hash(secrets.token_hex(16))


def _matches(known: str, password: str) -> bool:
    try:
        return _hasher().verify(known, password)
    except (VerificationError, InvalidHashError):
        return False
