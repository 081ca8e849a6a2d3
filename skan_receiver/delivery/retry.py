"""When to try again, and when to stop trying."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random

from skan_receiver.storage.deliveries import DEAD, DONE, OWED

MINUTE, HOUR = 60, 3600
LONGEST = timedelta(hours=24)

# The waits after the first try, which is made at once: twelve tries over about 76 hours.
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
USUAL = (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 5, 10, 14, 20, 24)))

# The request itself is refused: a person has to change something, which takes hours.
REFUSED = (HOUR, 5 * HOUR, 18 * HOUR)

# What passes by itself although it is a 4xx: time-out, too early, too many.
PASSING = (408, 425, 429)
# Nobody will ever listen there again; the destination is closed, and what it is owed waits.
GONE = 410

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Try:
    """How a try ended. `status` is None where there was no answer."""

    number: int  # 1 is the first
    status: int | None
    permanent: bool = False  # no answer, and none can come
    refusals: int = 0  # earlier tries that were refused as this one may be
    retry_after: str | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the request, rather than the moment, was the reason."""
        return self.status is not None and (
            400 <= self.status < 500 and self.status not in (*PASSING, GONE)
        )


@dataclass(frozen=True, slots=True)
class Next:
    """The state a delivery goes to, and how long until it is due, where it is owed."""

    state: str
    again: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Retry:
    """The policy: waits in seconds, by how often it was tried."""

    usual: tuple[float, ...] = USUAL
    refused: tuple[float, ...] = REFUSED
    chance: Random = field(default_factory=Random)

    def after(self, tried: Try, now: datetime) -> Next:
        """What follows a try that ended at `now`.

        A wait is spread by a fifth either way, so that what failed together does not come back
        together. A destination may ask for a longer one, up to a day, and not for a shorter.
        """
        if tried.taken:
            return Next(DONE)
        if tried.permanent:
            return Next(DEAD)
        waits, done = self.usual, tried.number
        if tried.refused:
            waits, done = self.refused, tried.refusals + 1
        if done > len(waits):
            return Next(DEAD)
        wait = waits[done - 1] * self.chance.uniform(1 - JITTER, 1 + JITTER)
        asked = min(_asked(tried.retry_after, now), LONGEST)
        return Next(OWED, max(timedelta(seconds=wait), asked))


def _asked(retry_after: str | None, now: datetime) -> timedelta:
    """Retry-After in either of its forms (RFC 9110, 10.2.3); nothing where it is neither."""
    if retry_after is None:
        return timedelta(0)
    if retry_after.strip().isdecimal():
        return timedelta(seconds=min(int(retry_after[:9]), 10**6))
    try:
        moment = parsedate_to_datetime(retry_after)
        return moment - now if moment.tzinfo else timedelta(0)
    except (ValueError, OverflowError):  # a year of eleven digits
        return timedelta(0)
