"""Of many values it is not certain which version of the schema they were set by."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from skan_receiver.alerting.proportions import percent
from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.reports.cells import total
from skan_receiver.storage import CountCell, CountHour
from skan_receiver.storage.columns import hour_of, table
from skan_receiver.storage.counts import ABSENT, NOTHING
from skan_receiver.storage.meanings import Arrived, Book
from skan_receiver.storage.schemas import Version, history

CELL, HOUR = table(CountCell), table(CountHour)

LATELY = timedelta(days=7)
# A third postback is about days 8 to 35, and comes up to six days later: what changed earlier
# than that is certain for all that comes.
REACH = timedelta(days=42)

VALUE = (
    *(CELL.c.app_id, CELL.c.version, CELL.c.window, CELL.c.conversion_type),
    *(CELL.c.fine_value, CELL.c.coarse_value, HOUR.c.hour),
)


def look(sight: Sight) -> Iterator[Finding]:
    """Each app of which the schema changed, and that has many such values."""
    versions = _changing(sight, history(sight.connection))
    if not versions:
        return
    book = Book(versions)
    uncertain: Counter[int] = Counter()
    all_: Counter[int] = Counter()
    for row in _values(sight, {version.app_id for version in versions}):
        all_[row.app_id] += row.n
        if any(not reading.certain for reading in book.read(Arrived.of_cell(row))):
            uncertain[row.app_id] += row.n
    for app_id, n in sorted(all_.items()):
        if n < sight.limits["postbacks"]:
            continue
        share = uncertain[app_id] / n
        if 100 * share > sight.limits["share"]:
            yield Finding(
                str(app_id),
                f"Of {percent(share)} of the values of app {app_id} in the last seven days "
                f"({uncertain[app_id]:,} of {n:,}) it is not certain which version of the schema "
                "they were set by; they count in parts.",
                100 * share,
            )


def _changing(sight: Sight, versions: list[Version]) -> list[Version]:
    """All versions of the apps of which one came into force lately."""
    since = sight.now - LATELY - REACH
    apps = {
        one.app_id
        for one in versions
        if one.since is not None and one.since + timedelta(hours=one.rollout_hours) >= since
    }
    return [one for one in versions if one.app_id in apps]


def _values(sight: Sight, apps: set[int]) -> Iterator[Any]:
    carried = or_(CELL.c.fine_value != ABSENT, CELL.c.coarse_value != NOTHING)
    counted = (
        select(*VALUE, total(HOUR.c.n, "n"))
        .join_from(HOUR, CELL, CELL.c.id == HOUR.c.cell)
        .where(HOUR.c.hour >= hour_of(sight.now - LATELY), CELL.c.app_id.in_(sorted(apps)))
        .where(CELL.c.counted, carried)
        .group_by(*VALUE)
    )
    yield from sight.connection.execute(counted)


AMBIGUITY = Rule(
    "ambiguity",
    "Values of two versions",
    "Of many values of the last seven days it is not certain which version of the app's schema "
    "they were set by.",
    "Expected for some weeks after a version was published. See that its effective_from is when "
    "phones got it, and publish the next one with a rollout, or less often.",
    look,
    (
        Limit("share", 10, "More than", "% of values"),
        Limit("postbacks", 100, "Of values at least", most=1_000_000),
    ),
)
