"""What people write for a period, and what is meant."""

from datetime import UTC, datetime

import pytest

from skan_receiver.reports import Period

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def hour(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-01", "2026-11-30", Period(hour(1), hour(1, month=12))),
        ("2026-11-01", "2026-11-01", Period(hour(1), hour(2))),
        ("2026-11-01T14:00", "2026-11-01T16:00", Period(hour(1, 14), hour(1, 16))),
        ("2026-11-01T14:20", "2026-11-01T15:20", Period(hour(1, 14), hour(1, 16))),
        ("2026-11-01T14:00+02:00", "2026-11-01", Period(hour(1, 12), hour(2))),
        ("2026-11-01T14:00 02:00", "2026-11-01", Period(hour(1, 12), hour(2))),
        (None, None, Period(hour(24, month=10), hour(23, 13))),
        (None, "2026-11-10", Period(hour(12, month=10), hour(11))),
        ("2026-11-20", None, Period(hour(20), hour(23, 13))),
    ],
)
def test_a_day_is_whole_and_an_hour_is_where_one_stops(
    start: str | None, end: str | None, expected: Period
) -> None:
    """From the 1st to the 30th is all of November; from 14:00 to 16:00 is two hours."""
    assert Period.of(start, end, NOW) == expected


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("yesterday", None),
        ("2026-11-31", None),
        ("0001-01-01", "0001-01-02T00:00+14:00"),
        (None, "9999-12-31"),
        (None, "0001-01-01"),
        ("2026-11-02", "2026-11-01"),
        ("2026-11-01T14:00", "2026-11-01T14:00"),
    ],
)
def test_what_is_no_period_is_said_in_words(start: str | None, end: str | None) -> None:
    """Whoever wrote it learns what to write, whatever it was."""
    with pytest.raises(ValueError, match=r"no date|before it begins"):
        Period.of(start, end, NOW)
