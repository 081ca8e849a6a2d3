"""The revenue of one window of one app: counts and versions become cells, and these an estimate."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.estimating.counted import Arrival, Span
from skan_receiver.estimating.scales import COARSE, INSTALL, RE_ENGAGEMENT, Scales
from skan_receiver.estimating.sums import Sums
from skan_receiver.estimation import Cells, Settings, estimate
from skan_receiver.estimation.cells import least_tier
from skan_receiver.storage.meanings import NO_SCHEMA, Arrived, Book

MIDDAY = timedelta(hours=12)

Group = tuple[str, str, int, bool]  # network, source, day, up to SKAdNetwork 3

FINE_BESIDE_COARSE = "a fine value, under a schema of coarse ones"

# From that tier on a value is shown, if there is one.
SHOWN = 2


class Weights:
    """How likely each version was in force for what arrived on a day, as if at midday."""

    def __init__(self, book: Book, app_id: int, window: int, span: Span) -> None:
        self._book, self._app, self._window, self._span = book, app_id, window, span
        self._known: dict[tuple[int, bool], dict[int, float]] = {}

    def of(self, day: int, *, is_early: bool) -> dict[int, float]:
        """By version; together 1, or none where the app had no schema yet."""
        key = day, is_early
        if key not in self._known:
            self._known[key] = self._read(day, RISING_ONLY[-1] if is_early else "4.0")
        return self._known[key]

    def _read(self, day: int, version: str) -> dict[int, float]:
        hour = self._span.start + timedelta(days=day) + MIDDAY
        arrived = Arrived(self._app, version, self._window, None, None, None, hour)
        found = {one.version.number: one.weight for one in self._book.read(arrived)}
        whole = sum(found.values())
        return {number: weight / whole for number, weight in found.items()}

    def numbers(self) -> list[int]:
        """The versions that can have been in force for any of it."""
        days = range(self._span.days)
        of = (self.of(day, is_early=early) for day in days for early in (False, True))
        return sorted({number for weights in of for number in weights})


@dataclass(slots=True)
class Grouped:
    """Arrivals of one plan, by group: what `Cells` is made of."""

    window: int
    groups: dict[Group, int] = field(default_factory=dict)
    fine: Counter[tuple[int, int]] = field(default_factory=Counter)  # group, value
    coarse: Counter[tuple[int, int]] = field(default_factory=Counter)
    absent: Counter[int] = field(default_factory=Counter)
    unset: Counter[int] = field(default_factory=Counter)

    def add(self, one: Arrival) -> None:
        """Count it."""
        group = one.network, one.source, one.day, one.is_early
        at = self.groups.setdefault(group, len(self.groups))
        if one.fine is not None:
            self.fine[at, one.fine] += one.n
        elif one.coarse is not None:
            self.coarse[at, COARSE.index(one.coarse)] += one.n
        elif self._tier(one) >= SHOWN:
            self.unset[at] += one.n
        else:
            self.absent[at] += one.n

    def _tier(self, one: Arrival) -> int:
        """Of later windows nothing tells it."""
        if self.window:
            return 0
        return least_tier(digits=one.digits, publisher=one.publisher, fine=False, coarse=False)

    def cells(self, numbers: Sequence[int], weights: Weights, *, values: int) -> Cells:
        """With a column of weights for each version, by number."""
        names = list(self.groups)
        days = np.array([day for _, _, day, _ in names])
        of = [weights.of(day, is_early=early) for _, _, day, early in names]
        n = len(names)
        return Cells.of(
            _table(self.fine, n, values),
            coarse=_table(self.coarse, n, len(COARSE)),
            absent=_column(self.absent, n),
            unset=_column(self.unset, n),
            # Up to SKAdNetwork 3 a campaign's values are of another time: nearly of another one.
            campaign=_codes((network, source, early) for network, source, _, early in names),
            network=_codes(network for network, *_ in names),
            period=days,
            weights=np.array([[one.get(number, 0.0) for number in numbers] for one in of]),
        )


def _table(counts: Counter[tuple[int, int]], rows: int, columns: int) -> NDArray[np.int64]:
    found = np.zeros((rows, columns), np.int64)
    for at, n in counts.items():
        found[at] = n
    return found


def _column(counts: Counter[int], rows: int) -> NDArray[np.int64]:
    found = np.zeros(rows, np.int64)
    for at, n in counts.items():
        found[at] = n
    return found


def _codes(names: Iterable[Any]) -> list[int]:
    known: dict[Any, int] = {}
    return [known.setdefault(name, len(known)) for name in names]


def grouped(
    found: Iterable[Arrival], window: int, plans: Sequence[str], weights: Weights
) -> tuple[dict[str, Grouped], Counter[str]]:
    """What arrived, by plan; and how much of it is left out, by reason."""
    by_plan = {plan: Grouped(window) for plan in plans}
    left_out: Counter[str] = Counter()
    for one in found:
        if not weights.of(one.day, is_early=one.is_early):
            left_out[NO_SCHEMA] += one.n
            continue
        plan = RE_ENGAGEMENT if one.re_engaged and RE_ENGAGEMENT in by_plan else INSTALL
        by_plan[plan].add(one)
    return by_plan, left_out


def estimated(
    scales: Scales,
    numbers: Sequence[int],
    of: Grouped,
    weights: Weights,
    settings: Settings,
    sums: Sums,
    left_out: Counter[str],
) -> None:
    """Add the revenue of these groups to `sums`."""
    values = len(scales.each[0])
    if not scales.is_fine and of.fine:
        left_out[FINE_BESIDE_COARSE] += of.fine.total()
        of.fine.clear()
    if not of.groups:
        return
    cells = of.cells(numbers, weights, values=values)
    found = estimate(cells, scales.each, settings)
    counts = cells.known + cells.absent + cells.unset
    groups = [(network, source, day) for network, source, day, _ in of.groups]
    sums.add_groups(found, groups, counts.astype(np.int64))
