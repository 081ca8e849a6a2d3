"""Buckets with the least squared error."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion.quantise import best_ends, losses

CENTS = st.dictionaries(st.integers(1, 10_000), st.integers(1, 50), min_size=1, max_size=11)


def columns(users_of: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    cents = sorted(users_of)
    return np.array(cents) / 100, np.array([users_of[cent] for cent in cents])


def lost(amounts: np.ndarray, users: np.ndarray, ends: list[int]) -> float:
    """By the definition, bucket by bucket."""
    buckets = [np.repeat(amounts[a:b], users[a:b]) for a, b in pairwise([0, *ends])]
    return float(sum(((bucket - bucket.mean()) ** 2).sum() for bucket in buckets))


@settings(max_examples=200, deadline=None)
@given(users_of=CENTS, count=st.integers(1, 6))
def test_no_other_buckets_lose_less(users_of: dict[int, int], count: int) -> None:
    """Every way of cutting the amounts is tried; none is better."""
    amounts, users = columns(users_of)
    cuts = combinations(range(1, len(amounts)), min(count, len(amounts)) - 1)
    least = min(lost(amounts, users, [*cut, len(amounts)]) for cut in cuts)

    ends = best_ends(amounts, users, count)

    assert np.isclose(losses(amounts, users, ends).sum(), least, rtol=1e-9, atol=1e-9)
    assert np.isclose(lost(amounts, users, ends.tolist()), least, rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_grid_gives_nothing_away(data: st.DataObject) -> None:
    """Where buckets can end is bounded on any grid, and the best ones are never cut off."""
    count, grid = data.draw(st.integers(1, 12)), data.draw(st.integers(3, 60))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    spread = data.draw(st.sampled_from([0.1, 1.0, 2.5]))
    amounts = np.unique(random.lognormal(1, spread, 400).round(data.draw(st.integers(1, 6))))
    users = random.integers(1, 9, len(amounts))

    found = [best_ends(amounts, users, count, grid=blocks) for blocks in (grid, len(amounts))]

    first, second = (losses(amounts, users, ends).sum() for ends in found)
    assert np.isclose(first, second, rtol=1e-9, atol=1e-9)


def test_few_amounts_need_no_more_buckets() -> None:
    """Three prices are told apart in full, however many values there are."""
    amounts, users = np.array([0.99, 4.99, 9.99]), np.array([5, 2, 1])

    ends = best_ends(amounts, users, 63)

    assert ends.tolist() == [1, 2, 3]
    assert losses(amounts, users, ends).sum() == 0
