"""Installs from arrivals."""

import numpy as np
import pytest

from skan_receiver.conversion.timing import usual_install
from skan_receiver.estimation import InstallSettings, install_series, kernel
from skan_receiver.estimation.yardsticks import fixed_offset
from tests.estimation.arrived import arrived


@pytest.mark.parametrize("window", [0, 1, 2])
@pytest.mark.parametrize("grain", [1, 24])
def test_everybody_arrives_when_apple_says(window: int, grain: int) -> None:
    """On average after 84, 252 and 924 hours, where nobody locks."""
    of = kernel(window, grain=grain)
    middle = (np.arange(len(of.plain)) * of.plain).sum() * grain

    assert of.plain.sum() == pytest.approx(1)
    assert of.early.sum() == pytest.approx(1)
    assert middle == pytest.approx(usual_install("4.0", window).total_seconds() / 3600, abs=0.1)


def test_early_versions_have_a_timer_and_no_windows() -> None:
    of = kernel(version="3.0", grain=1)

    assert of.plain[:24].sum() == 0
    assert of.plain[24:50].sum() == pytest.approx(1)
    assert of.early[50:].sum() > 0.3


def test_a_locked_window_closes_early() -> None:
    """From 24 hours on, instead of 72."""
    of = kernel(0, grain=1)

    assert np.flatnonzero(of.plain > 1e-12)[0] == 72
    assert np.flatnonzero(of.early > 1e-12)[0] == 24
    assert np.allclose(of.mixed(0.25), 0.75 * of.plain + 0.25 * of.early)


def test_intervals_hold_the_installs() -> None:
    held = []
    for seed in range(3):
        truth, arrivals = arrived(0, seed)
        low, high = install_series(arrivals, kernel(0)).interval()
        held.append(((truth >= low) & (truth <= high))[5:])

    assert 0.82 <= np.mean(held) <= 1


def test_later_windows_are_read_better_than_by_a_fixed_offset() -> None:
    truth, arrivals = arrived(1, 2)
    found = install_series(arrivals, kernel(1))
    inner = slice(13, -13)
    off = [np.abs(of - truth)[inner].sum() for of in (found.mean, fixed_offset(arrivals, 1))]

    assert off[0] < off[1]


def test_who_has_not_arrived_yet_is_wide() -> None:
    """Of the last two days nobody has. With many draws: the ends of few lie elsewhere on another
    processor, whose sums round otherwise."""
    found = install_series(np.full(40, 100), kernel(0), InstallSettings(draws=4000))
    low, high = found.interval()

    assert (high - low)[-1] > 1.5 * (high - low)[20]
    assert found.mean[-1] == pytest.approx(100, rel=0.25)


def test_a_known_share_of_locks_can_be_fixed() -> None:
    found = install_series(np.full(30, 50), kernel(0), InstallSettings(shares=(0.0,), draws=50))

    assert found.draws.shape == (30, 50)
    assert found.mean[10:20].mean() == pytest.approx(50, rel=0.1)


def test_no_arrivals_are_few_installs() -> None:
    assert install_series(np.zeros(30), kernel(0)).mean[:20].max() < 1


def test_a_fixed_offset_moves_whole_and_half_days() -> None:
    """84 hours are three days and a half."""
    arrivals = np.zeros(10)
    arrivals[6] = 8

    assert fixed_offset(arrivals, 0).tolist() == [0, 0, 4, 4, 0, 0, 0, 0, 0, 0]
    assert fixed_offset(arrivals, 0, version="3.0").tolist() == [0, 0, 0, 0, 8, 0, 0, 0, 0, 0]
