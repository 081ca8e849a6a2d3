"""Changes to counts, added up and then written to every grain at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    Table,
    bindparam,
    cast,
    delete,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from skan_receiver.config import Settings
from skan_receiver.storage.columns import table
from skan_receiver.storage.counts import (
    ABSENT,
    GRAINS,
    MEMBERS,
    NOTHING,
    Cell,
    CountCell,
    cell_key,
    valueless,
)
from skan_receiver.storage.many import among, listed
from skan_receiver.storage.postbacks import StoredPostback
from skan_receiver.storage.predicate import qualifies
from skan_receiver.storage.upsert import add_rows, insert_new

POSTBACK, CELL = table(StoredPostback), table(CountCell)

# What a tally reads of a row of `postback`, in this order, and where. The values that nobody
# signs come with the change.
SIGNED = tuple(name for name in MEMBERS if name not in ("fine_value", "coarse_value"))
SOURCE = ("source_identifier", "source_app_id", "source_domain")
READ = (*SIGNED, "hour", *SOURCE)
_SIGNED, _HOUR, _SOURCE = slice(len(SIGNED)), len(SIGNED), slice(len(SIGNED) + 1, len(READ))

UNSIGNED = ("fine_value", "coarse_value", "country")

REMEMBERED = 1 << 16  # cells, of some 500 bytes each

Sums = defaultdict[tuple[Any, ...], int]


def counted_columns(dialect: str, settings: Settings) -> list[ColumnElement[Any]]:
    """READ, of `postback`; as the driver has it, since to make anything of each row costs more
    than all the rest."""
    received, campaign = POSTBACK.c.received_at, cast(POSTBACK.c.campaign_id, String)
    on_postgresql = dialect == "postgresql"
    columns: dict[str, ColumnElement[Any]] = {
        **{name: POSTBACK.c[name] for name in SIGNED if name != "counted"},
        "counted": qualifies(settings),
        # Such as "2026-11-23 12". The connection's time zone is UTC on PostgreSQL.
        "hour": func.to_char(received, "YYYY-MM-DD HH24")
        if on_postgresql
        else func.substr(received, 1, len("2026-11-23 12")),
        "source_identifier": func.coalesce(POSTBACK.c.source_identifier, campaign, NOTHING),
        "source_app_id": func.coalesce(POSTBACK.c.source_app_id, ABSENT),
        "source_domain": func.coalesce(POSTBACK.c.source_domain, NOTHING),
    }
    return [type_coerce(columns[name], NullType()).label(name) for name in READ]


class _Counted(NamedTuple):
    """The keys of a cell, and of the one that stands for it where values are of no interest."""

    key: str
    standing: str


class Tally:
    """Sums of changes. Made for one transaction."""

    def __init__(self) -> None:
        self._cells: dict[_Counted, tuple[Any, ...]] = {}  # with what was read
        self._hours: Sums = defaultdict(int)
        self._places: Sums = defaultdict(int)

    def add(self, row: Row[Any], values: tuple[Any, ...], delta: int) -> None:
        """Add `delta` of a row that begins with `counted_columns`, with the UNSIGNED `values`."""
        fine, coarse, country = values
        raw = (*row[_SIGNED], fine, coarse)
        cell, hour = _counted(raw), row[_HOUR]
        self._cells[cell] = raw
        self._hours[hour, cell] += delta
        self._places[(hour[: len("2026-11-23")], cell, *row[_SOURCE], country or NOTHING)] += delta

    def write(self, connection: Connection) -> None:
        """Add the sums to the counts; rows that come to nothing go."""
        ids = _numbered(connection, self._cells)
        for grain, rows in zip(GRAINS, self._rows(ids), strict=True):
            _write(connection, grain, rows)

    def _rows(self, ids: Mapping[str, int]) -> Iterable[Iterable[tuple[Any, ...]]]:
        """Those of each grain."""
        hours, days, months, volumes = [], Sums(int), Sums(int), Sums(int)
        for (hour, cell), n in self._hours.items():
            day, own = hour[: len("2026-11-23")], ids[cell.key]
            hours.append((f"{hour}:00:00.000000", own, n))
            days[day, own] += n
            months[f"{day[:-3]}-01", own] += n
            volumes[day, ids[cell.standing]] += n
        yield hours
        for sums in (days, months, volumes):
            yield [(*key, n) for key, n in sums.items()]
        yield [(day, ids[cell.key], *place, n) for (day, cell, *place), n in self._places.items()]


def forget(connection: Connection, verdicts: Sequence[str]) -> None:
    """Count none of these verdicts any more."""
    theirs = select(CELL.c.id).where(CELL.c.verdict.in_(verdicts))
    for grain in GRAINS:
        connection.execute(delete(grain).where(grain.c.cell.in_(theirs)))


@lru_cache(REMEMBERED)
def _counted(raw: tuple[Any, ...]) -> _Counted:
    cell = _kept(*raw)
    return _Counted(cell_key(cell), cell_key(valueless(cell)))


def _kept(*raw: Any) -> Cell:
    """A cell's members as they are kept, from those of a row."""
    app_id, network, framework, version, window, verdict, counted, kind, won, fine, coarse = raw
    return (
        *(app_id, network.lower(), framework, version, window, verdict, bool(counted)),
        *(kind or NOTHING, bool(won), ABSENT if fine is None else fine, coarse or NOTHING),
    )


def _numbered(connection: Connection, cells: Mapping[_Counted, tuple[Any, ...]]) -> dict[str, int]:
    """The ids of cells by their keys, and of those that stand for them; new ones get one.

    Looked up each time: what a process remembers of a database may have been rolled back, or the
    database restored.
    """
    keys = {key for counted in cells for key in counted}
    known = _known(connection, keys)
    if len(known) < len(keys):
        new = {
            key: cell
            for counted, raw in cells.items()
            if not known.keys() >= {*counted}
            for key, cell in zip(counted, _with_standing(_kept(*raw)), strict=True)
            if key not in known
        }
        # In the order of their keys, so that two workers never wait in a circle.
        rows = [{"key": key, **dict(zip(MEMBERS, new[key], strict=True))} for key in sorted(new)]
        insert_new(connection, CELL, rows)
        known |= _known(connection, new)
    return known


def _with_standing(cell: Cell) -> tuple[Cell, Cell]:
    return cell, valueless(cell)


def _known(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    statement = _by_keys(connection.dialect.name)
    found: Any = connection.execute(statement, {"keys": listed(connection, keys)}).all()
    return dict(found)


@cache
def _by_keys(dialect: str) -> Select[Any]:
    return select(CELL.c.key, CELL.c.id).where(among(dialect, CELL.c.key, "keys"))


def _write(connection: Connection, grain: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    # In the order of their keys, too.
    changed = sorted(row for row in rows if row[-1])
    add_rows(connection, grain, changed)
    if less := [row for row in changed if row[-1] < 0]:
        names = [f"at_{column.name}" for column in grain.primary_key]
        mine = (column == bindparam(f"at_{column.name}") for column in grain.primary_key)
        connection.execute(
            delete(grain).where(*mine, grain.c.n == 0),
            [dict(zip(names, (_time(row[0]), *row[1:-1]), strict=True)) for row in less],
        )


def _time(written: str) -> date:
    if len(written) == len("2026-11-23"):
        return date.fromisoformat(written)
    return datetime.fromisoformat(written).replace(tzinfo=UTC)
