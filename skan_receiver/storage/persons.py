"""Whose events these are: a person, found by one identifier, and by what is known with it.

    person = find(connection, Asked("device_id", "9B1C6E1A-…"))

Followed once: the identifiers of the rows that have the one asked for lead to further rows, and
those lead nowhere. One that many devices share names nobody, and is not followed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, distinct, func, select

from skan_receiver.mmp.traces import spellings
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import Attributed, StoredEvent, Touch

EVENT, TOUCH, ATTRIBUTION = table(StoredEvent), table(Touch), table(Attributed)

# Each is of one device, user or click, and has an index.
IDENTIFIERS = (
    *("idfa", "idfv", "gaid", "android_id", "customer_user_id", "mmp_user_id", "click_id"),
)
# What can be asked for: in which columns it is looked for.
ASKED = {
    "device_id": ("idfa", "idfv", "gaid", "android_id", "mmp_user_id"),
    **{name: (name,) for name in IDENTIFIERS},
}
OF_TOUCHES = ("idfa", "gaid", "click_id", "partner_click_id")

# A user with more devices is none: `guest`, or what an app gives for everybody.
MOST_DEVICES = 20

# So many values go into one statement.
AT_ONCE = 500

Named = tuple[str, str]  # an identifier's name, and its value


@dataclass(frozen=True, slots=True)
class Asked:
    """By what a person is found: a key of `ASKED`, and a value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that is of one person, as far as it was followed."""

    asked: Asked
    followed: tuple[Named, ...]  # without what was asked
    shared: tuple[Named, ...]  # of too many devices, and so not followed
    direct: tuple[int, ...]  # rows of `event` with the identifier that was asked for
    further: tuple[int, ...]  # rows with one that was followed
    touches: tuple[int, ...]

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The values, each once."""
        return tuple(dict.fromkeys((self.asked.value, *(value for _, value in self.followed))))


def find(connection: Connection, asked: Asked) -> Person:
    """The person; without any rows where there are none of such a one."""
    direct = _rows(connection, [(name, asked.value) for name in ASKED[asked.name]])
    known = dict.fromkeys(_named(direct))
    touches = _touches(connection, [*known, *_as_asked(asked)], [row.id for row in direct])
    known |= dict.fromkeys(_clicks(touches))
    others = [one for one in known if one[1].casefold() != asked.value.casefold()]
    shared = [one for one in others if _devices(connection, *one) > MOST_DEVICES]
    followed = [one for one in others if one not in shared]
    near = {row.id for row in direct}
    further = [row for row in _rows(connection, followed) if row.id not in near]
    more = _touches(connection, followed, [row.id for row in further])
    return Person(
        asked,
        tuple(followed),
        tuple(shared),
        tuple(sorted(near)),
        tuple(sorted({row.id for row in further})),
        tuple(sorted({row.id for row in (*touches, *more)})),
    )


def _as_asked(asked: Asked) -> list[Named]:
    return [(name, asked.value) for name in ASKED[asked.name]]


def _rows(connection: Connection, named: Iterable[Named]) -> list[Any]:
    """Rows of events with any of these, each by its column's index."""
    columns = (EVENT.c.id, *(EVENT.c[name] for name in IDENTIFIERS))
    found: dict[int, Any] = {}
    for name, values in _by_name(named):
        which = EVENT.c[name].in_(values)
        found |= {row.id: row for row in connection.execute(select(*columns).where(which))}
    return list(found.values())


def _touches(connection: Connection, named: Iterable[Named], events: Sequence[int]) -> list[Any]:
    """Touches with any of these identifiers, and those that these events were given to."""
    columns = (TOUCH.c.id, *(TOUCH.c[name] for name in OF_TOUCHES))
    found: dict[int, Any] = {}
    # An event carries our click id, or the network's own.
    clicks = [("partner_click_id", value) for name, value in named if name == "click_id"]
    for name, values in _by_name([*named, *clicks]):
        if name in OF_TOUCHES:
            which = TOUCH.c[name].in_(values)
            found |= {row.id: row for row in connection.execute(select(*columns).where(which))}
    for some in _pieces(events):
        given = select(ATTRIBUTION.c.touch_id).where(ATTRIBUTION.c.event_id.in_(some))
        theirs = connection.execute(select(*columns).where(TOUCH.c.id.in_(given)))
        found |= {row.id: row for row in theirs}
    return list(found.values())


def _named(rows: Iterable[Any]) -> Iterator[Named]:
    for row in rows:
        for name in IDENTIFIERS:
            if value := getattr(row, name):
                yield name, value


def _clicks(touches: Iterable[Any]) -> Iterator[Named]:
    for touch in touches:
        for name in OF_TOUCHES:
            if value := getattr(touch, name):
                yield name.removeprefix("partner_"), value


def _devices(connection: Connection, name: str, value: str) -> int:
    device = func.coalesce(EVENT.c.idfa, EVENT.c.gaid, EVENT.c.idfv, EVENT.c.mmp_user_id)
    which = EVENT.c[name].in_(spellings(value))
    return connection.scalar(select(func.count(distinct(device))).where(which)) or 0


def _by_name(named: Iterable[Named]) -> Iterator[tuple[str, list[str]]]:
    """The values of each name in every spelling, a piece at a time."""
    values: dict[str, dict[str, None]] = {}
    for name, value in named:
        values.setdefault(name, {}).update(dict.fromkeys(spellings(value)))
    for name, spelt in values.items():
        for some in _pieces(list(spelt)):
            yield name, some


def _pieces(of: Sequence[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(of), AT_ONCE):
        yield list(of[at : at + AT_ONCE])
