"""What somebody sends who is not Apple: rows that `bodies` spoils. Off by default."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from skan_receiver.conversion.arrays import ABSENT, CODES
from skan_receiver.simulator.scenario import Adversary
from skan_receiver.simulator.world import DAY_MS, Array

# Rows' kinds, after GENUINE and REPEATED.
KINDS = {"invalid": 2, "replayed": 3, "changed": 4, "foreign": 5, "broken": 6}

# Bodies that no test key has signed; nobody vouches for the time they came either.
UNSIGNED = (KINDS["invalid"], KINDS["broken"])

DAYS_LATER = 3
MOST_REPLAYS = 20


def sent(adversary: Adversary, genuine: Array, random: Generator) -> Iterator[Array]:
    """Copies of `genuine` rows, up to three days later, each marked with what to do to it."""
    for name, kind in KINDS.items():
        rows = genuine[random.random(len(genuine)) < getattr(adversary, name)]
        if name == "replayed":
            rows = np.repeat(rows, random.integers(1, MOST_REPLAYS + 1, len(rows)))
        rows["at"] += (random.random(len(rows)) * DAYS_LATER * DAY_MS).astype(np.int64)
        rows["kind"] = kind
        if name == "changed":
            rows["value"] = _other(rows["value"], random)
        if name in ("invalid", "foreign"):
            rows["id_low"] ^= random.integers(0, 2**32, len(rows), np.uint64)
        yield rows


def _other(values: Array, random: Generator) -> Array:
    """Another value of the same kind; a high one where there was none."""
    fine = (values + random.integers(1, 64, len(values))) % 64
    coarse = CODES["low"] + (values - CODES["low"] + random.integers(1, 3, len(values))) % 3
    absent = np.where(values == ABSENT, 63, coarse)
    return np.where(values < 64, fine, absent)
