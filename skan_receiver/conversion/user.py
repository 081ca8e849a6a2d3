"""A user, as encoding and simulations see one."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from skan_receiver.conversion.boxes import AD, IAP, TIME, TOTAL, Dimension, Point
from skan_receiver.conversion.schema import Schema


@dataclass(frozen=True, slots=True)
class UserEvent:
    """Something a user did. `currency` None is the schema's."""

    name: str
    hours: float  # since the install
    revenue: float = 0.0
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """One user of an app: all that a device can know of them."""

    events: tuple[UserEvent, ...] = ()
    flags: frozenset[str] = frozenset()
    installed: date | None = None  # for rates of currencies; None: the latest rate
    conversion_type: str | None = None  # Apple's: download, redownload, re-engagement


@dataclass(slots=True)
class Tally:
    """What a user did so far."""

    schema: Schema
    user: User
    _sums: dict[Dimension, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, event: UserEvent) -> None:
        """Count `event`. Events the schema does not know are activity, and nothing else."""
        if event.name not in self.schema.events:
            return
        self._sums[Dimension("event", event.name)] += 1
        worth = self._worth(event)
        self._sums[Dimension("event revenue", event.name)] += worth
        if (kind := self.schema.events[event.name]) is not None:
            self._sums[Dimension("revenue", kind)] += worth

    def point(self, hours: float) -> Point:
        """What is true of the user, last active `hours` after the install."""
        # Refunds can bring a sum below nothing; no schema speaks of that.
        sums = {dimension: max(0.0, number) for dimension, number in self._sums.items()}
        sums[TOTAL] = sums.get(IAP, 0.0) + sums.get(AD, 0.0)
        return sums | {TIME: hours} | {Dimension("flag", flag): 1.0 for flag in self.user.flags}

    def _worth(self, event: UserEvent) -> float:
        """Its revenue in the schema's currency; 0 where no rate is known, as SDKs have it."""
        if not event.revenue:
            return 0.0
        installed = self.user.installed
        day = None if installed is None else installed + timedelta(hours=event.hours)
        currency = event.currency or self.schema.currency
        rate = None if currency is None else self.schema.rate(currency, day)
        return event.revenue * (rate or 0.0)
