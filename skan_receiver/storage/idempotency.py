"""Calls that are sent again: one name, one deed, and the answer it had."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import ColumnElement, Connection, delete, select, update

from skan_receiver.errors import SkanError
from skan_receiver.storage.columns import table
from skan_receiver.storage.people import IdempotentCall
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import insert_new

CALL = table(IdempotentCall)

KEPT = timedelta(hours=24)
# Whoever was to answer it is gone by then: the name may be used again.
LONGEST = timedelta(minutes=5)


class OtherCall(SkanError):
    """The name was used for another call."""


class Unanswered(SkanError):
    """The same call is being answered at this moment."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the call was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def reserve(
    store: Store, key_id: int, name: str, fingerprint: str, now: datetime
) -> Answered | None:
    """None where the call is to be carried out, by whoever asks now; else what it was answered.

    Of several at once one carries it out. Raises OtherCall and Unanswered.
    """

    def work(connection: Connection) -> Answered | None:
        _forget(connection, key_id, name, now)
        row = {"key_id": key_id, "name": name, "fingerprint": fingerprint, "created_at": now}
        token = token_hex(16)
        insert_new(connection, CALL, [{**row, "headers": token, "body": b"", "status": None}])
        found = connection.execute(select(CALL).where(*_is(key_id, name))).one()
        if found.fingerprint != fingerprint:
            raise OtherCall("this Idempotency-Key was sent with another call: use a new one")
        if found.status is not None:
            return Answered(found.status, json.loads(found.headers), found.body)
        if found.headers != token:
            raise Unanswered("the same call is being answered: ask again in a moment")
        return None

    return store.write(work)


def keep(store: Store, key_id: int, name: str, answer: Answered) -> None:
    """Remember what a call that was reserved was answered."""
    told = {
        "status": answer.status,
        "headers": json.dumps(dict(answer.headers)),
        "body": answer.body,
    }
    known = update(CALL).where(*_is(key_id, name)).values(**told)
    store.write(lambda connection: connection.execute(known))


def release(store: Store, key_id: int, name: str) -> None:
    """It was not carried out: whoever sends it again tries anew."""
    gone = delete(CALL).where(*_is(key_id, name))
    store.write(lambda connection: connection.execute(gone))


def drop_calls(store: Store, before: datetime) -> int:
    """Forget what is older; how many."""
    old = delete(CALL).where(CALL.c.created_at < before)
    return store.write(lambda connection: connection.execute(old).rowcount)


def _forget(connection: Connection, key_id: int, name: str, now: datetime) -> None:
    stale = CALL.c.status.is_(None) & (CALL.c.created_at < now - LONGEST)
    past = CALL.c.created_at < now - KEPT
    connection.execute(delete(CALL).where(*_is(key_id, name), stale | past))


def _is(key_id: int, name: str) -> tuple[ColumnElement[bool], ...]:
    return CALL.c.key_id == key_id, CALL.c.name == name
