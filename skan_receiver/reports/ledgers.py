"""What the ledger of deliveries says of a period, added up by the database."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Select,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from skan_receiver.reports.numbered import Stretches
from skan_receiver.reports.question import Question
from skan_receiver.reports.stored import TIMES, hour
from skan_receiver.storage import Attempt, Delivery
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DEAD, DONE

DELIVERY, ATTEMPT = table(Delivery), table(Attempt)

DIMENSIONS = {"destination": DELIVERY.c.destination, "state": DELIVERY.c.state}

# Written out as the index of dead letters has it.
_DEAD: ColumnElement[bool] = literal_column(f"delivery.state = '{DEAD}'")


def owed(question: Question, among: Stretches) -> Select[Any]:
    """Deliveries by when they were owed, but for what was given up: by state, with how long it
    took where it took only one go."""
    return _owed(question, among.of(DELIVERY)).where(DELIVERY.c.state != DEAD)


def given_up(question: Question) -> Select[Any]:
    """As `owed`, of all that was given up."""
    since = DELIVERY.c.settled_at >= question.period.start
    return _owed(question, DELIVERY).where(_DEAD, since)


def tried(question: Question, among: Stretches) -> Select[Any]:
    """Tries by when they were made, and how they ended."""
    keys = list(_keys(question, ATTEMPT.c.at))
    answer = ATTEMPT.c.status, ATTEMPT.c.error_class
    hundredths = cast(ATTEMPT.c.duration_ms // 10, BigInteger).label("hundredths")
    return (
        select(*keys, *answer, hundredths, func.count().label("n"))
        .select_from(among.of(ATTEMPT).join(DELIVERY, DELIVERY.c.id == ATTEMPT.c.delivery_id))
        .where(ATTEMPT.c.at >= question.period.start, ATTEMPT.c.at < question.period.end)
        .group_by(*(key.name for key in keys), *answer, "hundredths")
    )


def _owed(question: Question, of: FromClause) -> Select[Any]:
    at, attempts = DELIVERY.c.created_at, DELIVERY.c.attempts
    keys = list(_keys(question, at))
    once = and_(DELIVERY.c.state == DONE, DELIVERY.c.replays == 0)
    took = func.round(seconds(at, DELIVERY.c.settled_at) * 10)
    amounts = {
        "n": func.count(),
        "attempts": func.sum(attempts),
        "retries": func.sum(case((attempts > 1, attempts - 1), else_=0)),
    }
    return (
        select(
            *(*keys, DELIVERY.c.state.label("its_state")),
            case((once, cast(took, BigInteger))).label("tenths"),
            *(cast(amount, BigInteger).label(name) for name, amount in amounts.items()),
        )
        .select_from(of)
        .where(at >= question.period.start, at < question.period.end)
        .group_by(*(key.name for key in keys), "its_state", "tenths")
    )


def _keys(question: Question, at: ColumnElement[datetime]) -> Iterator[Any]:
    for place, name in enumerate(question.by):
        yield (hour(at) if name in TIMES else DIMENSIONS[name]).label(f"key_{place}")


class seconds(FunctionElement[float]):  # noqa: N801  # it reads as a function of SQL's
    """From one moment to another, inside a statement."""

    inherit_cache = True
    type = Float()

    def __init__(self, since: ColumnElement[Any], until: ColumnElement[Any]) -> None:
        super().__init__(since, until)


@compiles(seconds, "postgresql")
def _on_postgresql(element: seconds, compiler: Any, **options: Any) -> str:
    since, until = (compiler.process(one, **options) for one in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({until} - {since})) AS double precision)"


@compiles(seconds, "sqlite")
def _on_sqlite(element: seconds, compiler: Any, **options: Any) -> str:
    since, until = (compiler.process(one, **options) for one in element.clauses)
    return f"((julianday({until}) - julianday({since})) * 86400.0)"
