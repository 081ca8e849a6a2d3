"""One user's events in, the values out that the device would hold: decoding backwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from skan_receiver.conversion.boxes import Point
from skan_receiver.conversion.cells import Cell
from skan_receiver.conversion.schema import Schema, Window
from skan_receiver.conversion.user import Tally, User, UserEvent

# Where Apple's windows end, in hours from the first launch.
# https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
WINDOW_ENDS = (48, 168, 840)

# Up to SKAdNetwork 3 a value can only rise, there is one window, and a timer of 24 hours, which
# every rise restarts, ends it.
# https://developer.apple.com/documentation/storekit/skadnetwork/updateconversionvalue(_:)
RISING_ONLY = ("1.0", "2.0", "2.1", "2.2", "3.0")
TIMER_HOURS = 24

# It knows no values.
VALUELESS = "1.0"


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the device holds when a window ends. None: the app set nothing."""

    window: int
    fine: int | None = None
    coarse: str | None = None
    locked_at: float | None = None  # hours from the install
    # What was true of the user when each value was last set: that is what it speaks of.
    fine_of: Point = field(default_factory=dict)
    coarse_of: Point = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "window": self.window,
            "fine": self.fine,
            "coarse": self.coarse,
            "locked_at": self.locked_at,
        }


def encode(user: User, schema: Schema, *, version: str = "4.0") -> tuple[Encoded, ...]:
    """The values of `user` in every window, as the app sets them under `schema`.

    `version` is SKAdNetwork's; AdAttributionKit behaves as 4.0. Apple then sends fine or coarse,
    or neither, as crowd anonymity allows: that is not decided here.
    """
    windows = schema.plan(user.conversion_type)
    rising = version in RISING_ONLY
    return tuple(
        _Device(window, schema, rising=rising).replay(user)
        for index, window in windows.items()
        if index == 0 or not rising
    )


class _Device:
    """One window on one phone."""

    def __init__(self, window: Window, schema: Schema, *, rising: bool) -> None:
        self.window = window
        self.schema = schema
        self.rising = rising
        self.timer = float(TIMER_HOURS)
        self.fine: tuple[int, Point] | None = None
        self.coarse: tuple[str, Point] | None = None
        self.locked_at: float | None = None

    def replay(self, user: User) -> Encoded:
        tally = Tally(self.schema, user)
        for hours, event in self._moments(user.events, tally):
            if self._over(hours):
                break
            if event is not None:
                tally.add(event)
            self._update(tally.point(hours), hours)
        fine, fine_of = self.fine or (None, {})
        coarse, coarse_of = self.coarse or (None, {})
        return Encoded(self.window.index, fine, coarse, self.locked_at, fine_of, coarse_of)

    def _moments(
        self, events: Sequence[UserEvent], tally: Tally
    ) -> Iterator[tuple[float, UserEvent | None]]:
        """The install, then each event. What came before a later window is only counted."""
        index = self.window.index
        start = WINDOW_ENDS[index - 1] if index else 0
        if not index:
            yield 0.0, None
        for event in sorted(events, key=lambda event: event.hours):
            if event.hours >= start:
                yield event.hours, event
            elif self.window.since_install:
                tally.add(event)

    def _over(self, hours: float) -> bool:
        if not self.rising:
            return self.locked_at is not None or hours >= WINDOW_ENDS[self.window.index]
        stop = self.schema.activity_timer
        return hours >= self.timer or (stop is not None and hours >= stop)

    def _update(self, user: Point, hours: float) -> None:
        fine = self.window.fine.pick(user) if self.window.fine else None
        coarse = self.window.coarse.pick(user) if self.window.coarse else None
        if self.window.fine and fine is None:
            return  # Apple's calls take a fine value: without one, nothing is sent
        if self.rising:
            self._rise(fine, user, hours)
            return
        if fine is not None:
            self.fine = int(fine.value), user
            if (goes_with := self.window.coarse_for_fine.get(fine.value)) is not None:
                self.coarse = str(goes_with), user
        if coarse is not None:
            self.coarse = str(coarse.value), user
        if (set_now := [cell for cell in (fine, coarse) if cell]) and self._locks(set_now, user):
            self.locked_at = hours

    def _rise(self, fine: Cell | None, user: Point, hours: float) -> None:
        if fine is None:
            return
        value, held = int(fine.value), -1 if self.fine is None else self.fine[0]
        if value >= held:
            self.fine = value, user
        if value > held:
            self.timer = hours + TIMER_HOURS

    def _locks(self, set_now: Sequence[Cell], user: Point) -> bool:
        fine, coarse = (held and held[0] for held in (self.fine, self.coarse))
        lock = self.window.lock
        return any(cell.lock for cell in set_now) or (
            lock is not None and lock.closes(fine, coarse, user)
        )
