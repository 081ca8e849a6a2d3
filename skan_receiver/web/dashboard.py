"""What the first page shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, type_coerce

from skan_receiver.config import Settings
from skan_receiver.protocol import Verdict
from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.reports.values import null_rates
from skan_receiver.storage import Delivery, Quarantined, search
from skan_receiver.storage.alerts import open_alerts
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.storage.search import Query
from skan_receiver.web.access import Limits
from skan_receiver.web.charts import bars, grid, line
from skan_receiver.web.steps import Step as SetUp

DELIVERY, QUARANTINE = table(Delivery), table(Quarantined)

LATEST = 10
# Of how many deliveries the health is told: enough to see what is wrong, and no more to count
# when there are a hundred million.
RECENT = 100_000

# How far back, and how finely: name -> (days, dimension).
SPANS = {"day": (1, "hour"), "week": (7, "day"), "month": (30, "day"), "year": (365, "day")}
USUAL = "month"
# Where a schema changed, hours are read one by one: of a year that can be a second's work.
LONG = {"year"}

COARSE = ("low", "medium", "high")

Rows = Sequence[Mapping[str, Any]]


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
    oldest: datetime | None  # of those that wait; since when it is owed


@dataclass(frozen=True, slots=True)
class Values:
    """The first windows' values in the span: fine ones, coarse ones, and how often none came."""

    fine: Counter[int]
    coarse: Counter[str]
    absent: int

    @property
    def postbacks(self) -> int:
        """How many could carry one."""
        return self.fine.total() + self.coarse.total() + self.absent

    @property
    def null_rate(self) -> float | None:
        """The share that carried none."""
        return self.absent / self.postbacks if self.postbacks else None


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
    values: Values
    values_chart: dict[str, Any]
    before: float | None  # the null rate of as long a span before
    nulls: Sequence[tuple[str, float]]
    nulls_chart: dict[str, Any]
    revenue: Rows | None  # None: it takes a moment, and is fetched once the page is there
    latest: Sequence[Row[Any]]
    deliveries: Sequence[Destination]
    quarantined: int
    copies_only: bool  # nothing but developer copies came
    alerts: Sequence[Row[Any]]
    steps_left: Sequence[SetUp] = ()


def look(
    connection: Connection,
    settings: Settings,
    span: str,
    now: datetime,
    limits: Limits = (None, None),
) -> View:
    """Read it all, from counts where there are counts; of what `limits` let be seen."""
    span = span if span in SPANS else USUAL
    days, by = SPANS[span]
    period = _period(days, by, now)
    apps, networks = limits
    filters = Filters(app_id=apps, ad_network_id=networks)
    asked = Question(period=period, by=(by, "verdict"), filters=filters)
    rows = REPORTS["volumes"].table(connection, asked)
    latest, _ = search.find(connection, settings, Query(apps=apps, networks=networks), limit=LATEST)
    whole = limits == (None, None)
    quarantined = _some(connection, QUARANTINE) if whole else 0
    steps = _steps(period, by, rows)
    verdicts = [v.value for v in Verdict if any(step.counts[v.value] for step in steps)]
    first = Filters(app_id=apps, ad_network_id=networks, window=0)
    values = _values(connection, Question(period=period, filters=first))
    width = period.end - period.start
    earlier = Period(period.start - width, period.start)
    nulls = _nulls(connection, Question(period=period, by=(by,), filters=first))
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
        values=values,
        values_chart=grid(values.fine),
        before=null_rates(connection, Question(period=earlier, filters=first)).get(()),
        nulls=nulls,
        nulls_chart=line([step.at for step in steps], nulls),
        revenue=None if span in LONG else revenue(connection, span, now, limits),
        latest=latest,
        deliveries=_deliveries(connection) if whole else (),
        quarantined=quarantined,
        copies_only=_copies_only(latest),
        alerts=open_alerts(connection) if whole else (),
    )


def _some(connection: Connection, of: Any) -> int:
    return connection.scalar(select(func.count()).select_from(of)) or 0


def _copies_only(latest: Sequence[Row[Any]]) -> bool:
    return bool(latest) and all(row.endpoint == "developer" for row in latest)


def _values(connection: Connection, question: Question) -> Values:
    fine: Counter[int] = Counter()
    coarse: Counter[str] = Counter()
    absent = 0
    for row in REPORTS["values"].table(connection, question):
        if row["fine_value"] is not None:
            fine[row["fine_value"]] += row["postbacks"]
        elif row["coarse_value"] is not None:
            coarse[row["coarse_value"]] += row["postbacks"]
        else:
            absent += row["postbacks"]
    return Values(fine, coarse, absent)


def _nulls(connection: Connection, question: Question) -> list[tuple[str, float]]:
    """The null rate of each hour or day that had postbacks."""
    return sorted((_name(at), rate) for (at,), rate in null_rates(connection, question).items())


def revenue(connection: Connection, span: str, now: datetime, limits: Limits) -> Rows:
    """A row for each currency: what the values state, and the estimate where there is one."""
    days, by = SPANS[span]
    if by == "hour":
        return ()
    apps, networks = limits
    filters, period = Filters(app_id=apps, ad_network_id=networks), _period(days, by, now)
    rows = REPORTS["revenue"].table(connection, Question(period=period, filters=filters))
    return [row for row in rows if row["currency"] is not None]


def _period(days: int, by: str, now: datetime) -> Period:
    """Whole days, the last one being today; or the last 24 hours."""
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if by == "hour":
        return Period(hour - timedelta(days=days), hour)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Period(midnight - timedelta(days=days), midnight)


def _steps(period: Period, by: str, rows: Rows) -> list[Step]:
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
    name, state, created = DELIVERY.c.destination, DELIVERY.c.state, DELIVERY.c.created_at
    lately = select(name, state, func.count(), type_coerce(func.min(created), created.type))
    found = connection.execute(
        lately.where(DELIVERY.c.id > newest - RECENT).group_by(name, state).order_by(name)
    )
    states: dict[str, dict[str, tuple[int, datetime]]] = {}
    for destination, of, n, oldest in found:
        states.setdefault(destination, {})[of] = n, oldest
    return [_destination(name, of) for name, of in states.items()]


def _destination(name: str, of: Mapping[str, tuple[int, datetime]]) -> Destination:
    done, owed, leased, dead = (of.get(state, (0, None)) for state in (DONE, OWED, LEASED, DEAD))
    waiting = [since for _, since in (owed, leased) if since]
    oldest = min(waiting, default=None)
    return Destination(name, done[0], owed[0] + leased[0], dead[0], oldest)
