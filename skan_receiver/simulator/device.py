"""The values that many phones hold, all at once: `conversion.encode`, with columns for numbers.

The k-th events of all users are taken together, for k = 1, 2, … A test holds it against `encode`,
which replays one user after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from skan_receiver.conversion.arrays import CODES
from skan_receiver.conversion.boxes import AD, IAP, TIME, TOTAL, Box, Dimension
from skan_receiver.conversion.encode import TIMER_HOURS, WINDOW_ENDS
from skan_receiver.conversion.schema import Lock, Scale, Schema, Window
from skan_receiver.simulator import rules
from skan_receiver.simulator.lives import DAYS, Deeds
from skan_receiver.simulator.rules import NEVER_SET
from skan_receiver.simulator.world import Array


@dataclass(frozen=True, slots=True)
class Held:
    """What each of some phones holds when a window closes for it, by code; absent where unset."""

    fine: Array
    coarse: Array
    closed: Array  # hours since the first launch: the lock, the timer, or the window's end

    @classmethod
    def nothing(cls, n: int) -> "Held":
        return cls(np.full(n, NEVER_SET), np.full(n, NEVER_SET), np.zeros(n))

    @property
    def set(self) -> Array:
        """Where the app set anything: without that, no postback."""
        is_set: Array = (self.fine != NEVER_SET) | (self.coarse != NEVER_SET)
        return is_set

    def put(self, users: Array, other: "Held") -> None:
        """Take over what `other` says of `users`."""
        for mine, theirs in (
            (self.fine, other.fine),
            (self.coarse, other.coarse),
            (self.closed, other.closed),
        ):
            mine[users] = theirs


@dataclass(frozen=True, slots=True)
class Course:
    """How events are read: the schema, the window's rules, and what names and money mean."""

    schema: Schema
    window: Window
    names: Sequence[str]  # of events, as `Deeds.name` counts them
    rising: bool
    installed: date
    currency: str | None = None


def hold(deeds: Deeds, n: int, course: Course) -> Held:
    """What `n` users with these deeds hold at the end of the course's window."""
    phones = _Phones(n, course)
    index = course.window.index
    start = WINDOW_ENDS[index - 1] if index else 0
    if course.window.since_install:
        phones.tally(deeds.where(deeds.hours < start))
    if index == 0:
        phones.update(np.arange(n), np.zeros(n))
    end = np.inf if course.rising else WINDOW_ENDS[index]
    for events in _rounds(deeds.where((deeds.hours >= start) & (deeds.hours < end))):
        phones.live(events)
    return phones.held


def _rounds(deeds: Deeds) -> Iterator[Deeds]:
    """Everybody's first event, everybody's second, and so on."""
    if not len(deeds):
        return
    begins = np.flatnonzero(np.diff(deeds.user, prepend=-1))
    lengths = np.diff(begins, append=len(deeds))
    turn = np.arange(len(deeds)) - np.repeat(begins, lengths)
    order = np.argsort(turn, kind="stable")
    for places in np.split(order, np.cumsum(np.bincount(turn))[:-1]):
        yield deeds.where(places)


