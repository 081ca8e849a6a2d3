"""Which version of a schema was in force on the device, as far as anybody can know.

Three assumptions, stated because they decide the weights:

* the value was set at any moment of its interval (`timing.evaluated`) with equal chance;
* a version reaches devices evenly over its roll-out: none at `effective_from`, half of them
  half-way, all at the end;
* a phone that is slow to take one version is slow to take the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

from skan_receiver.conversion.timing import Interval

# What is in force from the beginning: before there was a SKAdNetwork.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

Weights = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """A version in time: from when on, and how long until every device has it."""

    number: int
    effective_from: datetime
    rollout: timedelta = timedelta()

    def reach(self, moment: datetime) -> float:
        """The share of devices that have had it by `moment`."""
        if not self.rollout:
            return float(moment >= self.effective_from)
        return min(1.0, max(0.0, (moment - self.effective_from) / self.rollout))


def in_order(effects: Iterable[Effect]) -> list[Effect]:
    """As they take over from each other: by `effective_from`.

    Of several from the same moment on the last published stands: it corrects the others.
    """
    standing: dict[datetime, Effect] = {}
    for effect in sorted(effects, key=lambda effect: effect.number):
        standing[effect.effective_from] = effect
    return sorted(standing.values(), key=lambda effect: effect.effective_from)


def in_force(effects: Iterable[Effect], interval: Interval) -> Weights:
    """Versions that can have set a value in `interval`, each with its weight, by number.

    One with the weight 1 is certain. Weights add up to 1, or to less where the interval begins
    before the first version: the rest is the chance that there was none yet.
    """
    return shares(in_order(effects), interval)


def shares(ordered: Sequence[Effect], interval: Interval) -> Weights:
    """As `in_force`, of effects that are in order."""
    held = [timedelta()] * len(ordered)
    # Shares are straight lines between cuts, so the middle of each piece stands for it. Sums of
    # timedeltas are exact: what is certain weighs 1.0, and not nearly so.
    for start, end in pairwise(_cuts(ordered, interval)):
        shares = _shares(ordered, start + (end - start) / 2)
        held = [sum_ + share * (end - start) for sum_, share in zip(held, shares, strict=True)]
    whole = interval.end - interval.start
    weights = ((e.number, sum_ / whole) for e, sum_ in zip(ordered, held, strict=True) if sum_)
    return tuple(sorted(weights))


def _shares(ordered: Sequence[Effect], moment: datetime) -> list[float]:
    """The share of devices on each version: those it has reached and no later one has."""
    shares, reached = [], 0.0
    for effect in reversed(ordered):
        reach = effect.reach(moment)
        shares.append(max(0.0, reach - reached))
        reached = max(reached, reach)
    return shares[::-1]


def _cuts(ordered: Sequence[Effect], interval: Interval) -> list[datetime]:
    """Where a share may bend, within the interval, and its two ends."""
    inside = {cut for cut in bends(ordered) if interval.start < cut < interval.end}
    return [interval.start, *sorted(inside), interval.end]


def bends(ordered: Sequence[Effect]) -> Iterator[datetime]:
    """The moments at which the share of some version may go another way: between two of them it
    is a straight line.
    """
    for effect in ordered:
        yield effect.effective_from
        yield effect.effective_from + effect.rollout
    for one, other in combinations(ordered, 2):
        # A quick roll-out overtakes a slow one while both are under way.
        if slower := one.rollout - other.rollout:
            share = (other.effective_from - one.effective_from) / slower
            if 0 < share < 1:
                yield other.effective_from + share * other.rollout
