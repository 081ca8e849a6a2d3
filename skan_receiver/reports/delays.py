"""When copies of a postback arrived, one after the other.

No postback says when anything happened, so what can be said is how long after the first copy
another one came, by which endpoints; how often a device repeats itself; and how long after the time
that a forwarder claims we received it, which is about its clock as much as about its haste.

Copies are found through the index of arrivals that are no standing ones, claims through one of
their own (`ix_arrival_again`, `ix_arrival_claims`). Where there are more than `MOST` in the period,
every second postback is looked at, or every third …: `every` says so.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, select

from skan_receiver.reports import cells, charts, stored
from skan_receiver.reports.cells import DIMENSIONS as COUNTED
from skan_receiver.reports.cells import Group, N
from skan_receiver.reports.claimed import claimed_time
from skan_receiver.reports.lags import BARS, NINE_DAYS, QUANTILES, WITHIN, Lags
from skan_receiver.reports.question import Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.stored import DIMENSIONS, POSTBACK, TIMES, Key, in_order, told
from skan_receiver.storage import Arrival
from skan_receiver.storage.columns import hour_of, table
from skan_receiver.storage.postbacks import AGAIN, CLAIMED

ARRIVAL = table(Arrival)
COPY = ARRIVAL.alias("copy")

MOST = 50_000

# What a lag is of: the second copy, wherever it came in; the first one at another endpoint; another
# one at the same; and what a forwarder says.
SECOND, OTHER, REPEAT, CLAIM = "second copy", "other endpoint", "repeat", "claimed time"
ORDER = (SECOND, OTHER, REPEAT, CLAIM)

Topic = tuple[str, str | None, str | None]  # what, first, later
Found = defaultdict[Key, defaultdict[Topic, Lags]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Group):
    """How long one thing came after another, in seconds."""

    what: str
    first: str | None  # endpoints
    later: str | None
    n: int
    negative: int  # more that came before they could have
    median_s: float | None
    p90_s: float | None
    p99_s: float | None
    within_1h_share: float | None  # of postbacks, or of claims
    within_24h_share: float | None
    within_9d_share: float | None
    of: int
    every: int  # 1: all were looked at; else every so manieth postback
    histogram: tuple[Mapping[str, Any], ...]


def rows(connection: Connection, question: Question, most: int = MOST) -> list[Delay]:
    """By when the postback first arrived; claims by when what has them did. About `most` of either
    are looked at."""
    copies, every_copy = _copies(connection, question, most)
    claims, every_claim = _claims(connection, question, most)
    postbacks = _postbacks(connection, question)
    return [
        Delay(**dict(zip(question.by, group, strict=True)), **line)
        for group in in_order({*copies, *claims})
        for line in (
            *_lines(copies[group], every_copy, postbacks.get(group, 0)),
            *_lines(claims[group], every_claim, None),
        )
    ]


def _lines(
    found: Mapping[Topic, Lags], every: int, postbacks: int | None
) -> Iterator[dict[str, Any]]:
    """In order of topics; without a number of postbacks, shares are of the lags themselves."""
    for what, first, later in sorted(found, key=_rank):
        lags = found[what, first, later]
        of = len(lags.all) + lags.negative if postbacks is None else postbacks
        # What has arrived and is about to be counted is there, too.
        of = max(of, len(lags.firsts))
        numbers = lags.told(of if postbacks is None else of / every)
        yield {
            "what": what,
            "first": first,
            "later": later,
            "of": of,
            "every": every,
            **numbers,
        }


def _rank(topic: Topic) -> tuple[int, str, str]:
    what, first, later = topic
    return ORDER.index(what), first or "", later or ""


def _copies(connection: Connection, question: Question, most: int) -> tuple[Found, int]:
    period = question.period
    until = period.end + NINE_DAYS
    again: tuple[ColumnElement[bool], ...] = (
        literal_column(AGAIN),
        ARRIVAL.c.kind.in_(("duplicate", "conflict", "collision")),
        ARRIVAL.c.received_at >= period.start,
        ARRIVAL.c.received_at < until,
    )
    every = _every(connection, most, *again)
    several = select(ARRIVAL.c.stored_id).where(*again, _drawn(every))
    statement = (
        select(*_keys(question, POSTBACK.c.received_at), COPY.c.stored_id)
        .add_columns(COPY.c.endpoint, COPY.c.received_at.label("at"))
        .join_from(COPY, POSTBACK, POSTBACK.c.id == COPY.c.stored_id)
        .where(COPY.c.stored_id.in_(several))
        .where(POSTBACK.c.received_at >= period.start, POSTBACK.c.received_at < period.end)
        .where(*stored.conditions(question.filters))
        .order_by(COPY.c.stored_id, COPY.c.id)
    )
    found: Found = defaultdict(lambda: defaultdict(Lags))
    for _, arrivals in groupby(connection.execute(statement), lambda row: row.stored_id):
        each = list(arrivals)
        _follow(each, found[_group(each[0], question)])
    return found, every


def _follow(arrivals: list[Row[Any]], found: defaultdict[Topic, Lags]) -> None:
    """What each arrival of a postback came after. They are told apart by where they came in."""
    start = arrivals[0]
    began = {start.endpoint: start.at}
    repeats: set[str] = set()
    for place, row in enumerate(arrivals[1:]):
        if row.at - start.at > NINE_DAYS:
            continue
        if place == 0:
            found[SECOND, None, None].add(row.at - start.at)
        if row.endpoint in began:
            lag, topic = row.at - began[row.endpoint], (REPEAT, row.endpoint, row.endpoint)
            found[topic].add(lag, first=row.endpoint not in repeats)
            repeats.add(row.endpoint)
            continue
        began[row.endpoint] = row.at
        found[OTHER, start.endpoint, row.endpoint].add(row.at - start.at)


def _claims(connection: Connection, question: Question, most: int) -> tuple[Found, int]:
    period = question.period
    claimed: tuple[ColumnElement[bool], ...] = (
        literal_column(CLAIMED),
        ARRIVAL.c.received_at >= period.start,
        ARRIVAL.c.received_at < period.end,
    )
    every = _every(connection, most, *claimed)
    statement = (
        select(*_keys(question, ARRIVAL.c.received_at), ARRIVAL.c.endpoint)
        .add_columns(ARRIVAL.c.received_at.label("at"), ARRIVAL.c.claims)
        .join_from(ARRIVAL, POSTBACK, POSTBACK.c.id == ARRIVAL.c.stored_id)
        .where(*claimed, _drawn(every))
        .where(*stored.conditions(question.filters))
    )
    found: Found = defaultdict(lambda: defaultdict(Lags))
    for row in connection.execute(statement):
        if (said := claimed_time(row.claims)) is not None:
            found[_group(row, question)][CLAIM, row.endpoint, None].add(row.at - said)
    return found, every


def _every(connection: Connection, most: int, *which: ColumnElement[bool]) -> int:
    n = connection.scalar(select(func.count()).select_from(ARRIVAL).where(*which)) or 0
    return max(1, -(-n // most))


def _drawn(every: int) -> ColumnElement[bool]:
    """Every so manieth postback, but not by its number: what comes in turns would be taken for
    what always comes."""
    return ARRIVAL.c.stored_id % PRIME * STIR % PRIME % every == 0


PRIME, STIR = 1_000_003, 611_953


def _keys(question: Question, at: ColumnElement[datetime]) -> Iterator[ColumnElement[Any]]:
    for place, name in enumerate(question.by):
        yield (at if name in TIMES else DIMENSIONS[name]).label(f"key_{place}")


def _group(row: Row[Any], question: Question) -> Key:
    values = (row._mapping[f"key_{place}"] for place in range(len(question.by)))
    return tuple(
        told(name, hour_of(value) if name in TIMES else value, question.period)
        for name, value in zip(question.by, values, strict=True)
    )


def _postbacks(connection: Connection, question: Question) -> dict[Key, int]:
    """All postbacks, by what the question is split by."""
    found = cells.sums(connection, question, amounts=(cells.total(N, "n"),))
    return {tuple(row[name] for name in question.by): row["n"] for row in found}


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """How many came how much later, by what they came after."""
    # A second copy is one of the others; and what is claimed is no copy.
    drawn = [row for row in rows if row["what"] in (OTHER, REPEAT)]
    if not drawn:
        drawn = [row for row in rows if row["what"] == CLAIM]
    values = [
        {"x": bar, "group": _about(row, by), "n": n}
        for bar in BARS
        for row in drawn
        if (n := sum(one["n"] for one in row["histogram"] if one["lag"] == bar)) or row is drawn[0]
    ]
    return charts.stacks(values, "Arrivals", about="how much later")


def _about(row: Mapping[str, Any], by: tuple[str, ...]) -> str:
    words = {
        OTHER: f"{row['first']} → {row['later']}",
        REPEAT: f"{row['first']} again",
        CLAIM: f"{row['first']}, after it says",
    }
    about = words[row["what"]]
    return f"{charts.name_of(row, by)}: {about}" if by else about


DELAYS = Report(
    title="Arrival delays: how long after the first copy others came",
    dimensions=tuple(COUNTED),
    usually=(),
    measures=(
        *("what", "first", "later", "n", "negative", *QUANTILES, *WITHIN),
        *("of", "every", "histogram"),
    ),
    rows=rows,
    chart=chart,
    is_sent=False,
)
