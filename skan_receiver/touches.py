"""Touches in, and installs of our own given to them.

Installs are settled as they come: a touch that a network tells of later changes nothing of what
was decided.
"""

import secrets
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection

from skan_receiver.config import Settings
from skan_receiver.mmp.consent import unlinkable
from skan_receiver.mmp.event import Event
from skan_receiver.mmp.touch_reading import Read
from skan_receiver.mmp.touches import (
    Attributed,
    Windows,
    attribute,
    given,
    says_nothing,
    usable,
)
from skan_receiver.storage import GroupCommit, Store, event_intake, tombstones, touches
from skan_receiver.storage.connections import note_use
from skan_receiver.storage.networks import Network
from skan_receiver.storage.persons import OF_TOUCHES

CLICK_ID_BYTES = 16

Numbered = tuple[int, Event]


@dataclass(frozen=True, slots=True)
class Told:
    """A touch as it came, and whose it is. `click_id` is ours: nobody guesses it."""

    network: Network
    read: Read
    received_at: datetime
    click_id: str


class Touches:
    """Takes touches from any number of threads; concurrent ones share a commit."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._commit: GroupCommit[Told, None] = GroupCommit(self._write)

    def __call__(self, batch: Sequence[Told]) -> None:
        """Keep touches. They are durable when this returns; StoreUnavailable if none is."""
        if batch:
            self._commit(batch)

    def _write(self, batch: Sequence[Told]) -> Sequence[None]:
        self._store.write(partial(_keep, settings=self._settings, batch=batch))
        return [None] * len(batch)


def new_click_id() -> str:
    """One that nobody guesses."""
    return secrets.token_urlsafe(CLICK_ID_BYTES)


def click_id_of(secret: str, network: Network, read: Read) -> str:
    """The click id of what a network's server tells: the same of a copy, where the network has an
    id of it; to who has not our key it is as good as any other."""
    theirs = read.columns["partner_click_id"]
    if theirs is None:
        return new_click_id()
    said = "\0".join((network.name, str(read.app), read.columns["kind"], theirs))
    key = blake2b(secret.encode()).digest()
    made = blake2b(said.encode(), digest_size=CLICK_ID_BYTES, key=key)
    return urlsafe_b64encode(made.digest()).decode().rstrip("=")


def attribute_installs(
    connection: Connection, settings: Settings, events: Sequence[Numbered], now: datetime
) -> list[Numbered]:
    """The same events, those that the app's own server told given to whom they are due; their rows
    too, in the transaction that stored them.

    1. Installs, in order, to the last touch; why is written down.
    2. What else users did goes to whom their install was given.
    """
    own = [(id_, event) for id_, event in events if event.provider == touches.OWN]
    if not own:
        return list(events)

    # 1.
    installs = [(id_, event) for id_, event in own if event.kind.value in touches.INSTALLS]
    judged = _judged(connection, settings, installs)
    touches.record(connection, [(id_, one) for id_, _, one in judged], now)
    won = [(id_, given(event, one)) for id_, event, one in judged if one.winner is not None]
    touches.give(connection, won)

    # 2.
    others = [
        (id_, event)
        for id_, event in own
        if event.kind.value not in touches.INSTALLS
        and says_nothing(event)
        and not unlinkable(event)
    ]
    heirs = touches.inherit(connection, others)
    touches.give(connection, heirs)
    changed = dict(won) | dict(heirs)
    return [(id_, changed.get(id_, event)) for id_, event in events]


def _judged(
    connection: Connection, settings: Settings, installs: Sequence[Numbered]
) -> list[tuple[int, Event, Attributed]]:
    windows = Windows(timedelta(days=settings.click_days), timedelta(days=settings.view_days))
    known = [usable(event) for _, event in installs]
    by_id = {touch.id: touch for touch in touches.found(connection, known)}
    by_name: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for touch in by_id.values():
        for name in ("click_id", "idfa", "gaid"):
            by_name[name, getattr(touch, name)].append(touch.id)
    judged = []
    for (id_, event), names in zip(installs, known, strict=True):
        theirs = {each for one in names.items() for each in by_name.get(one, ())}
        one = attribute(event, [by_id[each] for each in theirs], windows)
        if one.winner is not None and one.winner.id in by_id:
            by_id[one.winner.id] = replace(one.winner, given_to=id_)
        judged.append((id_, event, one))
    return judged


def _keep(connection: Connection, *, settings: Settings, batch: Sequence[Told]) -> None:
    """What is of somebody who was erased since is dropped; nobody erases meanwhile."""
    event_intake.hold(connection, withdraws=False)
    rows = [_row(one) for one in batch]
    gone: set[int] = set()
    if tombstones.any_lie(connection):
        named = ((_named(row), row["at"]) for row in rows)
        gone = tombstones.erased_of(connection, settings.vault_keys, named)
    touches.keep(connection, [row for place, row in enumerate(rows) if place not in gone])
    note_use(connection, [(one.network.name, one.received_at) for one in batch])


def _named(row: dict[str, Any]) -> dict[str, str]:
    return {name: value for name in OF_TOUCHES if (value := row.get(name))}


def _row(one: Told) -> dict[str, Any]:
    app = one.read.app
    assert app is not None
    return {
        **one.read.columns,
        "kind": one.read.columns["kind"].value,
        "click_id": one.click_id,
        "media_source": one.network.media_source,
        "app_id": app.app_id,
        "bundle_id": app.bundle_id,
    }
