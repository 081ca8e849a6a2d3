"""Adds up what was found: theirs + reasons = ours, in each group."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from skan_receiver.reports.reconciling.reasons import OURS, THEIRS, Reason
from skan_receiver.reports.reconciling.sides import Key

EXAMPLES = 5  # ids that are kept for each reason and group


@dataclass(frozen=True, slots=True)
class Step:
    """One step from their number to ours."""

    name: str  # theirs, a reason, or ours
    count: int
    examples: tuple[str, ...] = ()


@dataclass(slots=True)
class Waterfall:
    """Sums by group. What a group of None is given is out of sight, and dropped."""

    theirs: Counter[Key] = field(default_factory=Counter)
    ours: Counter[Key] = field(default_factory=Counter)
    reasons: defaultdict[Key, Counter[Reason]] = field(default_factory=lambda: defaultdict(Counter))
    _examples: defaultdict[tuple[Key, Reason], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def they_count(self, key: Key | None, count: int) -> None:
        if key is not None:
            self.theirs[key] += count

    def we_count(self, key: Key | None, count: int) -> None:
        if key is not None:
            self.ours[key] += count

    def because(self, reason: Reason, key: Key | None, change: int, example: str = "") -> None:
        """Theirs becomes ours by `change` for this reason."""
        if key is None or not change:
            return
        self.reasons[key][reason] += change
        examples = self._examples[key, reason]
        if example and len(examples) < EXAMPLES and example not in examples:
            examples.append(example)

    def groups(self) -> list[Key]:
        """The groups, in order; what has no name first."""
        return sorted({*self.theirs, *self.ours, *self.reasons}, key=_rank)

    def steps(self, key: Key) -> Iterator[Step]:
        """From theirs to ours; a reason that changes nothing is left out, the rest is not."""
        theirs, ours, reasons = self.theirs[key], self.ours[key], self.reasons[key]
        yield Step(THEIRS, theirs)
        for reason in Reason:
            if reason is not Reason.UNEXPLAINED and reasons[reason]:
                yield Step(reason, reasons[reason], tuple(self._examples[key, reason]))
        yield Step(Reason.UNEXPLAINED, ours - theirs - reasons.total())
        yield Step(OURS, ours)


def _rank(key: Key) -> tuple[tuple[bool, object], ...]:
    return tuple((value is not None, value) for value in key)
