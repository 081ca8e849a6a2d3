"""The parts an estimate is made of: shapes, tables, concentrations."""

import numpy as np
import pytest
from numpy.random import default_rng

from skan_receiver.estimation import Scale
from skan_receiver.estimation.hierarchy import Hierarchy, dirichlet, tables
from skan_receiver.estimation.shape import moments

EDGES = np.array([0, 1, 2, 5, 10, 20, 50])


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5])
def test_buckets_are_worth_what_their_neighbours_say(sigma: float) -> None:
    """Log-normal amounts: the sum by bucket means, to 3 %; by middles it is off by 5 % and more."""
    random = default_rng(1)
    amounts = np.exp(np.log(6) + sigma * random.standard_normal(200_000))
    amounts = amounts[amounts < EDGES[-1]]
    counts, _ = np.histogram(amounts, EDGES)
    scale = Scale.of_bounds(EDGES[:-1], EDGES[1:])
    drawn = [
        moments(
            scale, counts.astype(float), shape_doubt=0, tail_doubt=0, tail_spread=1, random=random
        ).excess
        for _ in range(50)
    ]

    assert counts @ (scale.lower + np.mean(drawn, axis=0)) == pytest.approx(amounts.sum(), rel=0.03)
    assert counts @ scale.middle > 1.05 * amounts.sum()


def test_a_stated_tail_stands_and_is_doubted_as_told() -> None:
    scale = Scale.of_bounds([0, 10], [0, np.inf], mean=[0, 25])
    drawn = [
        moments(
            scale, np.array([90.0, 10.0]), shape_doubt=0.1, tail_doubt=doubt, tail_spread=2,
            random=default_rng(seed),
        )
        for doubt, seed in [(0.0, 0)] + [(0.2, seed) for seed in range(200)]
    ]  # fmt: skip

    assert drawn[0].excess[1] == 15
    assert drawn[0].variance[1] == 30**2
    assert np.std([np.log(one.excess[1]) for one in drawn[1:]]) == pytest.approx(0.2, rel=0.2)


@pytest.mark.parametrize(("customers", "strength"), [(5, 0.7), (17, 2.0), (400, 3.0)])
def test_tables_are_as_many_as_the_restaurant_says(customers: int, strength: float) -> None:
    chance = strength / (strength + np.arange(customers))
    opened = tables(np.full((1, 4000), float(customers)), np.full((1, 4000), strength),
                    default_rng(2))  # fmt: skip

    assert opened.mean() == pytest.approx(chance.sum(), rel=0.03)
    assert opened.var() == pytest.approx((chance * (1 - chance)).sum(), rel=0.15)
    assert opened.min() >= 1


@pytest.mark.parametrize("alike", [4.0, 40.0])
def test_how_alike_campaigns_are_is_found_again(alike: float) -> None:
    random = default_rng(3)
    shares = dirichlet(np.tile(alike * np.array([0.7, 0.2, 0.1]), (150, 1)), random)
    counts = random.multinomial(100, shares).astype(float)
    sampler = Hierarchy(np.ones(3), np.zeros(150, np.intp), np.zeros(1, np.intp))
    found = []
    for _ in range(120):
        sampler.sweep(counts, random)
        found.append(sampler.alpha)

    assert np.median(found[50:]) == pytest.approx(alike, rel=0.3)
