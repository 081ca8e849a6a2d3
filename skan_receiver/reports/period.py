"""From when to when, in UTC and whole hours: the grain of every count."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """The hours from `start` up to `end`, without the one that begins at `end`."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: str | None, end: str | None, now: datetime) -> "Period":
        """Read what people write: `2026-11-01` is a whole day, first and last alike;
        `2026-11-01T14:00` is an hour, and as an end is itself left out.

        Nothing said: the last 30 days, to this hour. Raises ValueError with what is wrong.
        """
        upto = _moment(end, last=True) if end else _ceiling(now)
        since = _moment(start, last=False) if start else _days_before(upto)
        if since >= upto:
            raise ValueError(f"the period ends ({upto:%Y-%m-%dT%H:%MZ}) before it begins")
        return cls(_floor(since), _ceiling(upto))

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.end - self.start) / DAY


def _moment(written: str, *, last: bool) -> datetime:
    try:
        if len(written) == len("2026-11-01"):
            day = _sane(datetime.combine(date.fromisoformat(written), time(), UTC))
            return day + DAY if last else day
        # A "+" that nobody escaped in a URL arrives as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+"))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return _sane(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"{written!r} is no date; write 2026-11-01 or 2026-11-01T14:00") from None


def _sane(moment: datetime) -> datetime:
    """Leave room to add and take away days."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError(moment)
    return moment


def _days_before(upto: datetime) -> datetime:
    return (upto - USUAL_DAYS * DAY).replace(hour=0)


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    floor = _floor(moment)
    return floor if floor == moment else floor + HOUR
