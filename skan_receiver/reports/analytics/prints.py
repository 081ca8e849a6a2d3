"""What tells whether a partition is still what its rows are, without comparing rows.

Rows of `postback` are added and deleted, and an id is never given twice: where the number of
rows and the sum of their ids are what they were, so are the rows. Two things change in a row:

* its unsigned values, when somebody closer to Apple says them: then its endpoint's distance
  shrinks, so that the sum of distances tells (`place._take_over`);
* whether another one replaces it (`reverify`): the number of those and a sum over them tell.

`counted` depends on what is registered, too: that is a part of an export's rule.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    case,
    func,
    literal_column,
    select,
    type_coerce,
)

from skan_receiver.reports.analytics.reading import Moment
from skan_receiver.storage import Arrival
from skan_receiver.storage.columns import table
from skan_receiver.storage.predicate import POSTBACK

ARRIVAL = table(Arrival)
LATER = POSTBACK.alias("later")

# Sums of few ids could be equal by chance: those are stirred first. Below 2^63 for every id.
PRIME, STIR = 4_294_967_291, 2_000_000_011

Where = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class Print:
    """A fingerprint of some rows."""

    rows: int = 0
    ids: int = 0
    distances: int = 0
    superseded: int = 0
    superseded_ids: int = 0

    def __add__(self, other: "Print") -> "Print":
        return Print(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def of_rows(rows: pa.Table) -> Print:
    """Of rows that were read."""
    endpoint = rows["endpoint"]
    import_ = pc.sum(pc.equal(endpoint, "import")).as_py() or 0
    forwarded = pc.sum(pc.starts_with(endpoint, "forwarded:")).as_py() or 0
    superseded = rows["id"].filter(rows["superseded"]).to_pylist()
    return Print(
        rows.num_rows,
        pc.sum(rows["id"]).as_py() or 0,
        2 * import_ + forwarded,
        len(superseded),
        sum(id_ % PRIME * STIR % PRIME for id_ in superseded),
    )


_DISTANCE = case(
    (POSTBACK.c.endpoint == "import", 2),
    (func.substr(POSTBACK.c.endpoint, 1, 10) == "forwarded:", 1),
    else_=0,
)
_ID = type_coerce(POSTBACK.c.id, BigInteger)
_STIRRED = _ID % PRIME * STIR % PRIME


def of_apps(moment: Moment, where: Where) -> dict[int, Print]:
    """Of each app's rows in the store."""
    app = POSTBACK.c.app_id
    sums = func.count(), func.sum(_ID), func.sum(_DISTANCE)
    found = {
        row[0]: Print(*map(int, row[1:]))
        for row in moment.rows(select(app, *sums).where(*where).group_by(app))
    }
    for app_id, *replaced in _superseded(moment, where, app):
        found[app_id] += Print(0, 0, 0, *map(int, replaced))
    return found


def of_month(moment: Moment, where: Where) -> Print:
    """Of a month's rows, from an index alone: distances are left out."""
    wanted: Any = select(func.count(), func.sum(_ID)).where(*where)
    ((rows, ids),) = moment.rows(wanted)
    one: ColumnElement[Any] = literal_column("1")
    replaced = _superseded(moment, where, one)
    added = (Print(0, 0, 0, *map(int, row[1:])) for row in replaced)
    return sum(added, Print(int(rows), int(ids or 0)))


def _superseded(moment: Moment, where: Where, by: ColumnElement[Any]) -> Iterable[Any]:
    sums = func.count(), func.sum(_STIRRED)
    joined = POSTBACK.join(LATER, LATER.c.supersedes == POSTBACK.c.id)
    return moment.rows(select(by, *sums).select_from(joined).where(*where).group_by(by))


def months(moment: Moment) -> Iterator[datetime]:
    """The first moment of each month from the first postback to the last."""
    received = POSTBACK.c.received_at
    ((first, last),) = moment.rows(select(func.min(received), func.max(received)))
    if first is None:
        return
    at, upto = _month_of(first), _month_of(last)
    while at <= upto:
        yield at
        at = following(at)


def following(month: datetime) -> datetime:
    """The month after."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _month_of(moment: datetime | str) -> datetime:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment.astimezone(UTC)
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def marks(moment: Moment) -> tuple[int, int]:
    """The newest postback's number, and the newest arrival's."""
    postback, arrival = (
        moment.rows(select(func.max(numbered.c.id)))[0][0] for numbered in (POSTBACK, ARRIVAL)
    )
    return int(postback or 0), int(arrival or 0)


# On PostgreSQL a transaction may end after one that numbered its rows later.
LATE = 100_000


def taken_over(moment: Moment, since: tuple[int, int]) -> set[datetime]:
    """Months in which a postback may have other values than at these marks."""
    postback, arrival = since
    joined = ARRIVAL.join(POSTBACK, POSTBACK.c.id == ARRIVAL.c.stored_id)
    standing = (
        select(POSTBACK.c.received_at)
        .select_from(joined)
        .where(ARRIVAL.c.id > arrival - LATE, ARRIVAL.c.kind == "standing")
        # What is newer makes its month larger than it was, which tells.
        .where(POSTBACK.c.id <= postback)
        .distinct()
    )
    return {_month_of(row[0]) for row in moment.rows(standing)}
