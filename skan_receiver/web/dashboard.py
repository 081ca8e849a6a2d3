"""What the first page shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from skan_receiver.config import Settings
from skan_receiver.protocol import Verdict
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.storage import Delivery, Quarantined, StoredPostback, search
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.storage.search import Query
from skan_receiver.web.charts import bars

POSTBACK, DELIVERY, QUARANTINE = table(StoredPostback), table(Delivery), table(Quarantined)

LATEST = 10
# Of how many deliveries the health is told: enough to see what is wrong, and no more to count
# when there are a hundred million.
RECENT = 100_000

# How far back, and how finely: name -> (days, dimension).
SPANS = {"day": (1, "hour"), "week": (7, "day"), "month": (30, "day"), "year": (365, "day")}
USUAL = "month"


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the chart: a time and how many came by verdict."""

    at: str
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class Destination:
    """How the latest deliveries to one destination stand."""

    name: str
    done: int
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the page."""

    any: bool
    span: str
    spans: Sequence[str]
    by: str
    verdicts: Sequence[str]  # those that occur, in the order of Verdict
    steps: Sequence[Step]
    chart: dict[str, Any]
    postbacks: int
    counted: int
    installs: int
    latest: Sequence[Row[Any]]
    deliveries: Sequence[Destination]
    quarantined: int


def look(connection: Connection, settings: Settings, span: str, now: datetime) -> View:
    """Read it all, from counts where there are counts."""
    span = span if span in SPANS else USUAL
    days, by = SPANS[span]
    period = _period(days, by, now)
    rows = REPORTS["volumes"].table(connection, Question(period=period, by=(by, "verdict")))
    latest, _ = search.find(connection, settings, Query(), limit=LATEST)
    quarantined = connection.scalar(select(func.count()).select_from(QUARANTINE)) or 0
    steps = _steps(period, by, rows)
    verdicts = [v.value for v in Verdict if any(step.counts[v.value] for step in steps)]
    return View(
        any=bool(latest or quarantined),
        span=span,
        spans=tuple(SPANS),
        by=by,
        verdicts=verdicts,
        steps=steps,
        chart=bars(steps, verdicts),
        postbacks=sum(row["postbacks"] for row in rows),
        counted=sum(row["counted"] for row in rows),
        installs=sum(row["installs"] for row in rows),
        latest=latest,
        deliveries=_deliveries(connection),
        quarantined=quarantined,
    )


def _period(days: int, by: str, now: datetime) -> Period:
    """Whole days, the last one being today; or the last 24 hours."""
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if by == "hour":
        return Period(hour - timedelta(days=days), hour)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Period(midnight - timedelta(days=days), midnight)


def _steps(period: Period, by: str, rows: Sequence[dict[str, Any]]) -> list[Step]:
    """A step for each hour or day, also where nothing came: a gap is news."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(_name(row[by]), Counter())[row["verdict"]] += row["postbacks"]
    width = timedelta(hours=1) if by == "hour" else timedelta(days=1)
    names = []
    at = period.start
    while at < period.end:
        names.append(_name(at if by == "hour" else at.date()))
        at += width
    return [Step(name, counts.get(name, Counter())) for name in names]


def _name(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"


def _deliveries(connection: Connection) -> list[Destination]:
    newest = connection.scalar(select(func.max(DELIVERY.c.id))) or 0
    found = connection.execute(
        select(DELIVERY.c.destination, DELIVERY.c.state, func.count())
        .where(DELIVERY.c.id > newest - RECENT)
        .group_by(DELIVERY.c.destination, DELIVERY.c.state)
        .order_by(DELIVERY.c.destination)
    )
    states: dict[str, Counter[str]] = {}
    for name, state, n in found:
        states.setdefault(name, Counter())[state] += n
    return [Destination(name, n[DONE], n[OWED] + n[LEASED], n[DEAD]) for name, n in states.items()]
