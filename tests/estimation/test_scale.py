"""What values are worth."""

import numpy as np
import pytest

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.errors import ConfigurationError
from skan_receiver.estimation import Scale
from skan_receiver.estimation.cells import least_tier

SCHEMA = """
app: 1
currency: USD
events:
  purchase: {revenue: iap}
windows:
  0:
    fine:
      model: revenue
      revenue: iap
      edges: [0, 2, 10]
      bounds: "(]"
      tail: {mean: 25}
    COARSE
  1:
    coarse: {model: revenue, revenue: iap, edges: [0, 5], bounds: "(]", tail: {mean: 14}}
"""
TOLD = load_schema(SCHEMA.replace("COARSE", "coarse_for_fine: {low: 0, medium: 1, high: 2-3}"))
BY_EDGES = load_schema(
    SCHEMA.replace(
        "COARSE",
        'coarse: {model: revenue, revenue: iap, edges: [0, 2], bounds: "(]", tail: {mean: 9}}',
    )
)


def test_a_schema_gives_bounds_and_the_stated_tail() -> None:
    scale = Scale.of(TOLD, 0, "iap")

    assert len(scale) == 64
    assert scale.lower[:5].tolist() == [0, 0, 2, 10, 0]
    assert scale.upper[:5].tolist() == [0, 2, 10, np.inf, 0]
    assert scale.mean[3] == 25


@pytest.mark.parametrize("schema", [TOLD, BY_EDGES])
def test_fine_values_go_with_the_schemas_coarse_ones(schema: Schema) -> None:
    """By its own list, or by where their revenue begins."""
    assert Scale.of(schema, 0, "iap").level[:4].tolist() == [0, 1, 2, 2]


def test_a_window_of_coarse_values_has_three() -> None:
    scale = Scale.of(TOLD, 1, "iap")

    assert scale.level.tolist() == [0, 1, 2]
    assert scale.middle.tolist() == [0, 2.5, 14]


def test_a_stated_mean_stands() -> None:
    assert Scale.of(TOLD, 0, "iap", means={1: 0.5}).middle[1] == 0.5


def test_an_open_bucket_needs_a_stated_mean() -> None:
    with pytest.raises(ConfigurationError, match="state the mean"):
        Scale.of_bounds([0, 5], [0, np.inf])


@pytest.mark.parametrize(
    ("lower", "upper", "others"),
    [
        ([5], [1], {}),
        ([-1], [1], {}),
        ([1], [2], {"mean": [3]}),
        ([1], [2], {"level": [3]}),
        ([1, 2], [2], {}),
    ],
)
def test_bounds_that_are_none_are_refused(
    lower: list[float], upper: list[float], others: dict[str, list[float]]
) -> None:
    with pytest.raises(ConfigurationError):
        Scale.of_bounds(lower, upper, **others)


def test_fields_tell_the_least_tier() -> None:
    assert least_tier(digits=2, publisher=False, fine=False, coarse=False) == 0
    assert least_tier(digits=2, publisher=False, fine=False, coarse=True) == 1
    assert least_tier(digits=4, publisher=False, fine=False, coarse=False) == 2
    assert least_tier(digits=2, publisher=True, fine=True, coarse=False) == 3


def test_who_bought_has_paid_even_where_the_bucket_begins_at_nothing() -> None:
    """ "A purchase, under 10" is no "under 10"."""
    rules = """
app: 1
currency: USD
events: {purchase: {revenue: iap}, level: {}}
windows:
  0:
    fine:
      model: rules
      rules:
        - {value: 3, when: [{revenue: iap, at_least: 10}], tail: {factor: 2}}
        - {value: 2, when: [{event: purchase}]}
        - {value: 1, when: [{event: level}]}
        - {value: 0}
"""
    scale = Scale.of(load_schema(rules), 0, "iap")

    assert scale.upper[:4].tolist() == [0, 0, 10, np.inf]
    assert scale.mean[3] == 20
