"""What a group of cells comes to: how many there are, what they say and what they were worth."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from skan_receiver.conversion import Meaning
from skan_receiver.conversion.encode import RISING_ONLY, VALUELESS
from skan_receiver.conversion.meaning import Revenue
from skan_receiver.conversion.timing import CLOCKS
from skan_receiver.reports.cells import Group
from skan_receiver.reports.events import _Sum
from skan_receiver.reports.money import Exchange, unchanged
from skan_receiver.storage.meanings import LEAST, Arrived, Reading, Readings

# DESIGN, "install": the winning download that the first window reports; the other two are columns
# of their own.
KINDS = {"download": "installs", "redownload": "redownloads", "re-engagement": "reengagements"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Group):
    """What the winning postbacks of a group come to.

    Revenue is that of the postbacks whose value speaks of it; no `revenue_max` where one of them
    has no upper end, and no `revenue` where the schema states no mean for such a one. All of it is
    in `currency`. Where there are several, these are None and `currencies` has each.
    """

    source_identifier: str | None = None  # or the campaign id, before SKAdNetwork 4
    source_app_id: int | None = None
    source_domain: str | None = None
    country: str | None = None

    # By the campaign table: see `naming`.
    campaign_id: str | None = None
    campaign_name: str | None = None
    adset_id: str | None = None
    adset_name: str | None = None
    ad_id: str | None = None
    ad_name: str | None = None
    channel: str | None = None
    tracker: str | None = None
    country_or_target: str | None = None
    country_from: str | None = None

    postbacks: int
    installs: int
    redownloads: int
    reengagements: int
    with_value: int
    nulls: int  # could have carried a value, and did not
    null_share: float | None  # None where none could have
    revenue_min: float | None
    revenue_max: float | None
    revenue: float | None  # the middles of the intervals
    currency: str | None
    currencies: tuple[Mapping[str, Any], ...]
    events: tuple[Mapping[str, Any], ...]  # how often each happened: between `min` and `max` times


@dataclass(slots=True)
class Worth:
    """A sum of intervals of revenue, and of their middles."""

    bounds: _Sum = field(default_factory=_Sum)
    middle: float | None = 0.0

    def add(self, n: int, weight: float, revenue: Revenue, factor: float = 1.0) -> None:
        """So many of an amount, times a rate of exchange."""
        most, middle = revenue.max, revenue.middle
        most = None if most is None else most * factor
        self.bounds.add(n, weight, revenue.min * factor, most)
        if self.middle is not None:
            worth = n * weight * factor
            self.middle = None if middle is None else self.middle + worth * middle

    def told(self) -> dict[str, float | None]:
        return {
            "revenue_min": _rounded(self.bounds.least),
            "revenue_max": _rounded(self.bounds.most),
            "revenue": _rounded(self.middle),
        }


# Of a group whose values do not speak of revenue: unknown, which is not 0.
UNKNOWN: dict[str, Any] = dict.fromkeys(("currency", "revenue_min", "revenue_max", "revenue"))


@dataclass(slots=True)
class Tally:
    """Sums over the winning cells of a group."""

    postbacks: int = 0
    kinds: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    with_value: int = 0
    nulls: int = 0
    events: defaultdict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    worth: defaultdict[str, Worth] = field(default_factory=lambda: defaultdict(Worth))

    def add(
        self, cell: Arrived, n: int, readings: Readings, exchange: Exchange = unchanged
    ) -> None:
        """Add `n` postbacks, and what their value means; amounts as `exchange` tells them."""
        self.postbacks += n
        # The windows 1 and 2 are of users who were counted in window 0.
        if cell.window == 0:
            self.kinds[KINDS.get(cell.conversion_type or "", "")] += n
        if cell.fine_value is not None or cell.coarse_value is not None:
            self.with_value += n
        # To call that absent would be to report a null share that nobody can lower.
        elif cell.version != VALUELESS:
            self.nulls += n
        for reading in readings:
            if (meaning := reading.decoded.meaning) is None:
                continue
            for event in meaning.events:
                self.events[event.name].add(n, reading.weight, event.min, event.max)
            for revenue in revenue_of(meaning):
                self._earn(cell, reading, n, revenue, exchange)

    def _earn(
        self, _cell: Arrived, reading: Reading, n: int, revenue: Revenue, exchange: Exchange
    ) -> None:
        currency, factor = exchange(revenue.currency)
        self.worth[currency].add(n, reading.weight, revenue, factor)

    def worths(self) -> Mapping[str, Worth]:
        """By currency, what it all was worth."""
        return self.worth

    def result(self, group: Mapping[str, Any]) -> Result:
        """The row of this group."""
        worth = self.worths()
        each = [{"currency": name, **worth[name].told()} for name in sorted(worth)]
        kinds: dict[str, Any] = {name: self.kinds[name] for name in KINDS.values()}
        could = self.with_value + self.nulls
        return Result(
            **group,
            postbacks=self.postbacks,
            **kinds,
            with_value=self.with_value,
            nulls=self.nulls,
            null_share=round(self.nulls / could, 6) if could else None,
            **(each[0] if len(each) == 1 else UNKNOWN),
            currencies=tuple(each) if len(each) > 1 else (),
            events=tuple(
                {"event": name, "min": _rounded(sum_.least), "max": _rounded(sum_.most)}
                for name, sum_ in sorted(self.events.items())
                if sum_.postbacks > LEAST
            ),
        )


Upto = tuple[defaultdict[str, Worth], ...]


@dataclass(slots=True)
class Lifetime(Tally):
    """A tally in whose revenue no user's is twice, where values tell of all since the install.

    Which windows have come of whom nobody knows: so it is the revenue by the end of that window
    which tells of the most. Where each value speaks of its own window, that is all of it.
    """

    # By the end of each window, by currency.
    upto: Upto = field(default_factory=lambda: tuple(defaultdict(Worth) for _ in CLOCKS))

    def _earn(
        self, cell: Arrived, reading: Reading, n: int, revenue: Revenue, exchange: Exchange
    ) -> None:
        currency, factor = exchange(revenue.currency)
        for window in part_of(cell, reading):
            self.upto[window][currency].add(n, reading.weight, revenue, factor)

    def worths(self) -> Mapping[str, Worth]:
        """By currency, by the end of the window that tells of the most."""
        named = {name for worth in self.upto for name in worth}
        return {name: self.upto[telling_most([self], name)][name] for name in named}


def telling_most(tallies: Iterable[Lifetime], currency: str) -> int:
    """The window by whose end tallies tell of the most together; of several the last."""
    least = [0.0 for _ in CLOCKS]
    for tally in tallies:
        for window, worth in enumerate(tally.upto):
            if currency in worth:
                least[window] += worth[currency].bounds.least or 0.0
    return max(range(len(least)), key=lambda window: (least[window], window))


def part_of(cell: Arrived, reading: Reading) -> Iterator[int]:
    """The windows by whose end revenue of this cell has been made, and is told by no later one."""
    yield cell.window
    for later in range(cell.window + 1, len(CLOCKS)):
        early = cell.version in RISING_ONLY
        if not early and reading.since_install(later, cell.conversion_type):
            return
        yield later


def revenue_of(meaning: Meaning) -> tuple[Revenue, ...]:
    """All revenue together, or else its kinds, or else its events': side by side, never twice."""
    if (total := meaning.revenue_of("total")) is not None:
        return (total,)
    by_event = (event.revenue for event in meaning.events)
    return meaning.revenue or tuple(revenue for revenue in by_event if revenue is not None)


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 6)
