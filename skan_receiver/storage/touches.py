"""Statements on touches, and on the installs that were given to them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from skan_receiver.mmp.event import Attribution, Event, Kind
from skan_receiver.mmp.touches import APPLE, Attributed, Loser, Touch, TouchKind, inherited
from skan_receiver.storage import events
from skan_receiver.storage.columns import table
from skan_receiver.storage.event_rows import event_of
from skan_receiver.storage.upsert import insert_new

TOUCH, EVENT = table(events.Touch), table(events.StoredEvent)
ATTRIBUTION = table(events.Attributed)

# Who tells by our own API.
OWN = "own"
INSTALLS = (Kind.INSTALL.value, Kind.REINSTALL.value)

# By these, all of them the app's own, a user's later events are known to be his.
OF_A_USER = ("idfv", "android_id", "customer_user_id")

# Written down of each install; somebody who makes up touches must not fill the disk.
MOST_LOSERS = 100

_GIVEN = tuple(each.name for each in fields(Attribution))
# Built once: making a statement costs more than running it.
_GIVE = (
    update(EVENT)
    .where(EVENT.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in (*_GIVEN, "click_id")})
)
_USED = select(ATTRIBUTION.c.touch_id, ATTRIBUTION.c.event_id).where(
    ATTRIBUTION.c.touch_id.in_(bindparam("ids", expanding=True))
)


def keep(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert touches; one whose click id is there is a copy."""
    insert_new(connection, TOUCH, sorted(rows, key=lambda row: row["click_id"]))


def found(connection: Connection, named: Iterable[Mapping[str, str]]) -> list[Touch]:
    """Touches that have any of these identifiers, and which installs were given to them.

    Nobody else gives them away before this transaction has ended: on PostgreSQL they are locked,
    in one order for all.
    """
    values: dict[str, set[str]] = {}
    for one in named:
        for name, value in one.items():
            values.setdefault(name, set()).add(value)
    if not values:
        return []
    theirs = or_(*(TOUCH.c[name].in_(sorted(said)) for name, said in sorted(values.items())))
    # Locked first, and looked at again by the second statement, which sees what was committed
    # meanwhile.
    rows = connection.execute(select(TOUCH).where(theirs).order_by(TOUCH.c.id).with_for_update())
    touches = rows.all()
    given = connection.execute(_USED, {"ids": [row.id for row in touches]})
    used = {row.touch_id: row.event_id for row in given}
    return [_touch(row, used.get(row.id)) for row in touches]


def record(connection: Connection, what: Sequence[tuple[int, Attributed]], now: datetime) -> None:
    """Write down of installs, by their numbers, who won, why, and who lost."""
    insert_new(connection, ATTRIBUTION, [_row(id_, one, now) for id_, one in what])


def give(connection: Connection, what: Sequence[tuple[int, Event]]) -> None:
    """Write into stored events, by their numbers, to what ad they are given."""
    if what:
        connection.execute(_GIVE, [_said(id_, event) for id_, event in what])


def inherit(connection: Connection, what: Sequence[tuple[int, Event]]) -> list[tuple[int, Event]]:
    """Those of these events whose users' installs were given to an ad, given to it too.

    The last install that the app's server told of before, by what only the app calls its user.
    """
    named: defaultdict[str, set[str]] = defaultdict(set)
    for _, event in what:
        for name, value in _named(event):
            named[name].add(value)
    theirs = [EVENT.c[name].in_(sorted(said)) for name, said in named.items()]
    if not theirs:
        return []
    own = (EVENT.c.provider == OWN, EVENT.c.kind.in_(INSTALLS))
    rows = connection.execute(
        select(EVENT).where(or_(*theirs), *own).order_by(EVENT.c.at, EVENT.c.id)
    )
    installs: defaultdict[tuple[str, str], list[_Install]] = defaultdict(list)
    for place, row in enumerate(rows):
        install = _Install(place, event_of(row), row.withdrawn_by is not None)
        for one in _named(install.event):
            installs[one].append(install)
    given = []
    for id_, event in what:
        of_his = {each for one in _named(event) for each in installs.get(one, ())}
        found = _last_before(event, of_his)
        if found is not None and found.attribution.media_source is not None:
            given.append((id_, inherited(event, found)))
    return given


@dataclass(frozen=True, slots=True)
class _Install:
    place: int  # in the order in which they happened; no two have the same
    event: Event = field(compare=False)
    is_withdrawn: bool = field(compare=False)


def _named(event: Event) -> list[tuple[str, str]]:
    said = event.person
    return [(name, value) for name in OF_A_USER if (value := getattr(said, name)) is not None]


def _last_before(event: Event, installs: Iterable[_Install]) -> Event | None:
    """The last one before it; one that was taken back only for what takes something back."""
    withdraws = event.kind in (Kind.REFUND, Kind.REJECTED)
    before = [
        each
        for each in installs
        if each.event.at <= event.at
        and (withdraws or not each.is_withdrawn)
        and _same_app(event, each.event)
    ]
    return max(before, key=lambda each: each.place).event if before else None


def _same_app(event: Event, install: Event) -> bool:
    ours, theirs = (event.app_id, event.bundle_id), (install.app_id, install.bundle_id)
    return any(one is not None and one == other for one, other in zip(ours, theirs, strict=True))


def _touch(row: Row[Any], given_to: int | None) -> Touch:
    said = {name: value for name, value in row._mapping.items() if name in Touch.__slots__}
    return Touch(**{**said, "kind": TouchKind(row.kind), "given_to": given_to})


def _row(id_: int, one: Attributed, now: datetime) -> dict[str, Any]:
    winner = one.winner
    return {
        "event_id": id_,
        "touch_id": None if winner is None or winner.id == APPLE else winner.id,
        "media_source": None if winner is None else winner.media_source,
        "reason": one.reason,
        "losers": json.dumps([_loser(loser) for loser in one.losers[:MOST_LOSERS]]),
        "at": now,
    }


def _loser(loser: Loser) -> dict[str, Any]:
    """Without who it was: the touch itself ends before this does."""
    touch = loser.touch
    return {
        "touch": touch.id or None,
        "media_source": touch.media_source,
        "kind": touch.kind.value,
        "at": touch.at and touch.at.isoformat(),
        "why": loser.why,
    }


def _said(id_: int, event: Event) -> dict[str, Any]:
    said = {f"new_{name}": getattr(event.attribution, name) for name in _GIVEN}
    return {"row": id_, "new_click_id": event.person.click_id, **said}
