"""What others do, and an install without scipy."""

import subprocess
import sys

import numpy as np

from skan_receiver.estimation import Cells, Scale
from skan_receiver.estimation.yardsticks import (
    bucket_midpoints,
    drop_nulls,
    nulls_as_zero,
    ratio,
)

SCALE = Scale.of_bounds([1, 2, 10], [1, 4, np.inf], mean=[1, np.nan, 30], level=[0, 1, 2])
CELLS = Cells.of([[2, 4, 2], [0, 0, 0]], coarse=[[0, 0, 0], [0, 1, 0]], absent=[8, 3])


def test_dropped_nulls_earn_nothing() -> None:
    assert drop_nulls(CELLS, SCALE).tolist() == [2 + 12 + 60, 3]


def test_nulls_as_zero_are_the_value_0() -> None:
    assert nulls_as_zero(CELLS, SCALE).tolist() == [74 + 8, 3 + 3]


def test_middles_force_a_top_on_the_open_bucket() -> None:
    assert bucket_midpoints(CELLS, SCALE).tolist() == [2 + 12 + 2 * 15, 3]


def test_the_ratio_blows_each_campaign_up() -> None:
    assert ratio(CELLS, SCALE).tolist() == [74 * 2, 3 * 4]


def test_a_base_install_says_what_is_missing() -> None:
    """Not when the package is imported; when an estimate is asked for."""
    program = """
import sys
sys.modules["scipy"] = None
import skan_receiver, skan_receiver.estimation
try:
    from skan_receiver.estimation import estimate
except skan_receiver.ConfigurationError as missing:
    print(missing)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert said.stdout.strip() == "estimates need scipy: pip install 'skan-receiver[analytics]'"
