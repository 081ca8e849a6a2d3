"""Publishing schemas: the one way a version comes to be, and its history."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, text

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.conversion.force import ALWAYS, Effect, in_order
from skan_receiver.conversion.timing import SOONEST
from skan_receiver.errors import SkanError
from skan_receiver.storage.columns import table
from skan_receiver.storage.store import Store
from skan_receiver.storage.versions import SchemaVersion

VERSION = table(SchemaVersion)

OWN = "own"


class Unpublishable(SkanError):
    """A schema without mistakes that still cannot be published so; the message has the remedy."""


class Outdated(Unpublishable):
    """Somebody published since the version that this was made from."""

    def __init__(self, newest: "Version") -> None:
        super().__init__(
            f"version {newest.number} was published meanwhile, by {newest.author or 'nobody named'}"
        )
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an app's schema: a row of `schema_version`."""

    app_id: int
    number: int
    content_hash: str
    text: str
    author: str
    note: str
    encoder: str
    effective_from: datetime
    rollout_hours: int
    published_at: datetime
    source: str

    @property
    def effect(self) -> Effect:
        return Effect(self.number, self.effective_from, timedelta(hours=self.rollout_hours))

    @property
    def since(self) -> datetime | None:
        """From when on; None where that is the beginning."""
        return None if self.effective_from == ALWAYS else self.effective_from

    @property
    def is_mirror(self) -> bool:
        """Whether somebody else's SDK sets the values, whatever is published here."""
        return self.encoder != OWN


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published: a schema, and from when on it is in force.

    `effective_from` None: from now on; for an app's first version: from the beginning, since
    nothing else is known of what came before.
    """

    text: str
    effective_from: datetime | None = None
    rollout_hours: int = 0
    author: str = ""
    note: str = ""
    source: str = "cli"
    # The newest version that the author knew of; 0: none. None: whichever there is.
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """The version that stands, whether it is new, and the next one that is to take over."""

    version: Version
    is_new: bool
    next: Version | None


def publish(
    store: Store, wanted: Publication, now: datetime, *, back_dated: bool = False
) -> Published:
    """Make `wanted` a version. What the newest version says already is not published again,
    unless with a date of its own.

    Raises SchemaError where the schema has mistakes, Outdated where somebody else published since
    `wanted.base`, and Unpublishable where the version would change what has arrived already, unless
    `back_dated`: `redecode` first tells what changes.
    """
    schema = read(wanted.text)

    def work(connection: Connection) -> Published:
        hold(connection)
        return add(connection, schema, wanted, now, back_dated=back_dated)

    return store.write(work)


def roll_back(
    store: Store, app_id: int, number: int, wanted: Publication, now: datetime
) -> Published:
    """Publish what version `number` says again, under a new number, with all else as `wanted`."""
    with store.read() as connection:
        earlier = find(history(connection, app_id), app_id, number)
    note = wanted.note or f"roll-back to version {number}"
    return publish(store, replace(wanted, text=earlier.text, note=note), now)


def read(written: str) -> Schema:
    """A schema from its text; SchemaError with its mistakes."""
    # A text of one line would be taken for the path of a file.
    return load_schema(written if "\n" in written else f"{written}\n")


def history(connection: Connection, app_id: int | None = None) -> list[Version]:
    """Every version of an app, or of all apps, by number."""
    wanted = select(VERSION).order_by(VERSION.c.app_id, VERSION.c.number)
    if app_id is not None:
        wanted = wanted.where(VERSION.c.app_id == app_id)
    return [Version(**row._mapping) for row in connection.execute(wanted)]


def find(versions: Sequence[Version], app_id: int, number: int) -> Version:
    """The version with this number; Unpublishable where there is none."""
    for version in versions:
        if (version.app_id, version.number) == (app_id, number):
            return version
    raise Unpublishable(f"app {app_id} has no version {number}: see `schemas list`")


def hold(connection: Connection) -> None:
    """Let nobody else publish until the transaction ends; on SQLite nobody else can write."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE"))


def add(
    connection: Connection,
    schema: Schema,
    wanted: Publication,
    now: datetime,
    *,
    back_dated: bool = False,
) -> Published:
    """`publish`, within a transaction that holds still."""
    versions = history(connection, schema.app_id)
    if wanted.base is not None and versions and versions[-1].number != wanted.base:
        raise Outdated(versions[-1])
    last = last_of(versions)
    if last and last.content_hash == schema.hash and wanted.effective_from is None:
        return Published(last, is_new=False, next=None)
    version = drafted(schema, wanted, versions, now)
    if versions and version.effective_from < now - SOONEST and not back_dated:
        raise Unpublishable(
            f"from {version.effective_from:%Y-%m-%d %H:%M} on it would change what postbacks mean "
            "that have arrived: `redecode` tells which, and publishes it"
        )
    connection.execute(VERSION.insert(), asdict(version))
    later = [other for other in versions if other.effective_from > version.effective_from]
    return Published(version, is_new=True, next=min(later, key=_start, default=None))


def drafted(
    schema: Schema, wanted: Publication, versions: Sequence[Version], now: datetime
) -> Version:
    """`wanted` as the next version of an app with these `versions`."""
    return Version(
        app_id=schema.app_id,
        number=max((version.number for version in versions), default=0) + 1,
        content_hash=schema.hash,
        text=wanted.text,
        author=wanted.author,
        note=wanted.note,
        encoder=schema.encoder,
        effective_from=wanted.effective_from or (now if versions else ALWAYS),
        rollout_hours=wanted.rollout_hours,
        published_at=now,
        source=wanted.source,
    )


def last_of(versions: Sequence[Version]) -> Version | None:
    """The version that is in force once all roll-outs have ended."""
    ordered = in_order(version.effect for version in versions)
    return find(versions, versions[0].app_id, ordered[-1].number) if ordered else None


def _start(version: Version) -> datetime:
    return version.effective_from


def states(versions: Sequence[Version], now: datetime) -> dict[tuple[int, int], str]:
    """How each version stands, by app and number: past, in force, rolling out, to come, or
    corrected where another has taken its place."""
    states = {(one.app_id, one.number): "corrected" for one in versions}
    for app_id in {one.app_id for one in versions}:
        newer = False
        for effect in reversed(in_order(v.effect for v in versions if v.app_id == app_id)):
            reached = effect.reach(now)
            state = "past" if newer else "in force" if reached == 1 else "rolling out"
            states[app_id, effect.number] = state if now >= effect.effective_from else "to come"
            newer = newer or reached == 1
    return states


def current(versions: Sequence[Version], now: datetime) -> Version | None:
    """Of one app's versions the one that a device takes up now; None before the first."""
    begun = [version for version in versions if version.effective_from <= now]
    return max(begun, key=lambda v: (v.effective_from, v.number), default=None)
