"""The hours, days and weeks that reports are made of; all in UTC, so that no clock change makes
one longer than another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Length = Literal["hour", "day", "week"]

LENGTHS: dict[Length, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class Span:
    """One of them: from `start` up to `end`."""

    start: datetime
    end: datetime

    @property
    def next(self) -> "Span":
        """The one that begins as this one ends."""
        return Span(self.end, self.end + (self.end - self.start))


def containing(length: Length, moment: datetime) -> Span:
    """The hour, the day, or the week (from Monday on) that a moment is in."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    if length != "hour":
        start = start.replace(hour=0)
    if length == "week":
        start -= timedelta(days=start.weekday())
    return Span(start, start + LENGTHS[length])


def over(length: Length, since: datetime, by: datetime) -> Iterator[Span]:
    """Those that have ended by a moment, from the one that `since` is in; the oldest first."""
    span = containing(length, since)
    while span.end <= by:
        yield span
        span = span.next
