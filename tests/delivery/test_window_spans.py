"""Hours, days and weeks, in UTC."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.delivery.window_spans import Length, Span, containing, over


@pytest.mark.parametrize(
    ("length", "start", "end"),
    [
        ("hour", "2026-12-31T23:00", "2027-01-01T00:00"),
        ("day", "2026-12-31", "2027-01-01"),
        ("week", "2026-12-28", "2027-01-04"),  # Monday to Monday, across New Year
    ],
)
def test_a_moment_is_in_one_window(length: Length, start: str, end: str) -> None:
    """The last second of a year; the first of the next one only where they share a week."""
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    moment = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)

    span = containing(length, moment)

    assert span == Span(first, last)
    assert containing(length, first) == span
    assert containing(length, last) == span.next


moments = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    st.sampled_from(["hour", "day", "week"]),
    moments,
    st.timedeltas(timedelta(), timedelta(days=40)),
)
def test_windows_follow_each_other_without_gaps(
    length: Length, since: datetime, passed: timedelta
) -> None:
    """From the one that holds the beginning to the last that is over."""
    by = since + passed

    spans = list(over(length, since, by))

    assert all(one.end == other.start for one, other in pairwise(spans))
    assert all(span.end <= by for span in spans)
    rest = spans[-1].next if spans else containing(length, since)
    assert rest.end > by
    assert not spans or spans[0].start <= since < spans[0].end
