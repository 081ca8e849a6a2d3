"""What an estimate is made from: winning postbacks that count, by day and source."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_

from skan_receiver.conversion.encode import RISING_ONLY, VALUELESS
from skan_receiver.estimating.scales import RE_ENGAGEMENT
from skan_receiver.reports import Filters, Period, Question
from skan_receiver.reports.cells import CELL, NARROW, PLACE, WIDE, Grain, N, sums, total
from skan_receiver.storage.counts import ABSENT, NOTHING

DAY, WEEK = timedelta(days=1), timedelta(days=7)

# All that each of Apple's tiers shows of a source identifier: its last digits.
ALWAYS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Span:
    """Whole weeks of UTC days, the last one as far as it has come."""

    start: datetime  # a Monday
    end: datetime

    @classmethod
    def of(cls, days: int, now: datetime) -> "Span":
        """At least `days` up to and with today."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        first = today - (days - 1) * DAY
        return cls(first - first.weekday() * DAY, today + DAY)

    @property
    def days(self) -> int:
        return (self.end - self.start) // DAY

    @property
    def weeks(self) -> int:
        return -(-self.days // 7)

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)

    def pieces(self) -> Iterator[Period]:
        """A week at a time: what is in memory at once."""
        for number in range(self.weeks):
            start = self.start + number * WEEK
            yield Period(start, min(start + WEEK, self.end))


class Arrival(NamedTuple):
    """Postbacks that are alike."""

    day: int  # of the span
    network: str
    source: str  # the last two digits of the source identifier; before, the campaign id
    digits: int  # that were shown
    is_early: bool  # up to SKAdNetwork 3
    publisher: bool
    re_engaged: bool
    fine: int | None
    coarse: str | None
    n: int


def arrivals(connection: Connection, app_id: int, window: int, span: Span) -> Iterator[Arrival]:
    """Those of an app and window, from the counts by day."""
    app, domain = PLACE["source_app_id"], PLACE["source_domain"]
    publisher = or_(app != ABSENT, domain != NOTHING).label("publisher")
    also = CELL.c.fine_value, CELL.c.coarse_value, CELL.c.conversion_type, publisher
    filters = Filters(app_id=app_id, window=window)
    by = "day", "ad_network_id", "version", "source_identifier"
    for piece in span.pieces():
        question = Question(period=piece, by=by, filters=filters)
        for row in _won(connection, question, WIDE, also):
            yield _arrival(row, span)


def _arrival(row: dict[str, Any], span: Span) -> Arrival:
    early = row["version"] in RISING_ONLY
    identifier = row["source_identifier"]
    return Arrival(
        day=(row["day"] - span.start.date()).days,
        network=row["ad_network_id"],
        source=identifier if early else identifier[-ALWAYS_SHOWN:],
        digits=0 if early else len(identifier),
        is_early=early,
        publisher=bool(row["publisher"]),
        re_engaged=row["conversion_type"] == RE_ENGAGEMENT,
        fine=None if row["fine_value"] == ABSENT else row["fine_value"],
        coarse=None if row["coarse_value"] == NOTHING else row["coarse_value"],
        n=row["n"],
    )


def installs(connection: Connection, app_id: int, period: Period) -> Iterator[dict[str, Any]]:
    """Installs as reports count them, by day of arrival, network and version."""
    question = Question(
        period=period,
        by=("day", "ad_network_id", "version"),
        filters=Filters(app_id=app_id, window=0),
    )
    yield from _won(connection, question, NARROW, (), CELL.c.conversion_type == "download")


def apps(connection: Connection, span: Span) -> list[int]:
    """Those of which something counts."""
    rows = _won(connection, Question(period=span.period, by=("app_id",)), NARROW)
    return [row["app_id"] for row in rows if row["n"]]


def windows(connection: Connection, app_id: int, span: Span) -> list[int]:
    """Those of an app of which something counts."""
    question = Question(period=span.period, by=("window",), filters=Filters(app_id=app_id))
    return [row["window"] for row in _won(connection, question, NARROW) if row["n"]]


def is_all(connection: Connection, app_id: int, span: Span) -> bool:
    """Whether nothing of an app counts that came before."""
    ever = replace(span.period, start=datetime(2000, 1, 1, tzinfo=span.start.tzinfo))
    before = Question(period=replace(ever, end=span.start), filters=Filters(app_id=app_id))
    return not any(row["n"] for row in _won(connection, before, NARROW))


def fingerprint(connection: Connection, app_id: int, span: Span) -> list[tuple[Any, ...]]:
    """What an estimate would be made from, in short: it changes as that does."""
    by = "day", "ad_network_id", "version", "window"
    question = Question(period=span.period, by=by, filters=Filters(app_id=app_id))
    also = CELL.c.conversion_type, CELL.c.fine_value, CELL.c.coarse_value
    return [tuple(row.values()) for row in _won(connection, question, NARROW, also)]


def _won(
    connection: Connection, question: Question, grain: Grain, also: Any = (), *only: Any
) -> list[dict[str, Any]]:
    return sums(
        connection,
        question,
        also=also,
        amounts=(total(N, "n"),),
        only=(CELL.c.counted, CELL.c.did_win, CELL.c.version != VALUELESS, *only),
        grain=grain,
    )
