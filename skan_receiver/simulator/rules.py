"""A schema's rules as tables, for many users at once."""

from collections.abc import Mapping

import numpy as np

from skan_receiver.conversion.arrays import ABSENT, CODES
from skan_receiver.conversion.boxes import AD, IAP, TOTAL, Dimension
from skan_receiver.conversion.meaning import Value
from skan_receiver.conversion.ranges import BEFORE, ENDLESS, Range
from skan_receiver.conversion.schema import Scale, Window
from skan_receiver.simulator.world import Array

NEVER_SET = np.uint8(ABSENT)


def asked(window: Window) -> set[Dimension]:
    """What the rules of a window speak of."""
    scales = [scale for scale in (window.fine, window.coarse) if scale is not None]
    asked = {dimension for scale in scales for cell in scale.cells for dimension in cell.box}
    if window.lock is not None and window.lock.event is not None:
        asked.add(Dimension("event", window.lock.event))
    return asked | {IAP, AD} if TOTAL in asked else asked


def within(numbers: Array, wanted: Range) -> Array:
    (start, after), (end, past) = wanted.start, wanted.end
    inside: Array = numbers >= start if after == BEFORE else numbers > start
    if wanted.end != ENDLESS:
        inside &= numbers < end if past == BEFORE else numbers <= end
    return inside


# Tables by a cell's place; -1, no cell, takes the last entry.
def codes(scale: Scale) -> Array:
    return np.array([*(CODES[cell.value] for cell in scale.cells), NEVER_SET], np.uint8)


def locking(scale: Scale) -> Array:
    return np.array([*(cell.lock for cell in scale.cells), False])


def goes_with(coarse_for_fine: Mapping[Value, Value]) -> Array:
    """By a fine value's code."""
    table = np.full(256, NEVER_SET)
    for fine, coarse in coarse_for_fine.items():
        table[CODES[fine]] = CODES[coarse]
    return table
