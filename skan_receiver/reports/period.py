"""From when to when, in whole hours: the grain of every count.

A period may be of another time zone's days. An hour belongs to the day in which it begins there,
which matters only where a zone is off by a part of an hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
USUAL_DAYS = 30

# Days of another zone are sums of hours: one request must not keep a process busy.
LONGEST_OF_A_ZONE = 3_660 * DAY


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
        unless they say otherwise. Within an hour, all of it is meant; where clocks are off by a
        part of an hour, the hours that begin in the period.

        Nothing said: the last 30 days, to this hour. Raises ValueError with what is wrong.
        """
        upto = _moment(end, zone, last=True) if end else _ceiling(now)
        since = _moment(start, zone, last=False) if start else _days_before(upto, zone)
        if since >= upto:
            raise ValueError(f"the period ends ({upto:%Y-%m-%dT%H:%MZ}) before it begins")
        if zone is not UTC and upto - since > LONGEST_OF_A_ZONE:
            raise ValueError("more than ten years of another time zone's days; "
                             "write a shorter period, or leave the zone out")  # fmt: skip
        return cls(since, upto, zone)

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.end - self.start) / DAY

    @property
    def first_day(self) -> date:
        """The zone's day that it begins on."""
        return self.start.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        """The zone's day that its last hour begins on."""
        return (self.end - HOUR).astimezone(self.zone).date()

    @property
    def dates(self) -> "Period":
        """The UTC days that have the dates of the days it touches; for what is counted by day."""
        return Period(_midnight(self.first_day, UTC), _midnight(self.last_day + DAY, UTC))

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
    """The UTC hour at which a period begins, or ends."""
    try:
        if (day := _day(written)) is not None:
            return _sane(_midnight(day + DAY if last else day, zone))
        # A "+" that nobody escaped in a URL arrives as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+"))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return _hour(_sane(aware.astimezone(UTC)), zone, last=last)
    except (ValueError, OverflowError):
        raise ValueError(f"{written!r} is no date; write 2026-11-01 or 2026-11-01T14:00") from None


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _hour(moment: datetime, zone: tzinfo, *, last: bool) -> datetime:
    """All of a zone's hour; where those are none of UTC's, the hours that begin from then on."""
    is_whole = not _ahead(moment, zone) % HOUR
    return _floor(moment) if is_whole and not last else _ceiling(moment)


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
