"""How good a schema is: users through it, and what its values still tell of their revenue.

The measure is the best that can be said of a user's revenue in a window given the value and
nothing else: its mean among users of that value where squared errors count, its median where
absolute ones do. It is what reaches the device, before Apple withholds any of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skan_receiver.conversion.arrays import ABSENT, CODES, Codes, Numbers
from skan_receiver.conversion.encode import RISING_ONLY, WINDOW_ENDS, encode
from skan_receiver.conversion.history import History
from skan_receiver.conversion.meaning import Value
from skan_receiver.conversion.schema import Schema
from skan_receiver.errors import ConfigurationError

ALIKE = 4096
TOLD = 1_000  # users

VALUES: dict[int, Value | None] = {code: value for value, code in CODES.items()}


@dataclass(frozen=True, slots=True)
class Fill:
    """The users who get one value; None are those whose app sets none."""

    value: Value | None
    users: int
    share: float
    mean: float  # revenue
    median: float

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Filled:
    """One window's fine or coarse values, filled with users. Errors are of one user, expected."""

    schema: str
    window: int
    scale: str  # fine, coarse
    users: int
    fills: tuple[Fill, ...]
    entropy: float  # bits that the value tells, of whatever kind
    absolute_error: float
    squared_error: float
    variance: float  # the squared error where there is no value to go by

    @property
    def explained(self) -> float | None:
        """The share of the variance of revenue that the value explains; None without any."""
        return 1 - self.squared_error / self.variance if self.variance else None

    @property
    def used(self) -> int:
        """How many values have users."""
        return sum(fill.value is not None for fill in self.fills)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        numbers = ("schema", "window", "scale", "users", "used", "entropy")
        errors = ("absolute_error", "squared_error", "variance", "explained")
        told = {name: getattr(self, name) for name in numbers + errors}
        return told | {"values": [fill.as_dict() for fill in self.fills]}


def revenue(
    history: History,
    window: int,
    worth: Callable[[int, NDArray[np.int64]], Numbers] | None = None,
    events: NDArray[np.bool_] | None = None,
) -> Numbers:
    """What each user brought in within a window, refunds taken off, never below nothing.

    `worth` says what the amounts in one currency (its place, and their rows) are; without it all
    are taken as they are. `events` are those that count, by place.
    """
    start = WINDOW_ENDS[window - 1] if window else 0
    counted = (history.hours >= start) & (history.hours < WINDOW_ENDS[window])
    counted &= history.revenue != 0
    if events is not None:
        counted &= events[history.event]
    rows = np.flatnonzero(counted)
    amounts = history.revenue[rows]
    if worth is not None:
        for currency in np.unique(history.currency[rows]).tolist():
            of_currency = history.currency[rows] == currency
            amounts[of_currency] = worth(currency, rows[of_currency])
    sums = np.bincount(history.user[rows], weights=amounts, minlength=history.users)
    # Cents added and taken off again leave dust that is no revenue.
    return np.maximum(0.0, np.round(sums, 9))


def simulate(
    history: History,
    schemas: Sequence[Schema],
    *,
    version: str = "4.0",
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Filled, ...]:
    """Every user of `history` through each of `schemas`, all measured by the same revenue.

    `progress` hears of every number of users done. Raises ConfigurationError where the schemas'
    currencies differ, or an amount has no rate in any of them.
    """
    worth = _worth(history, schemas)
    truth = [revenue(history, window, worth) for window in range(len(WINDOW_ENDS))]
    codes = [_held(history, schema, version, progress) for schema in schemas]
    return tuple(
        filled(schema.source, window, scale, held[window, scale], truth[window])
        for window in range(len(WINDOW_ENDS))
        for scale in ("fine", "coarse")
        for schema, held in zip(schemas, codes, strict=True)
        if (window, scale) in held
    )


def filled(schema: str, window: int, scale: str, codes: Codes, truth: Numbers) -> Filled:
    """What `codes`, one for each user, tell of `truth`, the users' revenue."""
    order = np.lexsort((truth, codes))
    revenues = truth[order]
    present, starts, counts = np.unique(codes[order], return_index=True, return_counts=True)
    means = np.add.reduceat(revenues, starts) / counts
    medians = (revenues[starts + (counts - 1) // 2] + revenues[starts + counts // 2]) / 2
    shares = counts / len(truth)
    columns = (present.tolist(), counts.tolist(), shares.tolist(), means.tolist(), medians.tolist())
    fills = tuple(Fill(VALUES.get(code), *told) for code, *told in zip(*columns, strict=True))
    return Filled(
        schema,
        window,
        scale,
        len(truth),
        fills,
        entropy=abs(float(-(shares * np.log2(shares)).sum())),
        absolute_error=float(np.abs(revenues - np.repeat(medians, counts)).mean()),
        squared_error=float(((revenues - np.repeat(means, counts)) ** 2).mean()),
        variance=float(truth.var()),
    )


Key = tuple[int, str]


def _held(
    history: History, schema: Schema, version: str, progress: Callable[[int], None]
) -> dict[Key, Codes]:
    """What each user's phone holds at the end of each window."""
    held = {key: np.full(history.users, ABSENT, np.uint8) for key in _scales(schema, version)}
    # Many users are alike: most did nothing at all.
    encoded = lru_cache(ALIKE)(partial(encode, schema=schema, version=version))
    for place, user in enumerate(history):
        for window in encoded(user):
            for scale, value in (("fine", window.fine), ("coarse", window.coarse)):
                if value is not None:
                    held[window.window, scale][place] = CODES[value]
        if place % TOLD == 0:
            progress(min(TOLD, history.users - place))
    return held


def _scales(schema: Schema, version: str) -> Iterator[Key]:
    """Every window and scale that a user of the schema can have a value of."""
    for plan in schema.plans.values():
        for index, window in plan.items():
            if window.fine is not None:
                yield index, "fine"
            coarse = window.coarse is not None or window.coarse_for_fine
            if coarse and version not in RISING_ONLY:
                yield index, "coarse"


def _worth(
    history: History, schemas: Sequence[Schema]
) -> Callable[[int, NDArray[np.int64]], Numbers]:
    """Amounts in the currency of the schemas, by the first of them that has a rate."""
    wanted = {schema.currency for schema in schemas if schema.currency}
    if not wanted and len(named := [name for name in history.currencies if name]) == 1:
        wanted = set(named)  # no schema speaks of money, and the file of one currency
    if len(wanted) > 1:
        raise ConfigurationError(
            f"schemas in {' and '.join(sorted(wanted))}: errors compare in one currency alone"
        )

    def worth(currency: int, rows: NDArray[np.int64]) -> Numbers:
        name, amounts = history.currencies[currency], history.revenue[rows]
        if not name or {name} == wanted:
            return amounts
        days = [history.day(row) for row in rows.tolist()]
        return amounts * [_rate(schemas, name, day) for day in days]

    return worth


def _rate(schemas: Sequence[Schema], currency: str, day: Any) -> float:
    for schema in schemas:
        if (rate := schema.rate(currency, day)) is not None:
            return rate
    raise ConfigurationError(f"amounts in {currency}: write their rate into one of the schemas")
