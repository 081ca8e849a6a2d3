"""How many users two counts have in common, where nobody can look: bounds, and an estimate.

SKAdNetwork tells of nobody, so its installs and an MMP's cannot be matched one by one. What can be
said of a group:

1. A value can say it itself: a flag of the schema, set where the MMP has attributed the user by
   other means. Flagged installs are in both, unflagged ones in SKAdNetwork's alone.
2. Of the others no more are in both than either side counts; and no fewer than must be, if both
   together are more than all installs there were (Fréchet's bounds,
   https://en.wikipedia.org/wiki/Fr%C3%A9chet_inequalities).
3. Between the bounds: what has a value stands for what has none. Without a flag: whom the MMP has
   found by an identifier has let the app track, and SKAdNetwork counts such users, too. So all of
   those are in both, as far as they can be.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What both sides count of a group."""

    skan: int  # installs by SKAdNetwork and AdAttributionKit
    attributed: int  # installs that the MMP gives to an ad
    consented: int = 0  # of them, those of users who let the app track
    # All installs there were, organic ones too; None where nobody tells of those.
    everybody: int | None = None
    flagged: int = 0  # of `skan`, those whose value says that the MMP has them, too
    unflagged: int = 0  # of `skan`, those whose value says that it has not


@dataclass(frozen=True, slots=True)
class Bounds:
    """`estimate` lies between the two, and so does the truth, if both sides count what is there."""

    low: float
    estimate: float
    high: float


def in_both(sides: Sides) -> Bounds:
    """How many installs both sides count."""
    high = min(sides.skan - sides.unflagged, sides.attributed)
    must = 0
    if sides.everybody is not None:
        must = sides.skan + sides.attributed - sides.everybody
    low = min(max(sides.flagged, must, 0), high)
    return Bounds(low, min(max(_likely(sides), low), high), high)


def _likely(sides: Sides) -> float:
    told = sides.flagged + sides.unflagged
    if not told:
        return min(sides.skan, sides.consented)
    return sides.skan * sides.flagged / told
