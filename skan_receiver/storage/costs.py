"""What ads cost: importing it, finding it, removing it.

Networks restate: what is imported again takes the place of what was there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, text

from skan_receiver.storage.columns import table
from skan_receiver.storage.cost_cells import written
from skan_receiver.storage.money import COST_KEY, Cost
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import put

COST = table(Cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one campaign cost on one day: a row of `cost`."""

    account: str = ""
    ad_network_id: str
    app_id: int
    campaign_id: str = ""
    country: str = ""
    day: date
    zone: str
    campaign_name: str = ""
    currency: str
    micros: int
    impressions: int | None = None
    clicks: int | None = None
    installs: int | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes it one that replaces another."""
        return attrgetter(*COST_KEY)(self)

    @property
    def cost(self) -> str:
        """The amount as a decimal."""
        return written(self.micros)

    def as_dict(self) -> dict[str, Any]:
        """As files and the API have it: the amount as a decimal."""
        said = asdict(self)
        return {**said, "cost": written(said.pop("micros"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which costs; None and nothing do not narrow."""

    account: str | None = None
    ad_network_id: str | None = None
    app_id: int | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """One for each that narrows."""
        for name in ("account", "app_id"):
            if (value := getattr(self, name)) is not None:
                yield COST.c[name] == value
        if self.ad_network_id is not None:
            yield COST.c.ad_network_id == self.ad_network_id.lower()
        if self.first is not None:
            yield COST.c.day >= self.first
        if self.last is not None:
            yield COST.c.day <= self.last


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import does to the table, or would do."""

    added: tuple[Spent, ...]
    changed: tuple[Spent, ...]
    removed: tuple[Spent, ...]
    unchanged: tuple[Spent, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {each.name: len(getattr(self, each.name)) for each in fields(self)}


def import_costs(store: Store, rows: Sequence[Spent], *, replace: bool) -> Changes:
    """Add rows, in place of those with the same key: all of them, or none.

    With `replace`, of the accounts, networks and days they name there are no other rows then.
    Of rows with one key there may be only one: `repeated` finds others.
    """

    def work(connection: Connection) -> Changes:
        if connection.dialect.name == "postgresql":
            # Nobody else imports meanwhile: what is compared with is what is replaced.
            connection.execute(text("LOCK TABLE cost IN SHARE ROW EXCLUSIVE MODE"))
        done = changes(connection, rows, replace=replace)
        for row in done.removed:
            connection.execute(delete(COST).where(*_of_key(row)))
        new = sorted(map(asdict, (*done.added, *done.changed)), key=itemgetter(*COST_KEY))
        put(connection, COST, new, COST_KEY)
        return done

    return store.write(work)


def changes(connection: Connection, rows: Sequence[Spent], *, replace: bool) -> Changes:
    """What `import_costs` would do."""
    wanted = {row.key: row for row in rows}
    held = {row.key: row for row in _beside(connection, rows)}
    named = {_whole(row) for row in rows} if replace else set()
    return Changes(
        added=tuple(row for key, row in wanted.items() if key not in held),
        changed=tuple(row for key, row in wanted.items() if key in held and held[key] != row),
        removed=tuple(
            row for key, row in held.items() if key not in wanted and _whole(row) in named
        ),
        unchanged=tuple(row for key, row in wanted.items() if held.get(key) == row),
    )


def repeated(rows: Sequence[Spent]) -> Iterator[tuple[int, int]]:
    """Rows, by their places, that have the key of an earlier one; the earlier one first."""
    places: dict[tuple[Any, ...], int] = {}
    for place, row in enumerate(rows):
        if (earlier := places.setdefault(row.key, place)) != place:
            yield earlier, place


def find(connection: Connection, which: Which, *, after: int = 0, limit: int) -> Sequence[Row[Any]]:
    """Rows by number, as they came in, from the one that follows `after` on."""
    found = select(COST).where(COST.c.id > after, *which.conditions())
    return connection.execute(found.order_by(COST.c.id).limit(limit)).all()


def costs(connection: Connection, which: Which) -> list[Spent]:
    """All of them, by day."""
    return _read(connection, *which.conditions())


def remove_costs(store: Store, which: Which) -> int:
    """Remove them; how many there were."""
    gone = delete(COST).where(*which.conditions())
    return store.write(lambda connection: connection.execute(gone).rowcount)


def _beside(connection: Connection, rows: Sequence[Spent]) -> list[Spent]:
    """What the table has of the networks and days that rows name."""
    if not rows:
        return []
    days = [row.day for row in rows]
    which = Which(first=min(days), last=max(days))
    networks = {row.ad_network_id for row in rows}
    return _read(connection, *which.conditions(), COST.c.ad_network_id.in_(sorted(networks)))


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[Spent]:
    order = (COST.c.day, *(COST.c[name] for name in COST_KEY if name != "day"))
    rows = connection.execute(select(COST).where(*conditions).order_by(*order))
    return [spent_of(row) for row in rows]


def _whole(row: Spent) -> tuple[str, str, date]:
    """Of what a file is taken to be all, where it is to replace."""
    return row.account, row.ad_network_id, row.day


def _of_key(row: Spent) -> Iterator[ColumnElement[bool]]:
    return (COST.c[name] == getattr(row, name) for name in COST_KEY)


def spent_of(row: Row[Any]) -> Spent:
    """A row without its number."""
    return Spent(**{field.name: getattr(row, field.name) for field in fields(Spent)})
