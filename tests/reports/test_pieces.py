"""A period is summed from months, days and hours: all of it, and nothing twice."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.reports import cells, pieces
from skan_receiver.reports.cells import CELL, N
from skan_receiver.reports.period import Period
from skan_receiver.reports.pieces import Piece
from skan_receiver.reports.question import Question
from skan_receiver.storage import Store
from tests.counted import write_counts

FIRST = datetime(2026, 1, 29, tzinfo=UTC)
HOURS = st.integers(0, 24 * 70)


def moment(at: date) -> datetime:
    return at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)


@given(HOURS, st.integers(1, 24 * 70), st.booleans())
def test_pieces_follow_one_another(start: int, length: int, values: bool) -> None:  # drawn
    """Where one ends the next begins, from the period's start to its end; whole months as such."""
    begins = FIRST + timedelta(hours=start)
    period = Period(begins, begins + timedelta(hours=length))
    for split in (pieces.days, pieces.months):
        found = list(split(period, values=values))
        ends = [moment(piece.end) for piece in found]
        assert [moment(piece.start) for piece in found] == [period.start, *ends[:-1]]
        assert ends[-1] == period.end
        assert all(piece.start < piece.end for piece in found)
        assert all(_is_whole(piece) for piece in found)


def _is_whole(piece: Piece) -> bool:
    if piece.counts is pieces.MONTHS:
        return piece.start.day == piece.end.day == 1
    return piece.counts is pieces.HOURS or not isinstance(piece.start, datetime)


def cell(**members: object) -> dict[str, object]:
    usual = {
        "app_id": 42,
        "ad_network_id": "network",
        "framework": "skadnetwork",
        "version": "4.0",
        "window": 0,
        "verdict": "valid",
        "counted": True,
        "conversion_type": "download",
        "did_win": True,
        "coarse_value": None,
        "n": 1,
    }
    return usual | members


@pytest.mark.parametrize("by", [(), ("day",), ("app_id",), ("day", "window")])
@pytest.mark.parametrize("valued", [True, False])
def test_a_sum_is_the_same_of_hours_alone(
    store: Store, by: tuple[str, ...], *, valued: bool
) -> None:
    """Whichever counts it is made from; edges within a day, and within a month."""
    write_counts(
        store,
        (
            cell(
                hour=FIRST + timedelta(hours=hour),
                app_id=40 + hour % 3,
                window=hour % 2,
                fine_value=hour % 5 if hour % 2 == 0 else None,
            )
            for hour in range(24 * 70)
        ),
    )
    value = (CELL.c.fine_value,) if valued else ()
    start, end = FIRST + timedelta(hours=7), FIRST + timedelta(days=65, hours=3)
    total = cells.total(N, "n")
    with store.read() as connection:
        found = cells.sums(
            connection, Question(period=Period(start, end), by=by), also=value, amounts=[total]
        )
        hourly = cells.sums(
            connection,
            Question(period=Period(start, end), by=(*by, "hour")),
            also=value,
            amounts=[total],
        )
    alone: dict[tuple[object, ...], int] = {}
    for row in hourly:
        key = tuple(value for name, value in row.items() if name not in ("hour", "n"))
        alone[key] = alone.get(key, 0) + row["n"]
    assert {tuple(row.values())[:-1]: row["n"] for row in found} == alone
    assert sum(alone.values()) == (end - start) / timedelta(hours=1)
