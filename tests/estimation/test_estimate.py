"""Revenue where values are withheld."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import default_rng

from skan_receiver.errors import ConfigurationError
from skan_receiver.estimation import Cells, Scale, Settings, estimate
from tests.estimation.worlds import world

# Nothing; exactly 5; from 5 to 10; more, 20 on average.
SCALE = Scale.of_bounds([0, 5, 5, 10], [0, 5, 10, np.inf], mean=[np.nan, np.nan, np.nan, 20])
COARSE = Scale.of_bounds([0, 1, 3, 6], [0, 1, 3, 6], level=[0, 1, 1, 2])
QUICK = Settings(draws=120, burn_in=30)


def of(*rows: list[int], **others: object) -> Cells:
    return Cells.of(rows, **others)  # type: ignore[arg-type]


def test_values_that_say_all_give_the_sum_itself() -> None:
    """No nulls, and buckets of no width: nothing is left to be uncertain of."""
    found = estimate(of([90, 10, 0, 0], [7, 3, 0, 0]), SCALE, QUICK)

    assert found.draws.min(axis=1).tolist() == [50, 15]
    assert found.draws.max(axis=1).tolist() == [50, 15]
    assert found.sum().low == found.sum().high == 65


def test_a_sums_draws_are_the_sum_of_draws() -> None:
    cells = of([50, 5, 5, 1], [20, 1, 0, 0], [5, 0, 0, 0], absent=[20, 10, 10], network=[0, 0, 1])
    found = estimate(cells, SCALE, QUICK)

    assert found.sum().mean == pytest.approx(found.mean.sum(), rel=1e-5)
    assert np.allclose(found.by([0, 0, 1]).draws[0], found.draws[:2].sum(axis=0))
    assert found.sum([True, True, False]).high < found.interval()[1][:2].sum()


def test_revenue_stays_between_the_bounds_of_what_is_known() -> None:
    """One user between 5 and 10, drawn anywhere in it; ten users between 50 and 100."""
    found = estimate(of([0, 0, 1, 0], [0, 0, 10, 0]), SCALE, QUICK)

    assert found.draws.min() >= 5
    assert found.draws[0].max() <= 10
    assert 50 <= found.draws[1].min() < found.draws[1].max() <= 100


@pytest.mark.parametrize("absent", [5, 50])
def test_nulls_widen_the_interval(absent: int) -> None:
    fewer, more = (
        estimate(of([200, 10, 10, 0], absent=[n]), SCALE, QUICK).sum() for n in (0, absent)
    )

    assert more.high - more.low > fewer.high - fewer.low
    assert more.mean > fewer.mean


def test_nulls_are_read_like_the_known_ones() -> None:
    """A thousand known, a tenth of them 5; of a thousand withheld about as many."""
    found = estimate(of([900, 100, 0, 0], absent=[1000]), SCALE, QUICK)

    assert found.sum().low < 1000 < found.sum().high
    assert found.values[0, 1] == pytest.approx(200, rel=0.1)
    assert found.values.sum() == pytest.approx(2000, rel=1e-3)


def test_a_campaign_without_values_is_read_like_its_network() -> None:
    rich, poor = [70, 30, 0, 0], [99, 1, 0, 0]
    cells = of(
        *[rich] * 5, [0] * 4, *[poor] * 5, [0] * 4,
        absent=[0] * 5 + [50] + [0] * 5 + [50],
        network=[0] * 6 + [1] * 6,
    )  # fmt: skip
    means = estimate(cells, SCALE, QUICK).mean

    assert means[5] == pytest.approx(75, rel=0.35)
    assert means[11] < 20


def test_the_order_of_groups_does_not_matter() -> None:
    """Beyond the noise of the draws."""
    counts = default_rng(5).multinomial(60, [0.8, 0.1, 0.08, 0.02], 12)
    absent, order = np.arange(12) * 5, default_rng(6).permutation(12)
    one = estimate(Cells.of(counts, absent=absent), SCALE, replace(QUICK, draws=400))
    other = estimate(
        Cells.of(counts[order], absent=absent[order]), SCALE, replace(QUICK, draws=400)
    )

    assert np.allclose(one.mean[order], other.mean, rtol=0.1)


def test_one_seed_gives_the_same_draws() -> None:
    cells = of([50, 5, 5, 1], absent=[20])

    same, again = (estimate(cells, SCALE, QUICK).draws for _ in range(2))
    assert (same == again).all()


def test_revenue_rises_with_the_sensitivity() -> None:
    cells = of([400, 60, 30, 10], absent=[400])
    sums = [
        estimate(cells, SCALE, replace(QUICK, sensitivity=s)).sum().mean for s in (-1, -0.5, 0, 1)
    ]

    assert sums == sorted(sums)
    assert sums[-1] > 1.3 * sums[2]


def test_doubt_of_the_sensitivity_widens_the_sum() -> None:
    cells = of([4000, 600, 300, 100], absent=[4000])
    sure, doubtful = (
        estimate(cells, SCALE, replace(QUICK, doubt=doubt)).sum() for doubt in (0, 0.5)
    )

    assert doubtful.high - doubtful.low > 2 * (sure.high - sure.low)


def test_a_coarse_value_is_one_of_its_fine_ones() -> None:
    """High is 6 and nothing else; medium is 1 or 3, here nearly always 3."""
    cells = of([100, 1, 99, 10], [0] * 4, coarse=[[0, 0, 0], [5, 20, 7]])
    found = estimate(cells, COARSE, QUICK)

    assert found.draws[1].min() >= 42 + 20
    assert found.draws[1].max() <= 42 + 60 + 1e-4
    assert found.mean[1] == pytest.approx(42 + 60, rel=0.05)


def test_coarse_values_tell_of_the_absent_ones() -> None:
    """Only coarse ones are known, all of them low: the absent ones are hardly high."""
    low, high = (
        estimate(of([0] * 4, coarse=[levels], absent=[100]), COARSE, QUICK).sum().mean
        for levels in ([200, 0, 0], [100, 0, 100])
    )

    assert low < 20
    assert high == pytest.approx(600 + 300, rel=0.2)


def test_who_never_gets_a_value_pays_nothing() -> None:
    """Where big crowds show that half never get one, half of the absent ones have none either."""
    cells = of(*[[0, 100, 0, 0]] * 9, [0] * 4, unset=[100] * 9 + [0], absent=[0] * 9 + [100])
    found = estimate(cells, SCALE, QUICK)

    assert found.mean[0] == pytest.approx(500)
    assert found.mean[9] == pytest.approx(250, rel=0.2)


def test_groups_of_a_schema_change_are_parted() -> None:
    """Value 1 is worth 1, later 9: on the day between it is either."""
    early, late = (Scale.of_bounds([0, n], [0, n]) for n in (1, 9))
    in_force: list[list[float]] = [[1, 0], [0.5, 0.5], [0, 1]]
    cells = Cells.of(
        [[50, 50], [50, 50], [50, 50]],
        campaign=[0, 0, 0],
        period=[0, 1, 2],
        weights=in_force,
    )
    found = estimate(cells, [early, late], QUICK)
    low, high = found.interval()

    assert (found.mean[0], found.mean[2]) == (50, 450)
    assert 50 < low[1] < 250 < high[1] < 450


def test_windows_add_up_draw_by_draw() -> None:
    one, other = (estimate(of([50, 5, 5, 1], absent=[n]), SCALE, QUICK) for n in (10, 20))

    assert ((one + other).draws == one.draws + other.draws).all()


@pytest.mark.parametrize("family", ["unalike", "log-normal, random effects", "payers hide"])
def test_intervals_hold_the_truth(family: str) -> None:
    """About nine times in ten; how nearly is for benchmarks/estimation.py to say."""
    of = world(family, 1, draws=120, days=10)
    found = estimate(of.cells, of.scales, replace(of.settings, burn_in=30))
    low, high = found.by(of.cells.campaign).interval()
    truth = of.by_campaign()

    assert 0.75 <= ((truth >= low) & (truth <= high)).mean() <= 1
    assert found.sum(level=0.99).low < truth.sum() < found.sum(level=0.99).high


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"absent": [1, 2]}, "absent: not one number per group"),
        ({"absent": [-1]}, "not negative"),
        ({"coarse": [1, 2, 3]}, "a row per group"),
        ({"weights": [[0.5, 0.4]]}, "together 1"),
    ],
)
def test_cells_that_do_not_fit_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        of([1, 2, 3, 4], **({"coarse": [[0, 0, 0]]} | wrong))


def test_cells_and_scale_are_of_one_length() -> None:
    with pytest.raises(ConfigurationError, match="each value"):
        estimate(of([1, 2]), SCALE)
    with pytest.raises(ConfigurationError, match="each version"):
        estimate(of([1, 2, 3, 4]), [SCALE, SCALE])
