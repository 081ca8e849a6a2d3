"""What is counted, for Prometheus. Each process counts for itself; a scrape adds them up."""

from collections.abc import Iterator
from functools import cache

from prometheus_client import REGISTRY as OWN
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from skan_receiver.alerting.rules import RULES
from skan_receiver.delivery.search import tallies
from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import Fresh, Store
from skan_receiver.storage.alerts import open_by_rule
from skan_receiver.storage.columns import table

FRESH = table(Fresh)

# The contract is an answer within 150 ms at the 99th percentile: finest around it.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)

ARRIVALS = Counter(
    "skan_arrivals",
    "Bodies that arrived, by endpoint, by what became of them, and by verdict.",
    ["endpoint", "outcome", "verdict"],
)
EVENTS = Counter(
    "skan_events",
    "Installs and in-app events of users, by who told of them, and by what became of them.",
    ["provider", "outcome"],
)
TOUCHES = Counter(
    "skan_touches",
    "Clicks and views of ads: kept; passed (a bot or a prefetch, sent on and not counted); lost "
    "(sent on, while the store took nothing).",
    ["kind", "outcome"],
)
NOT_STORED = Counter("skan_not_stored", "Bodies answered 500: the store took nothing.")
SECONDS = Histogram(
    "skan_receive_seconds",
    "From the request's headers to an answer: parsed, verified, and durable.",
    buckets=BUCKETS,
)

# A backlog is bad news long before this; to count further only costs time.
MOST_WAITING = 100_000


# Endpoints, outcomes and verdicts are few. To look a child up costs more than to count.
@cache
def _arrivals(endpoint: str, outcome: str, verdict: str) -> Counter:
    return ARRIVALS.labels(endpoint, outcome, verdict)


def arrived(endpoint: str, outcome: str, verdict: str | None, seconds: float | None) -> None:
    """Count one body and the time it took, unless it took it with others."""
    _arrivals(endpoint, outcome, verdict or "").inc()
    if seconds is not None:
        SECONDS.observe(seconds)


@cache
def _events(provider: str, outcome: str) -> Counter:
    return EVENTS.labels(provider, outcome)


def told(provider: str, outcome: str, n: int) -> None:
    """Count events that somebody told us of."""
    _events(provider, outcome).inc(n)


@cache
def _touches(kind: str, outcome: str) -> Counter:
    return TOUCHES.labels(kind, outcome)


def touched(kind: str, outcome: str) -> None:
    """Count a click or a view."""
    _touches(kind, outcome).inc()


class _Waiting(Collector):
    """What the store holds for the worker, read when somebody asks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        some = select(FRESH.c.id).limit(MOST_WAITING).subquery()
        try:
            with self._store.read() as connection:
                waiting = connection.scalar(select(func.count()).select_from(some)) or 0
                owed = tallies(connection)
                alerts = open_by_rule(connection)
        except (StoreUnavailable, SQLAlchemyError):  # the other numbers tell what is wrong
            return
        yield GaugeMetricFamily(
            "skan_fresh", f"Postbacks stored and not yet counted (at most {MOST_WAITING}).", waiting
        )
        deliveries = GaugeMetricFamily(
            "skan_deliveries",
            "Deliveries that are owed, leased (being sent) or dead (given up).",
            labels=["destination", "state"],
        )
        for destination, states in owed.items():
            for state, n in states.items():
                deliveries.add_metric([destination, state], n)
        yield deliveries
        told = GaugeMetricFamily("skan_alerts", "Alerts that are open.", labels=["rule"])
        for rule in RULES:
            told.add_metric([rule], alerts.get(rule, 0))
        yield told


def exposition(store: Store) -> bytes:
    """All processes' numbers, in Prometheus' text format."""
    registry = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # no directory to share: this process is alone
        registry.register(OWN)
    registry.register(_Waiting(store))
    return generate_latest(registry)
