"""What was owed to destinations, and what became of it.

Deliveries and tries are numbered as they come, so those of a period are found by halving, without
an index of times. Of more than `MOST` of either, evenly spread stretches stand for all: `every`
says so, and the numbers are estimates. What was given up is counted in full: it is rare, has an
index of its own (`ix_delivery_dead`), and is what one looks for.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from sqlalchemy import Connection

from skan_receiver.reports import charts, ledgers
from skan_receiver.reports.cells import Group
from skan_receiver.reports.ledgers import ATTEMPT, DELIVERY, DIMENSIONS
from skan_receiver.reports.numbered import stretches
from skan_receiver.reports.question import Question, Unanswerable
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.stored import TIMES, Key, in_order, told
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED

MOST = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing(Group):
    """What was owed in the time of a row, and what was tried in it."""

    destination: str | None = None
    state: str | None = None

    owed: int
    delivered: int
    waiting: int
    given_up: int
    attempts: int  # of what was owed, since it was last owed anew
    retries: int  # of them, those after the first
    latency_p50_s: float | None  # from owed to delivered
    latency_p95_s: float | None
    tries: int  # of whatever was owed when
    answer_p50_ms: int | None
    answer_p95_ms: int | None
    answers: tuple[Mapping[str, Any], ...]
    every: int  # 1: all were looked at; else for how many a row of the ledger stands


@dataclass(slots=True)
class _Sum:
    states: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    retries: int = 0
    tenths: Counter[int] = field(default_factory=Counter)  # of a second, to be delivered
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)  # error, status
    hundredths: Counter[int] = field(default_factory=Counter)  # of a second, to be answered

    def owe(self, row: Mapping[Any, Any], every: int) -> None:
        """Add what was owed."""
        self.states[row["its_state"]] += row["n"] * every
        self.attempts += row["attempts"] * every
        self.retries += row["retries"] * every
        if row["tenths"] is not None:
            self.tenths[row["tenths"]] += row["n"]

    def tried(self, row: Mapping[Any, Any], every: int) -> None:
        """Add what was tried."""
        self.answers[row["error_class"], row["status"] or 0] += row["n"] * every
        self.hundredths[row["hundredths"]] += row["n"]

    def told(self) -> dict[str, Any]:
        """By name."""
        delays = [quantile(self.tenths, share) for share in (0.5, 0.95)]
        durations = [quantile(self.hundredths, share) for share in (0.5, 0.95)]
        return {
            "owed": self.states.total(),
            "delivered": self.states[DONE],
            "waiting": self.states[OWED] + self.states[LEASED],
            "given_up": self.states[DEAD],
            "attempts": self.attempts,
            "retries": self.retries,
            **dict(zip(LATENCIES, (d if d is None else d / 10 for d in delays), strict=True)),
            "tries": self.answers.total(),
            **dict(zip(ANSWERED, (d if d is None else d * 10 for d in durations), strict=True)),
            "answers": tuple(
                {"error": error or "none", "status": status or None, "n": n}
                for (error, status), n in sorted(self.answers.items())
            ),
        }


LATENCIES = ("latency_p50_s", "latency_p95_s")
ANSWERED = ("answer_p50_ms", "answer_p95_ms")


def quantile(of: Mapping[int, int], share: float) -> int | None:
    """The least that at least this share of them do not exceed; None of none."""
    left = max(ceil(share * sum(of.values())), 1)
    for value in sorted(of):
        left -= of[value]
        if left <= 0:
            return value
    return None


def rows(connection: Connection, question: Question, most: int = MOST) -> list[Owing]:
    """What was owed by when it was, what was tried by when it was; about `most` of either are
    looked at."""
    if given := dict(question.filters.given()):
        raise Unanswerable(min(given), "it is told by destination, not by postback; leave it out")
    found: defaultdict[Key, _Sum] = defaultdict(_Sum)
    period = question.period
    owed = stretches(connection, DELIVERY, DELIVERY.c.created_at, period, most)
    tried = stretches(connection, ATTEMPT, ATTEMPT.c.at, period, most)
    for statement, every in (
        (ledgers.owed(question, owed), owed.every),
        (ledgers.given_up(question), 1),
    ):
        for row in connection.execute(statement).mappings():
            found[_group(row, question)].owe(row, every)
    for row in connection.execute(ledgers.tried(question, tried)).mappings():
        found[_group(row, question)].tried(row, tried.every)
    every = max(owed.every, tried.every)
    return [
        Owing(**dict(zip(question.by, group, strict=True)), **found[group].told(), every=every)
        for group in in_order(found)
    ]


def _group(row: Mapping[Any, Any], question: Question) -> Key:
    return tuple(
        told(name, row[f"key_{place}"], question.period) for place, name in enumerate(question.by)
    )


STATES = {"delivered": "delivered", "waiting": "waiting", "given up": "given_up"}


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """What became of what was owed, over time or by group."""
    at = charts.when(by)
    values = [
        {"x": charts.text(at, row[at]) if at else charts.name_of(row, by), "group": word, "n": n}
        for word, name in STATES.items()
        for row in rows
        if (n := row[name]) or word == "delivered"
    ]
    return charts.stacks(values, "Deliveries", at=at)


DELIVERIES = Report(
    title="Deliveries: what was owed, and what became of it",
    dimensions=(*TIMES, *DIMENSIONS),
    usually=("destination",),
    measures=(
        *("owed", "delivered", "waiting", "given_up", "attempts", "retries", *LATENCIES),
        *("tries", *ANSWERED, "answers", "every"),
    ),
    rows=rows,
    chart=chart,
    is_sent=False,
)
