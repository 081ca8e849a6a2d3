"""Rows themselves, where no count knows what is asked: counted by the database, hour by hour.

A day is a sum of hours here too, so that it has the same rows as a day of the counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from skan_receiver.reports.filters import Filters
from skan_receiver.reports.period import Period
from skan_receiver.reports.question import Question, Unanswerable
from skan_receiver.storage import StoredPostback
from skan_receiver.storage.columns import table

POSTBACK = table(StoredPostback)

# What rows of `postback` can be split by, beside time.
DIMENSIONS: dict[str, ColumnElement[Any]] = {
    **{name: POSTBACK.c[name] for name in ("app_id", "framework", "version", "window", "verdict")},
    "ad_network_id": func.lower(POSTBACK.c.ad_network_id),
}

Key = tuple[Any, ...]  # of a group
Example = Mapping[str, Any]  # our number of a postback, and Apple's id


@dataclass(slots=True)
class Sum:
    """What the rows of a group come to, and the first and the last of them as examples."""

    amounts: Counter[str] = field(default_factory=Counter)
    ids: set[int] = field(default_factory=set)
    examples: tuple[Example, ...] = ()

    def add(self, amounts: Mapping[str, int], *ids: int) -> None:
        """More of the same group."""
        self.amounts.update(amounts)
        if every := self.ids.union(ids):
            self.ids = {min(every), max(every)}

    def told(self) -> dict[str, Any]:
        """By name."""
        return {**self.amounts, "examples": self.examples}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows a report looks at: of which tables, found by which time, split by what."""

    of: FromClause
    at: ColumnElement[datetime]
    dimensions: Mapping[str, ColumnElement[Any]]
    numbered: ColumnElement[int]  # the number of the postback it is about

    def sums(
        self,
        connection: Connection,
        question: Question,
        amounts: Mapping[str, ColumnElement[int]],
        only: Iterable[ColumnElement[bool]] = (),
        either: Iterable[ColumnElement[bool]] = (true(),),
    ) -> dict[Key, Sum]:
        """`amounts` of the rows of a period, each a sum, by what the question is split by.

        Rows for which `only` holds, and one of `either`: each is a statement of its own, with an
        index of its own.
        """
        found: dict[Key, Sum] = {}
        statement = self._statement(question, amounts).where(*only)
        for one in either:
            for row in connection.execute(statement.where(one)).mappings():
                if row["first"] is None:  # nothing at all, where nothing is split
                    continue
                group = tuple(
                    told(name, row[f"key_{place}"], question.period)
                    for place, name in enumerate(question.by)
                )
                sums = {name: int(row[name]) for name in amounts}
                found.setdefault(group, Sum()).add(sums, row["first"], row["last"])
        known = _examples(connection, {id_ for sum_ in found.values() for id_ in sum_.ids})
        for sum_ in found.values():
            sum_.examples = tuple(known[id_] for id_ in sorted(sum_.ids) if id_ in known)
        return found

    def _statement(
        self, question: Question, amounts: Mapping[str, ColumnElement[int]]
    ) -> Select[Any]:
        period, by = question.period, question.by
        keys = [hour(self.at) if name in TIMES else self.dimensions[name] for name in by]
        keys = [key.label(f"key_{place}") for place, key in enumerate(keys)]
        return (
            select(
                *keys,
                *(amount.label(name) for name, amount in amounts.items()),
                *(func.min(self.numbered).label("first"), func.max(self.numbered).label("last")),
            )
            .select_from(self.of)
            .where(self.at >= period.start, self.at < period.end)
            .where(*conditions(question.filters))
            .group_by(*(key.name for key in keys))
        )


TIMES = ("hour", "day")


def told(name: str, value: Any, period: Period) -> Any:
    """A dimension of a group: the day of an hour is that of the period's zone."""
    return value.astimezone(period.zone).date() if name == "day" else value


def conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    """One for each filter that is set, on rows of `postback`."""
    for name, value in filters.given():
        if name not in DIMENSIONS:
            raise Unanswerable(name, "it looks at rows, whatever counts; leave it out")
        column = DIMENSIONS[name]
        yield column.in_(value) if isinstance(value, tuple) else column == value


def in_order(groups: Iterable[Key]) -> list[Key]:
    """What is absent first."""
    return sorted(groups, key=lambda group: [(value is not None, value) for value in group])


AT_ONCE = 500  # ids in one statement


def _examples(connection: Connection, ids: Iterable[int]) -> dict[int, Example]:
    """Postbacks by their number, to be looked up."""
    wanted = sorted(ids)
    found: dict[int, Example] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = POSTBACK.c.id.in_(wanted[start : start + AT_ONCE])
        for row in connection.execute(select(POSTBACK.c.id, POSTBACK.c.postback_id).where(some)):
            found[row.id] = {"id": row.id, "postback_id": row.postback_id}
    return found


class hour(FunctionElement[datetime]):  # noqa: N801  # it reads as a function of SQL's
    """The UTC hour that a moment is in, inside a statement."""

    inherit_cache = True

    def __init__(self, at: ColumnElement[datetime]) -> None:
        super().__init__(at)
        self.type = at.type


@compiles(hour, "postgresql")
def _on_postgresql(element: hour, compiler: Any, **options: Any) -> str:
    return f"date_trunc('hour', {compiler.process(element.clauses, **options)})"


@compiles(hour, "sqlite")
def _on_sqlite(element: hour, compiler: Any, **options: Any) -> str:
    # As SQLAlchemy writes moments there.
    return f"strftime('%Y-%m-%d %H:00:00.000000', {compiler.process(element.clauses, **options)})"
