"""What people write for a period, and what is meant."""

from datetime import UTC, date, datetime, timedelta

import pytest

from skan_receiver.reports import Period
from skan_receiver.reports.period import zone_named

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
        ("20261101", "20261101", Period(hour(1), hour(2))),
        ("20261101T14", "20261101T16", Period(hour(1, 14), hour(1, 16))),
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


BERLIN = zone_named("Europe/Berlin")


def test_a_day_elsewhere_begins_when_it_begins_there() -> None:
    """The 1st of November of Berlin begins at 23:00 UTC of the day before."""
    period = Period.of("2026-11-01", "2026-11-02", NOW, BERLIN)
    assert (period.start, period.end) == (hour(31, 23, month=10), hour(2, 23))
    assert period.dates == Period(hour(1), hour(3))


def test_the_usual_month_begins_with_a_day_of_the_zone() -> None:
    """Whatever the zone, the first day is whole."""
    since = Period.of(None, None, NOW, BERLIN).start
    assert since.astimezone(BERLIN).hour == 0


def test_an_hour_belongs_to_the_day_in_which_it_begins() -> None:
    """Where clocks are half an hour off, days begin with the first whole UTC hour."""
    period = Period.of("2026-11-01", "2026-11-01", NOW, zone_named("Asia/Kolkata"))
    assert (period.start, period.end) == (hour(31, 19, month=10), hour(1, 19))


def test_moments_where_clocks_are_half_an_hour_off_mean_the_hours_that_begin_in_them() -> None:
    """So that a day said as two midnights is the day, and UTC's own hours are themselves."""
    kolkata = zone_named("Asia/Kolkata")
    day = Period.of("2026-11-01", "2026-11-01", NOW, kolkata)
    assert Period.of("2026-11-01T00:00", "2026-11-02T00:00", NOW, kolkata) == day
    assert Period.of("2026-11-01T00:20", "2026-11-02T00:10", NOW, kolkata) == day
    found = Period.of("2026-11-01T07:00Z", "2026-11-01T09:00Z", NOW, kolkata)
    assert (found.start, found.end) == (hour(1, 7), hour(1, 9))


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Europe/Berlin"]
)
def test_a_day_has_the_date_of_that_day_alone(zone: str) -> None:
    """Also where its last hour ends on the next one."""
    period = Period.of("2026-11-01", "2026-11-01", NOW, zone_named(zone))
    assert (period.first_day, period.last_day) == (date(2026, 11, 1), date(2026, 11, 1))
    assert period.dates == Period(hour(1), hour(2))


def test_what_is_counted_by_day_has_whole_days() -> None:
    """A period within a day touches it, in UTC as anywhere."""
    period = Period.of("2026-11-01T05:00", "2026-11-01T23:00", NOW)
    assert period.dates == Period(hour(1), hour(2))


def test_centuries_of_another_zone_are_refused() -> None:
    """Each of their hours would be looked at; in UTC there are sums of months."""
    assert Period.of("1970-01-01", "8999-12-31", NOW).days > 2_500_000
    assert Period.of("2016-12-01", "2026-11-30", NOW, BERLIN).days > 3_600
    with pytest.raises(ValueError, match="write a shorter period, or leave the zone out"):
        Period.of("2010-01-01", "2026-11-30", NOW, BERLIN)


def test_clocks_that_change_are_known_to_the_hour() -> None:
    """Summer time ends in Berlin at 01:00 UTC on the last Sunday of October."""
    for end in ("2026-10-25", "2026-11-05"):
        period = Period.of("2026-10-20", end, NOW, BERLIN)
        assert list(period.offsets()) == [
            (period.start, timedelta(hours=2)),
            (hour(25, 1, month=10), timedelta(hours=1)),
        ]


@pytest.mark.parametrize("name", ["Nowhere/Town", "../../etc/passwd", "", "Europe"])
def test_a_zone_nobody_knows_is_said_in_words(name: str) -> None:
    """With one that is right."""
    with pytest.raises(ValueError, match="Europe/Berlin"):
        zone_named(name)
