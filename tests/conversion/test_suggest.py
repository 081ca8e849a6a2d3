"""Suggested schemas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion import check, load_schema
from skan_receiver.conversion.history import History, read_history
from skan_receiver.conversion.judge import simulate
from skan_receiver.conversion.suggest import METHODS, as_yaml, plain, suggest, suggestion
from skan_receiver.errors import ConfigurationError

KINDS = {"purchase": "iap", "ad: impression": "ad"}


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> History:
    """500 users, a third of whom pay, some of them in every window."""
    random = np.random.default_rng(3)
    rows = ["user,event,hours,revenue"]
    for user in range(500):
        rows.append(f"{user},,,")
        for _ in range(int(random.choice([0, 0, 1, 3]))):
            hours, amount = random.choice([1, 100, 300]), random.lognormal(1.5, 1.3)
            rows.append(f"{user},purchase,{hours},{amount:.2f}")
            rows.append(f"{user},ad: impression,{hours},{amount / 7:.4f}")
    path = tmp_path_factory.mktemp("users") / "events.csv"
    path.write_text("\n".join(rows))
    return read_history([path])


def file(users: History, bits: int) -> str:
    found = suggest(users, bits, KINDS)
    return as_yaml(found, app=42, currency="EUR", kind="total", events=KINDS)


@pytest.mark.parametrize("bits", range(1, 7))
def test_what_is_suggested_is_a_schema(users: History, bits: int) -> None:
    """No mistake and no doubt, in as many values as there is room for, no revenue the lowest."""
    text = file(users, bits)

    schema = load_schema(text)
    values = [value for value in schema.plan()[0].meanings if isinstance(value, int)]

    assert check(text) == ()
    assert values == list(range(2**bits))
    assert str(schema.meaning(0, 0)) == "no revenue"


def test_users_lose_as_much_as_was_said(users: History) -> None:
    """Put through the suggested file, the same users are told apart just as well."""
    said = [one.losses[0] for one in suggest(users, 4, KINDS)]

    fine, _, first, second = simulate(users, [load_schema(file(users, 4))])

    for loss, kept in zip(said, (fine, first, second), strict=True):
        assert kept.squared_error == pytest.approx(loss.squared_error)
        assert kept.explained == pytest.approx(loss.explained)


def test_only_what_counts_is_looked_at(users: History) -> None:
    """Revenue of other events is no reason for a bucket, and none at all is an answer."""
    (both, *_), (ads, *_) = suggest(users, 3, KINDS), suggest(users, 3, {"ad: impression": "ad"})

    assert (ads.buckets[-2].edge or 0) < (both.buckets[-2].edge or 0)
    with pytest.raises(ConfigurationError, match="nobody earns anything"):
        suggest(users, 3, {})


@settings(max_examples=100, deadline=None)
@given(
    earned=st.lists(st.integers(0, 5_000), min_size=1, max_size=40).filter(any),
    values=st.integers(2, 16),
)
def test_no_usual_buckets_are_better(earned: list[int], values: int) -> None:
    """Equal widths and quantiles lose as much, or more, and use no more values."""
    found = suggestion(0, np.array(earned) / 100, values)

    assert tuple(loss.method for loss in found.losses) == METHODS
    best, *others = found.losses
    assert all(best.squared_error <= loss.squared_error + 1e-9 for loss in others)
    assert all(loss.values <= values for loss in found.losses)
    assert sum(bucket.users for bucket in found.buckets) == len(earned)


@pytest.mark.parametrize(
    ("low", "high", "edge"),
    [
        (4.99, 5.49, 5),
        (5.49, 5.99, 5.5),
        (5, 5.01, 5),
        (4.99, 250, 100),
        (0.0001, 0.00011, 0.0001),
        (0.1, 0.30000000000000004, 0.1),
        (999999.99, 1000000.01, 1000000),
    ],
)
def test_edges_are_as_plain_as_can_be(low: float, high: float, edge: float) -> None:
    """Between two amounts any edge is as good, so it is one that people remember."""
    assert plain(low, high) == edge
