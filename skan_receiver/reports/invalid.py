"""What no production key vouches for, and why.

Rows are looked at through the indexes of those alone (`ix_postback_unvouched`, and
`ix_postback_development` for what a development or test key signed), and so bounded by how many
there are in the period. Retention drops rows, while counts stay: what is no longer kept has that
for a reason, so that days add up to what `volumes` says of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal_column

from skan_receiver.protocol import Verdict
from skan_receiver.reports import cells, charts
from skan_receiver.reports.cells import CELL, Group, N
from skan_receiver.reports.cells import DIMENSIONS as COUNTED
from skan_receiver.reports.question import Question
from skan_receiver.reports.report import Report
from skan_receiver.reports.report import Rows as Table
from skan_receiver.reports.stored import DIMENSIONS, POSTBACK, Example, Key, Rows, Sum, in_order
from skan_receiver.storage.postbacks import DEVELOPMENT, UNVOUCHED
from skan_receiver.storage.predicate import superseded

GONE = "no longer kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful(Group):
    """Postbacks that no production key vouches for, and which share of all they are."""

    reason: str | None = None  # empty where a development key signed
    key_id: str | None = None
    endpoint: str | None = None

    postbacks: int
    share: float
    examples: tuple[Example, ...]  # the first and the last


ROWS = Rows(
    of=POSTBACK,
    at=POSTBACK.c.received_at,
    dimensions={**DIMENSIONS, **{n: POSTBACK.c[n] for n in ("reason", "key_id", "endpoint")}},
    numbered=POSTBACK.c.id,
)
# One after the other, since each has an index of its own.
_EITHER: tuple[ColumnElement[bool], ...] = (literal_column(UNVOUCHED), literal_column(DEVELOPMENT))
_AMOUNTS: dict[str, ColumnElement[int]] = {"postbacks": func.count()}


def rows(connection: Connection, question: Question) -> list[Doubtful]:
    """By when they first arrived. What was judged anew is told by its new row."""
    found = ROWS.sums(connection, question, _AMOUNTS, (~superseded(),), _EITHER)
    for group, n in list(_gone(connection, question, found)):
        found.setdefault(group, Sum()).add({"postbacks": n})
    kinds = tuple(name for name in question.by if name in COUNTED and name != "verdict")
    all_ = _all(connection, question, found, kinds)
    return [
        Doubtful(
            **dict(zip(question.by, group, strict=True)),
            **found[group].told(),
            share=round(found[group].amounts["postbacks"] / all_[_part(question, group, kinds)], 6),
        )
        for group in in_order(found)
    ]


def _gone(
    connection: Connection, question: Question, found: Mapping[Key, Sum]
) -> Iterator[tuple[Key, int]]:
    """What was counted and has no row any more."""
    by = tuple(name for name in question.by if name in COUNTED)
    here = _folded(question, found, by)
    for row in _counted(connection, question.but(by=by), CELL.c.verdict != Verdict.VALID):
        group = tuple(row.get(name, GONE if name == "reason" else None) for name in question.by)
        if (n := row["n"] - here[tuple(row[name] for name in by)]) > 0:
            yield group, n


def _all(
    connection: Connection, question: Question, found: Mapping[Key, Sum], by: tuple[str, ...]
) -> Counter[Key]:
    """All postbacks, whatever their verdict, by what counts know of them."""
    asked = question.but(by=by, filters=replace(question.filters, verdict=None))
    counted = {tuple(row[n] for n in by): row["n"] for row in _counted(connection, asked)}
    # What has arrived and is about to be counted is there, too.
    return Counter(counted) | _folded(question, found, by)


def _folded(question: Question, found: Mapping[Key, Sum], by: Sequence[str]) -> Counter[Key]:
    sums: Counter[Key] = Counter()
    for group, sum_ in found.items():
        sums[_part(question, group, by)] += sum_.amounts["postbacks"]
    return sums


def _part(question: Question, group: Key, by: Sequence[str]) -> Key:
    named = dict(zip(question.by, group, strict=True))
    return tuple(named[name] for name in by)


def _counted(
    connection: Connection, question: Question, *only: ColumnElement[bool]
) -> list[dict[str, Any]]:
    return cells.sums(connection, question, amounts=(cells.total(N, "n"),), only=only)


def chart(rows: Table, by: tuple[str, ...]) -> dict[str, Any]:
    """Postbacks over time, or by group."""
    return charts.bars(rows, by, "postbacks", "Postbacks")


INVALID = Report(
    title="What no production key vouches for",
    dimensions=(*COUNTED, "reason", "key_id", "endpoint"),
    usually=("verdict", "reason"),
    measures=("postbacks", "share", "examples"),
    rows=rows,
    chart=chart,
    is_sent=False,
)
