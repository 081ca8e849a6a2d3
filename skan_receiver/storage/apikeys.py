"""Keys for programs. Shown once; what is kept is their SHA-256."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, or_, select, update

from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage.access import AccessError, digest
from skan_receiver.storage.columns import table
from skan_receiver.storage.people import ApiKey
from skan_receiver.storage.store import Store

API_KEY = table(ApiKey)

KEY_PREFIX = "skan_"
SHOWN = len(KEY_PREFIX) + 4  # letters kept in the clear, to tell keys apart
SCOPES = ("read", "write", "replay", "events", "admin", "partner")
# `last used` answers "is this key still needed?": to the minute is enough, and spares writes.
LAST_USED_GRAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key allows its bearer."""

    id: int
    name: str
    scopes: frozenset[str]
    partner: str | None

    def allows(self, scope: str) -> bool:
        """`admin` covers everything but a partner's view, which belongs to that partner's keys."""
        return scope in self.scopes or ("admin" in self.scopes and scope != "partner")


def create_key(
    store: Store,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    *,
    partner: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A new key. This is the only time anybody sees it."""
    wanted = frozenset(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise AccessError(f"scope: some of: {' '.join(SCOPES)}")
    if ("partner" in wanted) != bool(partner) or (partner and len(wanted) > 1):
        raise AccessError("partner: its key has the scope `partner` alone, and names the partner")
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name,
        "prefix": key[:SHOWN],
        "key_hash": digest(key),
        "scopes": " ".join(scope for scope in SCOPES if scope in wanted),
        "partner": partner,
        "created_at": now,
        "expires_at": expires_at,
    }
    store.write(lambda connection: connection.execute(API_KEY.insert(), row))
    return key


def verify_key(store: Store, key: str, now: datetime) -> Grant | None:
    """What this key allows; None for one that is unknown, expired or revoked."""
    with store.read() as connection:
        known = _good(now).where(API_KEY.c.key_hash == digest(key))
        row = connection.execute(known).first()
    if row is None:
        return None
    _note_use(store, row.id, row.last_used_at, now)
    return Grant(row.id, row.name, frozenset(row.scopes.split()), row.partner)


def revoke_key(store: Store, key_id: int, now: datetime) -> bool:
    """Whether there was one to revoke. It is dead at once, in every process."""
    revoke = (
        update(API_KEY)
        .where(API_KEY.c.id == key_id, API_KEY.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return bool(store.write(lambda connection: connection.execute(revoke).rowcount))


def keys(store: Store, *, after: int = 0, limit: int | None = None) -> Sequence[Row[Any]]:
    """Keys that ever were, oldest first, from the one that follows `after` on: all, or `limit`."""
    some = select(API_KEY).where(API_KEY.c.id > after).order_by(API_KEY.c.id).limit(limit)
    with store.read() as connection:
        return connection.execute(some).all()


def good_keys(store: Store, now: datetime) -> Sequence[Row[Any]]:
    """Those that are neither revoked nor expired, oldest first."""
    with store.read() as connection:
        return connection.execute(_good(now).order_by(API_KEY.c.id)).all()


def _good(now: datetime) -> Select[Any]:
    unexpired = or_(API_KEY.c.expires_at.is_(None), API_KEY.c.expires_at > now)
    return select(API_KEY).where(API_KEY.c.revoked_at.is_(None), unexpired)


def _note_use(store: Store, key_id: int, last: datetime | None, now: datetime) -> None:
    before = now - LAST_USED_GRAIN
    if last is not None and last > before:
        return
    stale = or_(API_KEY.c.last_used_at.is_(None), API_KEY.c.last_used_at <= before)
    note = update(API_KEY).where(API_KEY.c.id == key_id, stale).values(last_used_at=now)
    try:
        store.write(lambda connection: connection.execute(note))
    except StoreUnavailable:
        return  # a store that cannot be written to can still be read
