"""Decoding columns of values at once, for analysis.

numpy is imported by this file and by those that judge schemas: nothing that serves needs it.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from skan_receiver.conversion.meaning import COARSE, FINE, Meaning, Value
from skan_receiver.conversion.schema import Schema

Codes = NDArray[np.uint8]
Numbers = NDArray[np.float64]

# One byte for every value of either kind: 0 to 63 fine, 64 to 66 coarse, all others absent.
ABSENT = 255
CODES: dict[Value | None, int] = {value: code for code, value in enumerate((*FINE, *COARSE))}

# Taken in pieces that stay in the processor's cache together with their indices, which numpy
# widens from one byte to eight: half as long again as taking the whole column at once.
PIECE = 1 << 15


def codes(values: Iterable[Value | None]) -> Codes:
    """Values, fine and coarse, as codes; None and what is no value as ABSENT."""
    return np.fromiter((CODES.get(value, ABSENT) for value in values), np.uint8)


def table(
    schema: Schema,
    window: int,
    number: Callable[[Meaning], float | None],
    *,
    conversion_type: str | None = None,
) -> Numbers:
    """What `number` says of each meaning of a window, by code; NaN where there is none.

    The middle of total revenue: `table(schema, 0, lambda meaning: (r := meaning.revenue_of()) and
    r.middle)`.
    """
    numbers = np.full(256, np.nan)
    for value, code in CODES.items():
        meaning = None if value is None else schema.meaning(window, value, conversion_type)
        if meaning is not None and (said := number(meaning)) is not None:
            numbers[code] = said
    return numbers


def take(numbers: Numbers, of: Codes, *, out: Numbers | None = None) -> Numbers:
    """The number of each code: a column of values, decoded.

    Half of the time goes into getting new memory from the system. Who decodes many columns of
    one length gives the same `out` again, and saves it.
    """
    taken = np.empty(len(of), numbers.dtype) if out is None else out
    for start in range(0, len(of), PIECE):
        piece = slice(start, start + PIECE)
        # Every byte is within the table: "clip" only spares numpy from checking it.
        np.take(numbers, of[piece], out=taken[piece], mode="clip")
    return taken


def revenue(
    schema: Schema, window: int, kind: str = "total", *, conversion_type: str | None = None
) -> tuple[Numbers, Numbers]:
    """Tables of the least and the most revenue each code says: infinity where there is no most."""

    def least(meaning: Meaning) -> float | None:
        said = meaning.revenue_of(kind)
        return None if said is None else said.min

    def most(meaning: Meaning) -> float | None:
        said = meaning.revenue_of(kind)
        return None if said is None else np.inf if said.max is None else said.max

    low = table(schema, window, least, conversion_type=conversion_type)
    return low, table(schema, window, most, conversion_type=conversion_type)
