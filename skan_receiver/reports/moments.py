"""Many hours told by two or three of them, where what matters of an hour is a line or a parabola.

Of a sum over hours, sum n(t) w(t), the moments of n are enough where w is a polynomial of degree
two at most: it equals a0 w(t0) + a1 w(t1) + a2 w(t2) for any three hours, each `a` being a sum of
n times Lagrange's polynomial of that hour. Sums of the `a` are the sum of n.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import prod
from typing import Any

HOUR = timedelta(hours=1)


def nodes(start: datetime, end: datetime) -> tuple[datetime, ...]:
    """The first, the middle and the last hour, as far as there are as many."""
    hours = (end - start) // HOUR
    return tuple(start + n * HOUR for n in sorted({0, (hours - 1) // 2, hours - 1}))


def parted(
    row: Mapping[str, Any], start: datetime, hours: Sequence[datetime]
) -> Iterator[tuple[datetime, float]]:
    """Each of these hours with its `a`: of one, all. `nt` and `ntt` count hours from `start` on.

    An `a` may be negative, and is a whole number by chance only.
    """
    if len(hours) == 1:
        yield hours[0], row["n"]
        return
    at = [(hour - start) // HOUR for hour in hours]
    for hour, t in zip(hours, at, strict=True):
        others = [other for other in at if other != t]
        below = prod(t - other for other in others)
        if len(others) == 1:
            above = row["nt"] - others[0] * row["n"]
        else:
            above = row["ntt"] - sum(others) * row["nt"] + prod(others) * row["n"]
        yield hour, above / below
