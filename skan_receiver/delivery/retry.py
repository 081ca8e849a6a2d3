"""When to try again, and when to stop trying."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random

from skan_receiver.storage.deliveries import DEAD, DONE, OWED

MINUTE, HOUR = 60, 3600
LONGEST = timedelta(hours=24)

# After the first try at once: twelve tries over about 76 hours, as Standard Webhooks advises.
USUAL = (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 5, 10, 14, 20, 24)))

# The request itself is refused: a person has to change something, which takes hours.
REFUSED = (HOUR, 5 * HOUR, 18 * HOUR)

# What passes by itself although it is a 4xx: time-out, too early, too many.
PASSING = (408, 425, 429)
GONE = 410

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Next:
    """The state a delivery goes to, and how long until it is due, where it is owed."""

    state: str
    again: timedelta = timedelta(0)


class Retry:
    """The policy, as a value with one method."""

    def __init__(self, chance: Random | None = None) -> None:
        self._chance = chance or Random()  # noqa: S311  # jitter, no secret

    def after(
        self,
        attempts: int,
        status: int | None,
        *,
        permanent: bool = False,
        retry_after: str | None = None,
        now: datetime | None = None,
    ) -> Next:
        """What follows the try number `attempts` (1 is the first).

        `status` is None where there was no answer; `permanent` says that none can come.
        """
        if status is not None and 200 <= status < 300:
            return Next(DONE)
        if permanent or status == GONE:
            return Next(DEAD)
        delays = REFUSED if _refused(status) else USUAL
        if attempts > len(delays):
            return Next(DEAD)
        step = timedelta(
            seconds=delays[attempts - 1] * self._chance.uniform(1 - JITTER, 1 + JITTER)
        )
        asked = _asked(retry_after, now or datetime.now(UTC))
        return Next(OWED, min(max(step, asked), LONGEST))


def _refused(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in PASSING


def _asked(retry_after: str | None, now: datetime) -> timedelta:
    """Retry-After in either of its forms; nothing where it is neither."""
    if retry_after is None:
        return timedelta(0)
    if retry_after.strip().isdecimal():
        return timedelta(seconds=min(int(retry_after), 10**6))
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return timedelta(0)
    return moment - now if moment.tzinfo else timedelta(0)
