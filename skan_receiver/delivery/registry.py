"""Destinations as rows: every worker, on every machine, sees the same ones at the same moment.

A destination is owed what comes after its start, and misses none of it: who changes a destination
waits until nobody settles, so whatever is settled afterwards is settled by the new definition.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, select, text, update

from skan_receiver.delivery.destinations import ANY_KIND, Destination
from skan_receiver.errors import ConfigurationError, SkanError
from skan_receiver.storage import Delivery, Secret, Store, StoredDestination
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, LEASED, OWED

DESTINATION, SECRET, DELIVERY = table(StoredDestination), table(Secret), table(Delivery)

# Any number, the same for all of us: shared by who settles, alone for who changes a destination.
ADVISORY_LOCK = 7355609


class UnknownDestination(SkanError):
    """There is no destination of this name."""


class Changed(SkanError):
    """Somebody else changed the destination, or made one of this name, meanwhile."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A destination as it is stored."""

    destination: Destination
    revision: int
    since: datetime
    created_at: datetime
    changed_at: datetime
    paused: bool
    paused_because: str  # empty where a person paused it
    failing_since: datetime | None
    open_until: datetime | None  # the breaker: one probe then, and nothing before

    @property
    def name(self) -> str:
        return self.destination.name

    @property
    def state(self) -> str:
        """In a few words."""
        if self.paused:
            return f"paused: {self.paused_because}" if self.paused_because else "paused"
        if self.open_until is not None:
            return f"failing: the next try is at {self.open_until:%H:%M:%S} UTC"
        return "failing" if self.failing_since is not None else "active"

    def owes(self, row: Row[Any], at: datetime) -> bool:
        """Whether a row of `postback` that came `at` is owed to it."""
        return at >= self.since and self.destination.wants(row)


def entries(connection: Connection) -> tuple[Entry, ...]:
    """Every destination, by name."""
    return tuple(map(_entry, connection.execute(select(DESTINATION).order_by(DESTINATION.c.name))))


def readable(connection: Connection) -> tuple[tuple[Entry, ...], dict[str, str]]:
    """As `entries`, without those that this release cannot read: of each of these the reason.

    They keep no other destination waiting. Who settles must not do without them.
    """
    found, unreadable = [], {}
    for row in connection.execute(select(DESTINATION).order_by(DESTINATION.c.name)):
        try:
            found.append(_entry(row))
        except ConfigurationError as error:
            unreadable[row.name] = str(error)
    return tuple(found), unreadable


def settling(connection: Connection) -> tuple[Entry, ...]:
    """As `entries`, and they stay so until the transaction ends.

    On SQLite nobody else can write meanwhile.
    """
    hold_still(connection)
    return entries(connection)


