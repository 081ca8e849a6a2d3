"""Source identifiers as a tree. Apple withholds the first digits: 5239 arrives as 239 or as 39, and
to 39 belongs what arrived as 39, and what arrived with more digits before it.

Identifiers are a network's own, and stand for an app's ads: split by both, unless it is one.
From the counts by day, as `results` has them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.reports import cells, charts, money, naming
from skan_receiver.reports.cells import WIDE, Group
from skan_receiver.reports.folding import arrived
from skan_receiver.reports.money import Exchange
from skan_receiver.reports.naming import CALLED
from skan_receiver.reports.question import BASES, Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.results import _dated, _rank
from skan_receiver.reports.tally import Tally
from skan_receiver.storage.meanings import Arrived, Book, Readings
from skan_receiver.storage.schemas import history

# What an identifier is. One of SKAdNetwork 3 or earlier hides no digits: it is a tree of its own.
SOURCE, CAMPAIGN = "source identifier", "campaign id"
TOP_DIGITS = 2

# Of `results`, for all that is in a node.
SUMS = (
    *("postbacks", "installs", "with_value", "nulls", "null_share"),
    *("revenue_min", "revenue_max", "revenue", "currency", "currencies"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Group):
    """An identifier, and what came of it and of all that end so. The names are those that all of
    it has in common."""

    kind: str
    identifier: str | None
    digits: int | None
    depth: int  # digits more than the top of its tree
    parent: str | None

    own: int  # postbacks with these digits exactly
    postbacks: int  # with these, and with more before them
    installs: int
    with_value: int
    nulls: int
    null_share: float | None
    revenue_min: float | None
    revenue_max: float | None
    revenue: float | None
    currency: str | None
    currencies: tuple[Mapping[str, Any], ...]

    campaign_id: str | None
    campaign_name: str | None
    adset_id: str | None
    adset_name: str | None
    ad_id: str | None
    ad_name: str | None
    channel: str | None
    tracker: str | None


@dataclass(slots=True)
class _Node:
    """What was added of an identifier and of those that end so."""

    own: int = 0
    tally: Tally = field(default_factory=Tally)
    names: Mapping[str, Any] | None = None

    def call(self, names: Mapping[str, Any]) -> None:
        """Keep of its names what these have in common with them."""
        before = names if self.names is None else self.names
        if self.names is None or before != names:
            self.names = {n: before[n] if before[n] == names[n] else None for n in CALLED}


Key = tuple[str, str]  # kind, identifier
Added = tuple[Arrived, int, Readings, Exchange]  # as a tally takes it
Tree = defaultdict[Key, _Node]


def rows(connection: Connection, question: Question) -> list[Source]:
    """Each tree from its top to its leaves. Of the UTC days with the period's dates."""
    versions = history(connection, question.filters.app)
    book, names = Book(versions), naming.load_naming(connection)
    question = question.but(period=question.period.dates)
    exchanges, split = money.exchanges(connection, question), money.dated(question)
    asked = split.but(by=(*split.by, *CALLED))
    trees: defaultdict[tuple[Any, ...], Tree] = defaultdict(lambda: defaultdict(_Node))
    for dated in _dated(WIDE, question.basis):
        won = dated.won(connection, asked, versions)
        for group, day, row in dated.grouped(won, question):
            cell = arrived(row)
            what = (cell, row["n"], book.read(cell), exchanges(day))
            _add(trees[group], _key(row), what, names.of_row(row))
    return [
        source
        for group in sorted(trees, key=_rank)
        for source in _told(trees[group], dict(zip(question.by, group, strict=True)))
    ]


def _key(row: Mapping[str, Any]) -> Key:
    return CAMPAIGN if row["named_version"] in RISING_ONLY else SOURCE, row["named_identifier"]


def _add(tree: Tree, key: Key, what: Added, names: Mapping[str, Any]) -> None:
    _, n, *_ = what
    tree[key].own += n
    for each in _upwards(key):
        tree[each].tally.add(*what)
        tree[each].call(names)


def _upwards(key: Key) -> Iterator[Key]:
    yield key
    if (parent := _parent(*key)) is not None:
        yield from _upwards((key[0], parent))


def _parent(kind: str, identifier: str) -> str | None:
    """What is left of it where Apple withholds its first digit."""
    return identifier[1:] if kind == SOURCE and len(identifier) > TOP_DIGITS else None


def _told(tree: Tree, group: Mapping[str, Any]) -> Iterator[Source]:
    for kind, identifier in sorted(tree, key=_order):
        node = tree[kind, identifier]
        if not node.tally.postbacks:
            continue
        sums = node.tally.result({})
        yield Source(
            **group,
            kind=kind,
            identifier=identifier or None,
            digits=len(identifier) if kind == SOURCE and identifier else None,
            depth=max(len(identifier) - TOP_DIGITS, 0) if kind == SOURCE else 0,
            parent=_parent(kind, identifier),
            own=node.own,
            **{name: getattr(sums, name) for name in SUMS},
            **dict(node.names or {}),
        )


def _order(key: Key) -> tuple[bool, str, str]:
    """Campaign ids by number, then each tree: a node is followed by those that end like it."""
    kind, identifier = key
    if kind == CAMPAIGN:
        return False, identifier.zfill(20), ""
    return True, identifier[-TOP_DIGITS:], identifier[:-TOP_DIGITS][::-1]


def chart(rows: Rows, _by: tuple[str, ...]) -> dict[str, Any]:
    """The postbacks of each tree, by how many digits arrived."""
    trees: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        top = str(row["identifier"] or "none")
        digits = "campaign id"
        if row["kind"] == SOURCE:
            top, digits = f"…{top[-TOP_DIGITS:]}", f"{row['digits'] or 0} digits"
        trees[top, digits] += row["own"]
    values = [{"x": top, "group": digits, "n": n} for (top, digits), n in trees.items() if n]
    return charts.stacks(values, "Postbacks", about="identifier")


SOURCES = Report(
    title="Source identifiers, by the digits that Apple lets through",
    dimensions=tuple(name for name in cells.DIMENSIONS if name not in ("hour", "verdict")),
    usually=("app_id", "ad_network_id"),
    measures=(
        *("kind", "identifier", "digits", "depth", "parent", "own"),
        *(*SUMS, *CALLED),
    ),
    rows=rows,
    chart=chart,
    bases=BASES,
    has_amounts=True,
    is_sent=False,  # rows that are parts of others: small ones could be told from the rest
)
