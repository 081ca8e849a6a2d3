"""Whether a share is larger than it was, or only looks so."""

import math

# One in a thousand: with every app and network asked each day, less would be found by chance.
P = 0.001


def surely_more(part: int, whole: int, part_before: int, whole_before: int) -> bool:
    """Whether a share grew, by a one-sided test of two proportions."""
    if not whole or not whole_before:
        return False
    pooled = (part + part_before) / (whole + whole_before)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / whole + 1 / whole_before))
    if not spread:
        return False
    z = (part / whole - part_before / whole_before) / spread
    return math.erfc(z / math.sqrt(2)) / 2 < P


def percent(share: float) -> str:
    """As people read it."""
    return f"{100 * share:.0f}%" if share >= 0.1 else f"{100 * share:.1f}%"
