"""What came, and what it was worth: the table that a partner or a bidder is sent.

Only what counts and has won is looked at. Where a row is split by where the ad was or where the
user is, it comes from the counts by day, which know no hour: what arrived on a day is then read
as if it had arrived at midday.

By `install`, a postback is dated back to its usual install (`timing.usual_install`). Of many that
is a fair estimate; a single one may be of another day.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, true

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.timing import CLOCKS, usual_install
from skan_receiver.reports import cells, charts, money, naming
from skan_receiver.reports.cells import CELL, DAY, NARROW, PLACES, WIDE, Grain, N
from skan_receiver.reports.clock import AT, day_of
from skan_receiver.reports.folding import HOUR, MEANT, Folded, folded
from skan_receiver.reports.naming import NAMED
from skan_receiver.reports.question import ARRIVAL, BASES, Question
from skan_receiver.reports.report import Report, Rows
from skan_receiver.reports.stretches import stretches
from skan_receiver.reports.tally import Result, Tally
from skan_receiver.storage.counts import ABSENT, NOTHING
from skan_receiver.storage.meanings import Book
from skan_receiver.storage.schemas import Version, history

MIDDAY = timedelta(hours=12)

# Counted by day only: where the ad was, where the user is, and what the campaign table makes of it.
BY_DAY = (*PLACES, *NAMED)


def rows(
    connection: Connection, question: Question, tally: Callable[[], Tally] = Tally
) -> list[Result]:
    """Results of a period, by arrival or by usual install; each group is summed by a `tally`.

    Of the counts by day, the UTC days with the period's dates; a row of them has no hour.
    """
    grain = WIDE if set(question.by) & set(BY_DAY) else NARROW
    by = tuple(name for name in question.by if name in (*grain.dimensions, *NAMED))
    found: defaultdict[tuple[Any, ...], Tally] = defaultdict(tally)
    for of in gathered(connection, question.but(by=by)):
        found[of.group].add(of.cell, of.n, of.readings, of.exchange)
    return [
        found[key].result(dict(zip(by, key, strict=True)))
        for key in sorted(found, key=_rank)
        if found[key].postbacks
    ]


def gathered(connection: Connection, question: Question) -> Iterator[Folded]:
    """What has won."""
    grain = WIDE if set(question.by) & set(BY_DAY) else NARROW
    period = question.period if grain is NARROW else question.period.dates
    question = question.but(period=period)
    versions = history(connection, question.filters.app)
    book = Book(versions)
    names = naming.load_naming(connection) if set(question.by) & set(NAMED) else None
    exchanges, split = money.exchanges(connection, question), money.dated(question)
    for dated in _dated(grain, question.basis):
        won = dated.won(connection, split, versions)
        named = ({**row, **names.of_row(row)} if names else row for row in won)
        yield from folded(dated.grouped(named, question), exchanges, book)


@dataclass(frozen=True, slots=True)
class _Dated:
    """Cells that are dated alike."""

    grain: Grain
    windows: Sequence[int]
    only: ColumnElement[bool]
    ago: timedelta | None = None  # so long before they arrived; None: as they arrived

    def won(
        self, connection: Connection, question: Question, versions: Sequence[Version]
    ) -> Iterator[dict[str, Any]]:
        """Those of a period, by what their rows are split by and by what they mean."""
        ago, period = self.ago or timedelta(), question.period
        arrived = replace(period, start=period.start + ago, end=period.end + ago)
        dates = [] if self.ago is None else [n for n in ("hour", "day") if n in question.by]
        others = tuple(name for name in question.by if name not in (*dates, *NAMED))
        asked = question.but(period=arrived, by=others)
        only = CELL.c.counted, CELL.c.did_win, self.only
        if self.grain is WIDE:
            named = naming.columns(question.by) if set(question.by) & set(NAMED) else ()
            also = (*named, *([DAY.label("at")] if dates else ()))
            yield from _by_place(connection, asked, also, only)
            return
        when = day_of(period, ago).label("day_of_install") if dates == ["day"] else AT.label("at")
        by_hour = "hour" in question.by
        for stretch in stretches(versions, arrived, self.windows, by_hour=by_hour):
            yield from stretch.sums(connection, asked, also=[when] if dates else (), only=only)

    def group(self, row: Mapping[str, Any], question: Question) -> tuple[Any, ...]:
        """The group of a cell."""
        if "day_of_install" in row:
            row = {**row, "day": date.fromisoformat(str(row["day_of_install"]))}
        if self.ago is not None and "at" in row:
            at = _moment(row["at"]) - self.ago
            row = {**row, "hour": at, "day": at.astimezone(question.period.zone).date()}
        return tuple(_present(name, row[name]) for name in question.by)

    def grouped(
        self, rows: Iterable[Mapping[str, Any]], question: Question
    ) -> Iterator[tuple[tuple[Any, ...], date | None, Mapping[str, Any]]]:
        """Cells with their groups, and the days by whose rates their amounts are converted."""
        split = money.dated(question)
        at = split.by.index("day") if question.currency else None
        for row in rows:
            key = self.group(row, split)
            yield key[: len(question.by)], None if at is None else key[at], row


def _by_place(
    connection: Connection,
    question: Question,
    also: Sequence[ColumnElement[Any]],
    only: Sequence[ColumnElement[bool]],
) -> Iterator[dict[str, Any]]:
    for row in cells.sums(
        connection,
        question,
        also=(*MEANT, DAY.label(HOUR), *also),
        amounts=(cells.total(N, "n"),),
        only=only,
        grain=WIDE,
    ):
        yield row | {HOUR: _moment(row[HOUR], into=MIDDAY)}


def _moment(at: date, into: timedelta = timedelta()) -> datetime:
    """Of a day, so far into it."""
    return at if isinstance(at, datetime) else datetime.combine(at, time(), UTC) + into


def _dated(grain: Grain, basis: str) -> Iterator[_Dated]:
    if basis == ARRIVAL:
        yield _Dated(grain, range(len(CLOCKS)), true())
        return
    midday = MIDDAY if grain is WIDE else timedelta()
    early = CELL.c.version.in_(RISING_ONLY)
    yield _Dated(grain, (0,), early, usual_install(RISING_ONLY[0], 0) - midday)
    for window in range(len(CLOCKS)):
        later = and_(~early, CELL.c.window == window)
        yield _Dated(grain, (window,), later, usual_install("", window) - midday)


def _present(name: str, value: Any) -> Any:
    """A key of counts may not hold NULL, a row of a report may."""
    absent = ABSENT if name == "source_app_id" else NOTHING
    return None if name in PLACES and value == absent else value


def _rank(key: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    """In order, what is absent first."""
    return tuple((value is not None, value) for value in key)


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """Installs over time, or by group."""
    return charts.bars(rows, by, "installs", "Installs")


RESULTS = Report(
    title="Results: what came, and what it was worth",
    dimensions=(*(name for name in cells.DIMENSIONS if name != "verdict"), *BY_DAY),
    usually=("app_id", "ad_network_id", "window"),
    measures=(
        *("postbacks", "installs", "redownloads", "reengagements", "with_value", "nulls"),
        *("null_share", "revenue_min", "revenue_max", "revenue", "currency", "currencies"),
        "events",
    ),
    rows=rows,
    chart=chart,
    count="postbacks",
    bases=BASES,
    has_amounts=True,
)