@dataclass(slots=True)
class _Phones:
    """The state of `n` phones in one window."""

    n: int
    course: Course
    held: Held = field(init=False)
    over: Array = field(init=False)
    sums: dict[Dimension, Array] = field(init=False)
    rates: Array = field(init=False)

    def __post_init__(self) -> None:
        window = self.course.window
        self.held = Held.nothing(self.n)
        self.held.closed[:] = TIMER_HOURS if self.course.rising else WINDOW_ENDS[window.index]
        self.over = np.zeros(self.n, bool)
        self.sums = {dimension: np.zeros(self.n) for dimension in rules.asked(window)}
        self.rates = _rates(self.course)

    def live(self, events: Deeds) -> None:
        """At most one event of each user."""
        self._end(events)
        events = events.where(~self.over[events.user])
        self.tally(events)
        self.update(events.user, events.hours)

    def _end(self, events: Deeds) -> None:
        if not self.course.rising:
            return
        stop = self.course.schema.activity_timer
        late = events.hours >= self.held.closed[events.user]
        if stop is not None:
            late |= events.hours >= stop
        self.over[events.user[late]] = True

    def tally(self, events: Deeds) -> None:
        """Count events, any number of each user's."""
        worth = events.revenue * self.rates[(events.hours // 24).astype(int)]
        for place, name in enumerate(self.course.names):
            if name not in self.course.schema.events:
                continue
            here = events.name == place
            if not here.any():
                continue
            users, amounts = events.user[here], worth[here]
            self._add(Dimension("event", name), users, np.ones(len(users)))
            self._add(Dimension("event revenue", name), users, amounts)
            if (kind := self.course.schema.events[name]) is not None:
                self._add(Dimension("revenue", kind), users, amounts)

    def _add(self, dimension: Dimension, users: Array, amounts: Array) -> None:
        if dimension in self.sums:
            np.add.at(self.sums[dimension], users, amounts)

    def update(self, users: Array, hours: Array) -> None:
        """The app looks at its rules for `users` and sets what they say."""
        window = self.course.window
        if TIME in self.sums:
            self.sums[TIME][users] = hours
        if TOTAL in self.sums:
            self.sums[TOTAL][users] = self.sums[IAP][users] + self.sums[AD][users]
        fine, coarse = self._pick(window.fine, users), self._pick(window.coarse, users)
        if window.fine is not None:
            # Apple's calls take a fine value: without one, nothing is sent.
            found = fine >= 0
            users, hours, fine, coarse = users[found], hours[found], fine[found], coarse[found]
        if self.course.rising:
            self._rise(users, hours, fine)
        else:
            self._set(users, hours, fine, coarse)

    def _pick(self, scale: Scale | None, users: Array) -> Array:
        """The place of the first cell that holds each user, -1 where none does."""
        picked = np.full(len(users), -1)
        if scale is None:
            return picked
        for place in reversed(range(len(scale.cells))):
            picked[self._holds(scale.cells[place].box, users)] = place
        return picked

    def _holds(self, box: Box, users: Array) -> Array:
        holds = np.ones(len(users), bool)
        for dimension, wanted in box.items():
            holds &= rules.within(self.sums[dimension][users], wanted)
        return holds

    def _rise(self, users: Array, hours: Array, fine: Array) -> None:
        if self.course.window.fine is None:
            return
        new = rules.codes(self.course.window.fine)[fine]
        old = self.held.fine[users]
        higher = (old == NEVER_SET) | (new > old)
        self.held.fine[users[higher]] = new[higher]
        self.held.closed[users[higher]] = hours[higher] + TIMER_HOURS

    def _set(self, users: Array, hours: Array, fine: Array, coarse: Array) -> None:
        window = self.course.window
        locked = np.zeros(len(users), bool)
        if window.fine is not None:
            values = rules.codes(window.fine)[fine]
            self.held.fine[users] = values
            along = rules.goes_with(window.coarse_for_fine)[values]
            self._put_coarse(users, along)
            locked |= rules.locking(window.fine)[fine]
        if window.coarse is not None:
            self._put_coarse(users, rules.codes(window.coarse)[coarse])
            locked |= rules.locking(window.coarse)[coarse]
            someone = coarse >= 0 if window.fine is None else np.ones(len(users), bool)
        else:
            someone = np.full(len(users), window.fine is not None)
        if window.lock is not None:
            locked |= self._closes(window.lock, users, hours)
        locked &= someone
        self.over[users[locked]] = True
        self.held.closed[users[locked]] = hours[locked]

    def _put_coarse(self, users: Array, values: Array) -> None:
        said = values != NEVER_SET
        self.held.coarse[users[said]] = values[said]

    def _closes(self, lock: Lock, users: Array, hours: Array) -> Array:
        closes = np.zeros(len(users), bool)
        if lock.event is not None:
            closes |= self.sums[Dimension("event", lock.event)][users] > 0
        if lock.hours is not None:
            closes |= hours >= lock.hours
        for held, wanted in ((self.held.fine, lock.fine), (self.held.coarse, lock.coarse)):
            if wanted is not None:
                closes |= (held[users] != NEVER_SET) & (held[users] >= CODES[wanted])
        return closes


def _rates(course: Course) -> Array:
    """What one unit of the scenario's money is in the schema's, by day since the install."""
    schema = course.schema
    currency = course.currency or schema.currency
    if currency is None:
        return np.zeros(DAYS + 1)
    days = (course.installed + timedelta(days=day) for day in range(DAYS + 1))
    return np.array([schema.rate(currency, day) or 0.0 for day in days])