def hold_still(connection: Connection) -> None:
    """Let nobody change a destination until the transaction ends; others may hold it still too."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock_shared({ADVISORY_LOCK})"))


def find(connection: Connection, name: str) -> Entry:
    """The destination of this name; UnknownDestination where there is none."""
    return _entry(known(connection, name))


def known(connection: Connection, name: str) -> Row[Any]:
    """Its row, whether or not this release can read what it says: it can be mended, or removed."""
    row = connection.execute(select(DESTINATION).where(DESTINATION.c.name == name)).first()
    if row is None:
        raise UnknownDestination(f"there is no destination {name!r}: see `destinations list`")
    return row


def add(store: Store, destination: Destination, *, paused: bool = False) -> Entry:
    """A new destination, owed what comes from now on; Changed where the name is taken."""

    def work(connection: Connection) -> Entry:
        changing(connection)
        if _known(connection, [destination.name]):
            raise Changed(f"there is a destination {destination.name!r} already")
        _insert(connection, destination, paused=paused)
        return find(connection, destination.name)

    return store.write(work)


def change(store: Store, destination: Destination, *, revision: int | None = None) -> Entry:
    """Another definition under the same name, from now on; what is owed already stays owed.

    Where the caller names the `revision` it looked at, and it is no longer that: Changed.
    A breaker that was open, or a pause that was ours, ends: the reason may be gone.
    """

    def work(connection: Connection) -> Entry:
        changing(connection)
        before = known(connection, destination.name)
        if revision not in (None, before.revision):
            raise Changed(f"{destination.name!r} was changed meanwhile: look again")
        _update(connection, destination, before)
        return find(connection, destination.name)

    return store.write(work)


def put(store: Store, wanted: Iterable[tuple[Destination, bool | None]]) -> list[Entry]:
    """Add those that are new, change those that differ, in one transaction; each with whether it
    is to be paused (None: as it is). What is not mentioned stays as it is."""
    wanted = list(wanted)

    def work(connection: Connection) -> list[Entry]:
        changing(connection)
        there = _known(connection, [one.name for one, _ in wanted])
        for destination, paused in wanted:
            if destination.name not in there:
                _insert(connection, destination, paused=bool(paused))
                continue
            before = known(connection, destination.name)
            if before.definition != written(destination):
                _update(connection, destination, before)
            if paused is not None and (paused or before.paused):
                healthy = {"paused_because": ""} if paused else HEALTHY
                _set(connection, destination.name, paused=paused, **healthy)
        return [find(connection, one.name) for one, _ in wanted]

    return store.write(work)


def pause(store: Store, name: str, because: str = "") -> None:
    """Send it nothing more for now; it is owed all the same, and its rows wait."""
    store.write(lambda connection: _set(connection, name, paused=True, paused_because=because))


def resume(store: Store, name: str) -> None:
    """Go on, with what has waited first."""
    store.write(lambda connection: _set(connection, name, paused=False, **HEALTHY))


def remove(store: Store, name: str) -> int:
    """Forget a destination and its secrets. How many deliveries were still owed to it: they are
    dead letters now, on record like the others."""

    def work(connection: Connection) -> int:
        changing(connection)
        known(connection, name)
        connection.execute(delete(DESTINATION).where(DESTINATION.c.name == name))
        connection.execute(delete(SECRET).where(SECRET.c.destination == name))
        given_up = (
            update(DELIVERY)
            .where(DELIVERY.c.destination == name, DELIVERY.c.state.in_((OWED, LEASED)))
            .values(state=DEAD, claim_id=None, settled_at=clock(connection), sealed_ip=None)
        )
        return connection.execute(given_up).rowcount

    return store.write(work)


HEALTHY: dict[str, Any] = {
    "paused_because": "",
    "failing_since": None,
    "open_until": None,
    "probes": 0,
}


def changing(connection: Connection) -> None:
    """Wait until nobody settles, and let nobody settle or change one until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))


def _known(connection: Connection, names: Sequence[str]) -> set[str]:
    return set(connection.scalars(select(DESTINATION.c.name).where(DESTINATION.c.name.in_(names))))


def _insert(connection: Connection, destination: Destination, *, paused: bool) -> None:
    now = clock(connection)
    row = {
        "name": destination.name,
        "kind": destination.kind,
        "definition": written(destination),
        "revision": 1,
        **dict.fromkeys(("since", "created_at", "changed_at"), now),
        **HEALTHY,
        "paused": paused,
    }
    connection.execute(DESTINATION.insert(), row)


def _update(connection: Connection, destination: Destination, before: Row[Any]) -> None:
    if _whose(before.definition) != _whose(written(destination)):
        raise Changed(f"{destination.name!r} is of another kind, partner or vendor: give this one "
                      "another name, or what is owed to the one goes to the other")  # fmt: skip
    # A person's pause is a person's to end; ours was about the definition that is no more.
    paused = before.paused and not before.paused_because
    values = {
        "definition": written(destination),
        "revision": before.revision + 1,
        "changed_at": clock(connection),
        **HEALTHY,
        "paused": paused,
    }
    _set(connection, destination.name, **values)


def _set(connection: Connection, name: str, **values: Any) -> None:
    changed = update(DESTINATION).where(DESTINATION.c.name == name).values(**values)
    if not connection.execute(changed).rowcount:
        raise UnknownDestination(f"there is no destination {name!r}: see `destinations list`")


def _whose(definition: str) -> tuple[str | None, ...]:
    """Who gets what is owed, and by whose rules."""
    said = json.loads(definition)
    return tuple(said.get(name) for name in ("kind", "partner", "vendor"))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        destination=read(row.definition),
        revision=row.revision,
        since=row.since,
        created_at=row.created_at,
        changed_at=row.changed_at,
        paused=row.paused,
        paused_because=row.paused_because,
        failing_since=row.failing_since,
        open_until=row.open_until,
    )


def written(destination: Destination) -> str:
    """A definition as it is stored: what was said, and no defaults that may change."""
    return json.dumps(destination.model_dump(mode="json", exclude_defaults=True) | {
        "name": destination.name, "kind": destination.kind})  # fmt: skip


@lru_cache(maxsize=1024)
def read(definition: str) -> Destination:
    """A definition from the store, checked as when it was saved: a template that was good then
    may not be for this release, and a row may have been written by other hands."""
    try:
        return ANY_KIND.validate_json(definition)
    except ValidationError as error:
        # What was written may hold a key, and errors are logged.
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        said = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise ConfigurationError(f"a stored destination cannot be read: {said}") from None
