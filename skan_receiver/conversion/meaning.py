"""What one value says: the noun that every report, page and export speaks of."""

from dataclasses import dataclass
from typing import Any

from skan_receiver.conversion.boxes import TIME, Dimension, Point, holds
from skan_receiver.conversion.ranges import ANY, ENDLESS, NEVER, Range
from skan_receiver.conversion.words import in_words

Value = int | str

FINE: tuple[Value, ...] = tuple(range(64))
COARSE: tuple[Value, ...] = ("low", "medium", "high")

_IS = Range((1.0, 0))


def rank(value: Value) -> int:
    """Fine values rank by number, coarse ones low, medium, high."""
    return COARSE.index(value) if value in COARSE else FINE.index(value)


@dataclass(frozen=True, slots=True)
class Revenue:
    """An interval of revenue."""

    kind: str  # iap, ad, total (both together), or event: that of one event
    currency: str
    range: Range
    tail: float | None = None  # the mean the schema states for a range that is open to the top

    @property
    def min(self) -> float:
        return self.range.min

    @property
    def max(self) -> float | None:
        return self.range.max

    @property
    def middle(self) -> float | None:
        """The middle of the interval, the stated tail where it has no top, else None."""
        return self.tail if self.max is None else (self.min + self.max) / 2

    def as_dict(self) -> dict[str, Any]:
        tail = {} if self.tail is None else {"tail": self.tail}
        return {"kind": self.kind, "currency": self.currency, **self.range.as_dict(), **tail}


@dataclass(frozen=True, slots=True)
class EventCount:
    """How often an event happened: `min` to `max` times, both included, None for no limit."""

    name: str
    min: int
    max: int | None
    revenue: Revenue | None = None  # what this event alone brought in

    @property
    def counts(self) -> Range:
        return Range((self.min, 0), ENDLESS if self.max is None else (self.max, 1))

    def as_dict(self) -> dict[str, Any]:
        revenue = {} if self.revenue is None else {"revenue": self.revenue.as_dict()}
        return {"event": self.name, "min": self.min, "max": self.max, **revenue}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one value in one window says of a user, at the moment the app set it.

    What is not mentioned is unknown: it is not "no". In windows 1 and 2, counts and revenue
    are those of the window itself unless `since_install`.
    """

    window: int
    value: Value
    label: str = ""
    events: tuple[EventCount, ...] = ()
    revenue: tuple[Revenue, ...] = ()
    time: Range | None = None  # hours from the install to the user's last activity
    flags: tuple[tuple[str, bool], ...] = ()
    since_install: bool = False

    def revenue_of(self, kind: str = "total") -> Revenue | None:
        return next((revenue for revenue in self.revenue if revenue.kind == kind), None)

    def event(self, name: str) -> EventCount | None:
        return next((event for event in self.events if event.name == name), None)

    def allows(self, user: Point) -> bool:
        """Whether the value can be that of a user of whom `user` is true."""
        worth = [(event.name, event.revenue) for event in self.events if event.revenue]
        told = (
            *((Dimension("event", event.name), event.counts) for event in self.events),
            *((Dimension("event revenue", name), revenue.range) for name, revenue in worth),
            *((Dimension("revenue", revenue.kind), revenue.range) for revenue in self.revenue),
            *((Dimension("flag", name), _IS if is_set else NEVER) for name, is_set in self.flags),
            (TIME, self.time or ANY),
        )
        return holds(dict(told), user)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "window": self.window,
            "value": self.value,
            "label": self.label,
            "events": [event.as_dict() for event in self.events],
            "revenue": [revenue.as_dict() for revenue in self.revenue],
            "hours_since_install": None if self.time is None else self.time.as_dict(),
            "flags": dict(self.flags),
            "since_install": self.since_install,
        }

    def __str__(self) -> str:
        return in_words(self)
