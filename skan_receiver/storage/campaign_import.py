"""Importing campaigns: what changes is told first, then done at once or not at all."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, bindparam, delete, insert, text

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage.campaigns import CAMPAIGN, KEY, Entry, entries
from skan_receiver.storage.store import Store

OF_KEY = delete(CAMPAIGN).where(*(CAMPAIGN.c[name] == bindparam(f"its_{name}") for name in KEY))


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import does to the table, or would do."""

    added: tuple[Entry, ...]
    changed: tuple[tuple[Entry, Entry], ...]  # before and after
    removed: tuple[Entry, ...]
    unchanged: tuple[Entry, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {each.name: len(getattr(self, each.name)) for each in fields(self)}


def import_campaigns(store: Store, rows: Sequence[Entry], *, replace: bool) -> Changes:
    """Add and update `rows` by key; with `replace` the networks they name have no other rows then.

    Raises ConfigurationError, and imports nothing, where the table would contradict itself.
    """

    def work(connection: Connection) -> Changes:
        _hold(connection)
        done = changes(connection, rows, replace=replace)
        _delete(connection, [*done.removed, *(before for before, _ in done.changed)])
        _insert(connection, [*done.added, *(after for _, after in done.changed)])
        return done

    return store.write(work)


def changes(connection: Connection, rows: Sequence[Entry], *, replace: bool) -> Changes:
    """What `import_campaigns` would do, and raise."""
    wanted = {row.key: row for row in rows}
    replaced = {row.ad_network_id for row in rows} if replace else set()
    held = {row.key: row for row in entries(connection)}
    others = [row for key, row in held.items() if key not in wanted]
    kept = [row for row in others if row.ad_network_id not in replaced]
    _refuse_clashes([*kept, *rows])
    both = [(held[key], row) for key, row in wanted.items() if key in held]
    return Changes(
        added=tuple(row for key, row in wanted.items() if key not in held),
        changed=tuple((before, after) for before, after in both if before != after),
        removed=tuple(row for row in others if row.ad_network_id in replaced),
        unchanged=tuple(after for before, after in both if before == after),
    )


def clashes(rows: Sequence[Entry]) -> list[tuple[int, int]]:
    """Rows, by their places, that have one key or other names for one identifier on one day.

    Of each pair the one that starts first comes first.
    """
    places = defaultdict(list)
    for place in sorted(range(len(rows)), key=lambda place: rows[place].starts_on):
        places[rows[place].subject].append(place)
    return [pair for of_one in places.values() for pair in _among(rows, of_one)]


def _among(rows: Sequence[Entry], places: list[int]) -> Iterator[tuple[int, int]]:
    running: list[int] = []
    for other in places:
        running = [one for one in running if rows[one].last >= rows[other].starts_on]
        for one in running:
            if rows[one].key == rows[other].key or rows[one].names != rows[other].names:
                yield one, other
        running.append(other)


def _refuse_clashes(rows: Sequence[Entry]) -> None:
    if found := [_clash(rows[one], rows[other]) for one, other in clashes(rows)]:
        raise ConfigurationError("\n".join(found))


def _clash(one: Entry, other: Entry) -> str:
    if one.key == other.key:
        return f"{one}: is there twice; give it once"
    return (
        f"{other}: the row from {one.starts_on} on has other names and still runs; "
        f"end it before {other.starts_on}"
    )


def _hold(connection: Connection) -> None:
    """Let nobody else import until the transaction ends; on SQLite nobody else can write."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE campaign IN SHARE ROW EXCLUSIVE MODE"))


def _delete(connection: Connection, rows: Sequence[Entry]) -> None:
    if rows:
        of = [{f"its_{name}": getattr(row, name) for name in KEY} for row in rows]
        connection.execute(OF_KEY, of)


def _insert(connection: Connection, rows: Sequence[Entry]) -> None:
    if rows:
        connection.execute(insert(CAMPAIGN), [asdict(row) for row in rows])
