"""From when to when, in whole hours: the grain of every count.

A period may be of another time zone's days. An hour belongs to the day in which it begins there,
which matters only where a zone is off by a part of an hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """The hours from `start` up to `end`, without the one that begins at `end`.

    Days are those of `zone`.
    """

    start: datetime
    end: datetime
    zone: tzinfo = UTC

    @classmethod
    def of(cls, start: str | None, end: str | None, now: datetime, zone: tzinfo = UTC) -> "Period":
        """Read what people write: `2026-11-01` is a whole day, first and last alike;
        `2026-11-01T14:00` is an hour, and as an end is itself left out. Both are of `zone`
        unless they say otherwise.

        Nothing said: the last 30 days, to this hour. Raises ValueError with what is wrong.
        """
        upto = _moment(end, zone, last=True) if end else _ceiling(now)
        since = _moment(start, zone, last=False) if start else _days_before(upto, zone)
        if since >= upto:
            raise ValueError(f"the period ends ({upto:%Y-%m-%dT%H:%MZ}) before it begins")
        return cls(_floor(since), _ceiling(upto), zone)

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.end - self.start) / DAY

    @property
    def dates(self) -> "Period":
        """The UTC days that have the dates of this period's days; for what is counted by UTC day.

        In UTC itself that is the same, also where it begins within a day.
        """
        if self.zone is UTC:
            return self
        first = self.start.astimezone(self.zone).date()
        last = (self.end - timedelta.resolution).astimezone(self.zone).date()
        return Period(_midnight(first, UTC), _midnight(last + DAY, UTC))

    def offsets(self) -> Iterator[tuple[datetime, timedelta]]:
        """How far the zone's clocks are ahead of UTC: from which hour on, and by how much."""
        at, last = self.start, self.end - HOUR
        yield at, _ahead(at, self.zone)
        while at < last:
            then = min(at + DAY, last)
            if _ahead(then, self.zone) != _ahead(at, self.zone):
                yield _changed(at, then, self.zone), _ahead(then, self.zone)
            at = then


def zone_named(name: str) -> tzinfo:
    """A time zone by its name in the IANA database. Raises ValueError with the remedy."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one like Europe/Berlin") from None


def _ahead(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _changed(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first hour between the two whose offset is no longer that of `before`."""
    was = _ahead(before, zone)
    at = before
    while at < after and _ahead(at, zone) == was:
        at += HOUR
    return at


def _moment(written: str, zone: tzinfo, *, last: bool) -> datetime:
    try:
        if len(written) == len("2026-11-01"):
            day = date.fromisoformat(written)
            return _sane(_midnight(day + DAY if last else day, zone))
        # A "+" that nobody escaped in a URL arrives as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+"))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return _sane(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"{written!r} is no date; write 2026-11-01 or 2026-11-01T14:00") from None


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The first hour that begins on a day."""
    return _ceiling(datetime.combine(day, time(), zone).astimezone(UTC))


def _sane(moment: datetime) -> datetime:
    """Leave room to add and take away days."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError(moment)
    return moment


def _days_before(upto: datetime, zone: tzinfo) -> datetime:
    return _midnight((upto - USUAL_DAYS * DAY).astimezone(zone).date(), zone)


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    floor = _floor(moment)
    return floor if floor == moment else floor + HOUR
