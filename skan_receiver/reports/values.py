"""Which conversion values came, and how often none did."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection

from skan_receiver.conversion.encode import VALUELESS
from skan_receiver.reports import cells, charts
from skan_receiver.reports.cells import CELL, Group, N
from skan_receiver.reports.question import Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.storage.counts import ABSENT, NOTHING

COARSE = ("low", "medium", "high")

# Those that could carry a value and count. Losers never carry one, SKAdNetwork 1.0 knows none:
# to call them absent would be to report a null rate that nobody can lower.
COULD_CARRY = (CELL.c.counted, CELL.c.did_win, CELL.c.version != VALUELESS)

Answer = tuple[int | None, str | None]  # fine value, coarse value; both None: none came
NONE: Answer = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value(Group):
    """One value's part of its group; where both values are None, the row is the null share."""

    fine_value: int | None
    coarse_value: str | None
    postbacks: int
    share: float


def rows(connection: Connection, question: Question) -> list[Value]:
    """The distribution of values in each group; the shares of a group add up to 1."""
    found = cells.sums(
        connection,
        question,
        also=(CELL.c.fine_value, CELL.c.coarse_value),
        amounts=(cells.total(N, "n"),),
        only=COULD_CARRY,
    )
    groups: dict[tuple[Any, ...], Counter[Answer]] = {}
    for row in found:
        group = groups.setdefault(tuple(row[name] for name in question.by), Counter({NONE: 0}))
        group[_answer(row)] += row["n"]
    return [
        value
        for key, answers in groups.items()
        for value in _distribution(dict(zip(question.by, key, strict=True)), answers)
    ]


def null_rates(connection: Connection, question: Question) -> dict[tuple[Any, ...], float]:
    """How often none came in each group: the shares that `rows` has of it, without the others'.

    Asked twice of few counts, rather than once of all values.
    """

    def sums(*only: ColumnElement[bool]) -> dict[tuple[Any, ...], int]:
        amounts = (cells.total(N, "n"),)
        found = cells.sums(connection, question, amounts=amounts, only=(*COULD_CARRY, *only))
        return {tuple(row[name] for name in question.by): row["n"] for row in found}

    absent = sums(CELL.c.fine_value == ABSENT, CELL.c.coarse_value == NOTHING)
    return {key: absent.get(key, 0) / n for key, n in sums().items() if n}


def _answer(row: dict[str, Any]) -> Answer:
    """A fine value says more than the coarse one beside it."""
    if row["fine_value"] != ABSENT:
        return row["fine_value"], None
    return None, None if row["coarse_value"] == NOTHING else row["coarse_value"]


def _distribution(group: dict[str, Any], answers: Counter[Answer]) -> Iterator[Value]:
    total = answers.total()
    if not total:
        return
    for fine, coarse in sorted(answers, key=_rank):
        n = answers[fine, coarse]
        yield Value(fine_value=fine, coarse_value=coarse, postbacks=n, share=n / total, **group)


def _rank(answer: Answer) -> tuple[int, int]:
    """Fine values, then coarse ones from low to high, then none."""
    fine, coarse = answer
    if fine is not None:
        return 0, fine
    return (2, 0) if coarse is None else (1, COARSE.index(coarse))


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """Each value's share of its group; what was absent too."""
    values = [
        {"value": _label(row), "group": _about(row, by), "share": row["share"]} for row in rows
    ]
    spec = charts.heat(values, "value", "group", "share", "Share")
    return spec | {"height": {"step": 24}}


def _label(row: Mapping[str, Any]) -> str:
    answer = row["coarse_value"] if row["fine_value"] is None else row["fine_value"]
    return "absent" if answer is None else str(answer)


def _about(row: Mapping[str, Any], by: Sequence[str]) -> str:
    return ", ".join(charts.text(name, row[name]) for name in by) or "all"


VALUES = Report(
    title="Conversion values, and how often there was none",
    dimensions=tuple(name for name in cells.DIMENSIONS if name != "verdict"),
    usually=("window",),
    measures=("fine_value", "coarse_value", "postbacks", "share"),
    rows=rows,
    chart=chart,
    count="postbacks",
)
