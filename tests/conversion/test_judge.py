"""Users through schemas, and what is then known of them."""

from pathlib import Path

import numpy as np
import pytest

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.conversion.arrays import codes
from skan_receiver.conversion.history import History, read_history
from skan_receiver.conversion.judge import filled, revenue, simulate
from skan_receiver.errors import ConfigurationError
from tests.conversion.schemas import HEAD, text

BUCKETS = "model: revenue\nrevenue: total\nedges: [0, 5]\nbounds: '(]'"


def history(folder: Path, *rows: str, users: int | None = None) -> History:
    path = folder / "events.csv"
    path.write_text("\n".join(["user,event,hours,revenue,currency", *rows]))
    return read_history([path], users=users)


def schema(fine: str, name: str, *, currency: str = "USD", more: str = "") -> Schema:
    return load_schema(text(fine, more).replace("USD", currency), name=name)


def test_errors_are_those_of_the_best_guess() -> None:
    """Given the value: the mean where squares count, the median where distances do."""
    judged = filled("a", 0, "fine", codes([0, 0, 0, 1]), np.array([0.0, 0.0, 3.0, 10.0]))

    zero, one = judged.fills
    assert (zero.value, zero.users, zero.share, zero.mean, zero.median) == (0, 3, 0.75, 1, 0)
    assert (one.value, one.users, one.mean) == (1, 1, 10)
    assert judged.absolute_error == (0 + 0 + 3 + 0) / 4
    assert judged.squared_error == (1 + 1 + 4 + 0) / 4
    assert judged.explained == pytest.approx(1 - 1.5 / np.var([0, 0, 3, 10]))
    assert judged.entropy == pytest.approx(0.75 * np.log2(4 / 3) + 0.25 * 2)


def test_a_value_that_all_share_tells_nothing() -> None:
    """No entropy, and the whole variance is left."""
    judged = filled("a", 0, "fine", codes([7, 7]), np.array([1.0, 3.0]))

    assert (judged.entropy, judged.explained, judged.squared_error) == (0, 0, judged.variance)
    assert filled("a", 0, "fine", codes([7]), np.array([1.0])).explained is None


def test_schemas_are_measured_by_the_same_revenue(tmp_path: Path) -> None:
    """Revenue that a schema does not look at is lost by it, and not left out of the measure."""
    users = history(tmp_path, "a,purchase,1,2,", "b,purchase,1,8,", "c,ad_impression,1,8,", users=4)
    both = schema(BUCKETS, "both")
    paid = schema(BUCKETS.replace("total", "iap"), "paid")

    first, second = simulate(users, [both, paid])

    assert [(fill.value, fill.users) for fill in first.fills] == [(0, 1), (1, 1), (2, 2)]
    assert [(fill.value, fill.users) for fill in second.fills] == [(0, 2), (1, 1), (2, 1)]
    assert (first.squared_error, second.squared_error) == (0, 8)
    assert first.variance == second.variance


def test_every_window_and_scale_is_filled(tmp_path: Path) -> None:
    """Who does nothing in a later window has no value there, and that is told apart."""
    windows = text(BUCKETS).split("\n  0:")[1]
    whole = load_schema(
        f"{HEAD}windows:\n  0:{windows}    coarse_for_fine: {{low: 0-1, high: 2}}\n"
        "  1:\n    coarse: {model: engagement, event: purchase, counts: [1]}\n"
    )
    users = history(tmp_path, "a,purchase,1,9,", "a,purchase,50,9,", "b,session,1,,")

    found = simulate(users, [whole])

    assert [(one.window, one.scale) for one in found] == [
        (0, "fine"),
        (0, "coarse"),
        (1, "coarse"),
    ]
    assert [fill.value for fill in found[2].fills] == ["medium", None]
    assert [(one.window, one.scale) for one in simulate(users, [whole], version="3.0")] == [
        (0, "fine")
    ]


def test_revenue_is_that_of_the_window_without_refunds(tmp_path: Path) -> None:
    """Apple's windows are days 0-2, 3-7 and 8-35; nobody earns less than nothing."""
    users = history(
        tmp_path,
        *("a,purchase,47.9,5,", "a,purchase,48,7,", "a,purchase,50,-3,", "a,purchase,900,1,"),
        *("b,purchase,1,3,", "b,purchase,2,-4,"),
    )

    assert [revenue(users, window).tolist() for window in range(3)] == [[5, 0], [4, 0], [0, 0]]


def test_other_currencies_need_a_rate(tmp_path: Path) -> None:
    """Either schema's rate will do; amounts that cannot be compared are not guessed."""
    users = history(tmp_path, "a,purchase,1,10,EUR", "b,purchase,1,10,USD")
    plain = schema(BUCKETS, "plain")
    rated = load_schema(text(BUCKETS).replace("events:", "rates: {2026-01-01: {EUR: 2}}\nevents:"))

    both = simulate(users, [plain, rated])

    assert [one.variance for one in both] == [25, 25]
    with pytest.raises(ConfigurationError, match="amounts in EUR: write their rate"):
        simulate(users, [plain])
    with pytest.raises(ConfigurationError, match="schemas in EUR and USD"):
        simulate(users, [plain, schema(BUCKETS, "other", currency="EUR")])
