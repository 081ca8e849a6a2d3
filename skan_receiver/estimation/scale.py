"""What each value is worth: bounds of revenue, stated means, and the coarse level it goes with."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skan_receiver.conversion.meaning import COARSE, FINE, Meaning, Value
from skan_receiver.conversion.ranges import NOTHING, Cut
from skan_receiver.conversion.schema import Schema, Window
from skan_receiver.errors import ConfigurationError
from skan_receiver.estimation.cells import LEVELS, Codes, Numbers


@dataclass(frozen=True, slots=True)
class Scale:
    """What values say of one additive quantity, in its unit: revenue, or how often an event was.

    Every array has an entry per value. Made by `of_bounds`, or from a schema by `of`.
    """

    lower: Numbers
    upper: Numbers  # infinity: open, and then `mean` is stated
    mean: Numbers  # what is stated of the mean; NaN where nothing is
    level: Codes  # the coarse level that goes with it: 0, 1, 2

    @classmethod
    def of_bounds(
        cls,
        lower: ArrayLike,
        upper: ArrayLike,
        *,
        mean: ArrayLike | None = None,
        level: ArrayLike | None = None,
    ) -> "Scale":
        """ConfigurationError where bounds are no bounds, or an open value has no stated mean."""
        low, high = np.asarray(lower, float), np.asarray(upper, float)
        stated = np.full(len(low), np.nan) if mean is None else np.asarray(mean, float)
        levels = np.zeros(len(low)) if level is None else np.asarray(level)
        scale = cls(low, high, stated, levels.astype(np.intp))
        scale._check()
        return scale

    @classmethod
    def of(
        cls,
        schema: Schema,
        window: int,
        kind: str = "total",
        *,
        means: Mapping[Value, float] | None = None,
        conversion_type: str | None = None,
    ) -> "Scale":
        """What `schema` says of revenue: 64 fine values, or 3 coarse ones where it has no fine.

        `means` states the mean of some values; for a bucket open to the top the schema's `tail`
        stands in. A bucket that includes 0 is 0 unless its mean is stated, or its value says that
        they have bought something: nearly all others who are in it have not paid. A value that
        does not speak of revenue is 0.
        """
        plan = schema.plan(conversion_type).get(window)
        if plan is None:
            raise ConfigurationError(f"the schema of {schema.app_id} has no window {window}")
        values = COARSE if plan.fine is None else FINE
        stated = dict(means or {})
        bought = {name for name, of in schema.events.items() if of and kind in (of, "total")}
        worth = [
            _worth(plan.meanings.get(value), kind, stated.get(value), bought) for value in values
        ]
        lower, upper, mean = np.array(worth).T
        level = [_level(plan, value, kind) for value in values]
        return cls.of_bounds(lower, upper, mean=mean, level=level)

    def _check(self) -> None:
        if not (self.lower.shape == self.upper.shape == self.mean.shape == self.level.shape):
            raise ConfigurationError("scale: lower, upper, mean and level need an entry per value")
        if (self.lower < 0).any() or (self.lower > self.upper).any():
            raise ConfigurationError("scale: bounds are 0 or more, and the lower one comes first")
        if np.isnan(self.mean[self.open]).any():
            raise ConfigurationError("scale: state the mean (the tail) of a value open to the top")
        if (self.mean < self.lower).any() or (self.mean > self.upper).any():
            raise ConfigurationError("scale: a stated mean lies between the bounds")
        if self.level.min(initial=0) < 0 or self.level.max(initial=0) >= LEVELS:
            raise ConfigurationError("scale: levels are 0, 1 and 2")

    @property
    def open(self) -> NDArray[np.bool_]:
        return np.isinf(self.upper)

    @property
    def pays(self) -> NDArray[np.bool_]:
        """Values that can be worth something."""
        return self.upper > 0

    @property
    def middle(self) -> Numbers:
        """The middle of the bounds, the stated mean where there is one."""
        return np.where(np.isnan(self.mean), (self.lower + self.upper) / 2, self.mean)

    def __len__(self) -> int:
        return len(self.lower)


def _worth(
    meaning: Meaning | None, kind: str, stated: float | None, bought: Set[str]
) -> tuple[float, float, float]:
    revenue = meaning and meaning.revenue_of(kind)
    if not meaning or not revenue:
        return 0.0, 0.0, 0.0
    upper = np.inf if revenue.max is None else revenue.max
    paid = any(event.min > 0 for event in meaning.events if event.name in bought)
    if stated is None and revenue.range.start == NOTHING and not paid:
        return 0.0, 0.0, 0.0
    mean = revenue.tail if stated is None and revenue.max is None else stated
    return revenue.min, upper, np.nan if mean is None else mean


def _level(plan: Window, value: Value, kind: str) -> int:
    """The schema's own; else the highest coarse value whose revenue begins no later."""
    if isinstance(value, str):
        return COARSE.index(value)
    if value in plan.coarse_for_fine:
        return COARSE.index(plan.coarse_for_fine[value])
    begins = _begin(plan, value, kind)
    starts = [_begin(plan, coarse, kind) for coarse in COARSE]
    return max((n for n, start in enumerate(starts) if NOTHING < start <= begins), default=0)


def _begin(plan: Window, value: Value, kind: str) -> Cut:
    meaning = plan.meanings.get(value)
    revenue = meaning.revenue_of(kind) if meaning else None
    return revenue.range.start if revenue else NOTHING
