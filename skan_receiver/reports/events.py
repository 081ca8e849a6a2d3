"""What users did, as far as the values say: counts of raw values, read through the schemas."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion import Meaning
from skan_receiver.conversion.meaning import Revenue
from skan_receiver.reports import cells, charts, money
from skan_receiver.reports.cells import Group
from skan_receiver.reports.folding import folded
from skan_receiver.reports.money import Exchange
from skan_receiver.reports.question import Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.stretches import stretches
from skan_receiver.reports.values import COULD_CARRY
from skan_receiver.storage.meanings import LEAST, NO_SCHEMA, Book, Readings, rest
from skan_receiver.storage.schemas import history

# What rows are about, in this order.
EVENT, EVENT_REVENUE, REVENUE, UNREAD = "event", "event revenue", "revenue", "unread"
ORDER = (EVENT, EVENT_REVENUE, REVENUE, UNREAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Group):
    """What the postbacks of a group say of one event, or of one kind of revenue.

    Of `postbacks` that speak of it, with the weights of uncertain versions: between `least` and
    `most` together, no `most` where one of them has no limit. Where what is "unread", `name`
    says why those postbacks say nothing.
    """

    what: str
    name: str
    postbacks: float
    certain: int  # of them, those whose version is certain
    least: float | None
    most: float | None
    currency: str | None


@dataclass(slots=True)
class _Sum:
    postbacks: float = 0.0
    certain: int = 0
    least: float | None = None
    most: float | None = field(default=0.0)

    def add(self, n: int, weight: float, least: float | None, most: float | None) -> None:
        self.postbacks += n * weight
        self.certain += n if weight == 1.0 else 0
        if least is not None:
            self.least = (self.least or 0.0) + n * weight * least
        self.most = None if self.most is None or most is None else self.most + n * weight * most


Topic = tuple[str, str, str | None]  # what, name, currency


def rows(connection: Connection, question: Question) -> list[Happened]:
    """Events and revenue of each group; what could not be read is a row of its own."""
    versions = history(connection, question.filters.app)
    exchanges = money.exchanges(connection, question)
    told = (
        (tuple(row[name] for name in question.by), row.get("day"), row)
        for stretch in stretches(versions, question.period, by_hour="hour" in question.by)
        for row in stretch.sums(connection, money.dated(question), only=COULD_CARRY)
    )
    book = Book(versions)
    groups: dict[tuple[Any, ...], dict[Topic, _Sum]] = {}
    for of in folded(told, exchanges, book):
        group = groups.setdefault(of.group, {})
        for topic, weight, least, most in _said(of.readings, of.exchange):
            group.setdefault(topic, _Sum()).add(of.n, weight, least, most)
    return [
        _happened(dict(zip(question.by, key, strict=True)), topic, group[topic])
        for key, group in sorted(groups.items())
        for topic in sorted(group, key=_rank)
        if abs(group[topic].postbacks) > LEAST
    ]


def _said(
    readings: Readings, exchange: Exchange
) -> Iterator[tuple[Topic, float, float | None, float | None]]:
    """What one cell says: of what, how likely, and between which bounds."""
    if left := rest(readings):
        yield (UNREAD, NO_SCHEMA, None), left, None, None
    for reading in readings:
        if reading.decoded.meaning is None:
            yield (UNREAD, reading.decoded.reason, None), reading.weight, None, None
            continue
        for topic, least, most in _topics(reading.decoded.meaning, exchange):
            yield topic, reading.weight, least, most


def _topics(meaning: Meaning, exchange: Exchange) -> Iterator[tuple[Topic, float, float | None]]:
    for event in meaning.events:
        yield (EVENT, event.name, None), event.min, event.max
        if (worth := event.revenue) is not None:
            yield _amount(EVENT_REVENUE, event.name, worth, exchange)
    for revenue in meaning.revenue:
        yield _amount(REVENUE, revenue.kind, revenue, exchange)


def _amount(
    what: str, name: str, worth: Revenue, exchange: Exchange
) -> tuple[Topic, float, float | None]:
    currency, factor = exchange(worth.currency)
    most = None if worth.max is None else worth.max * factor
    return (what, name, currency), worth.min * factor, most


def _happened(group: dict[str, Any], topic: Topic, sum_: _Sum) -> Happened:
    what, name, currency = topic
    return Happened(
        what=what,
        name=name,
        postbacks=round(sum_.postbacks, 6),
        certain=sum_.certain,
        least=sum_.least,
        most=None if what == UNREAD else sum_.most,
        currency=currency,
        **group,
    )


def _rank(topic: Topic) -> tuple[int, str, str]:
    what, name, currency = topic
    return ORDER.index(what), name, currency or ""


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """How often each event happened, at least and at most; where there is none, revenue."""
    what = EVENT if any(row["what"] == EVENT for row in rows) else REVENUE
    topics = [
        {**row, "high": row["least"] if row["most"] is None else row["most"]}
        for row in rows
        if row["what"] == what
    ]
    fields = ("least", "least", "high")
    return charts.bands(topics, ("name", *by), fields, f"{what.capitalize()}, at least to most")


EVENTS = Report(
    title="Events and revenue, as far as the values say",
    dimensions=tuple(name for name in cells.DIMENSIONS if name != "verdict"),
    usually=("window",),
    measures=("what", "name", "postbacks", "certain", "least", "most", "currency"),
    rows=rows,
    chart=chart,
    count="postbacks",
    has_amounts=True,
)
