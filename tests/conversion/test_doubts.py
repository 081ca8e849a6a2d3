"""Schemas that work, and cost their author something."""

import pytest

from skan_receiver.conversion import check, load_schema
from tests.conversion.schemas import EXAMPLES, rules, text

FINE = "windows.0.fine"


def warnings(fine: str, more: str = "  coarse_for_fine: {low: 0-63}") -> list[str]:
    problems = check(text(fine, more))
    assert all(problem.warning for problem in problems), problems
    return [f"{problem.field}: {problem.what}" for problem in problems]


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_the_examples_leave_no_doubt(path: object) -> None:
    """What people copy from is clean."""
    assert check(str(path)) == ()


@pytest.mark.parametrize(
    ("fine", "warning"),
    [
        (
            rules(
                "value: 2, when: [{event: purchase, at_least: 2}]",
                "value: 0, when: [{event: purchase, exactly: 0}]",
            ),
            f"{FINE}: has no value for users with purchase once",
        ),
        (
            rules("value: 1, when: [{event: purchase}]", "value: 1"),
            f"{FINE}.rules[1]: gives 1 once more",
        ),
        (
            "model: table\nvalues:\n  1: {when: [{event: session}]}\n"
            "  2: {when: [{event: purchase, at_most: 3}]}\n"
            "  3: {when: [{event: purchase, at_least: 3}]}\n"
            "  0: {when: [{event: purchase, exactly: 0}, {event: session, exactly: 0}]}",
            f"{FINE}.values.2: fits users with purchase 3 times as well as 3 does",
        ),
        (
            rules("value: 1, when: [{time: days, at_least: 1}]", "value: 2"),
            f"{FINE}.rules[0]: is below 2, which a user can get first",
        ),
        (
            "model: funnel\nnested: false\nsteps:\n  - {event: session}\n  - {event: purchase}",
            f"{FINE}.nested: a value says nothing of the steps below its own",
        ),
    ],
)
def test_a_doubt_is_a_warning(fine: str, warning: str) -> None:
    """The schema loads; its author is told what it costs."""
    assert any(line.startswith(warning) for line in warnings(fine)), warnings(fine)
    assert load_schema(text(fine)).app_id == 42


def test_coarse_values_out_of_order_are_doubtful() -> None:
    """High is read as better than low, whatever a schema says."""
    fine = rules("value: 1, when: [{event: purchase}]", "value: 0")

    assert warnings(fine, "  coarse_for_fine: {high: 0, low: 1}") == [
        f"{FINE}.rules[0]: 1 goes with low, and 0 below it with high:"
        " coarse values out of order are easily misread"
    ]


def test_small_installs_need_a_coarse_value() -> None:
    """In the lower tiers of crowd anonymity, Apple withholds fine values."""
    fine = rules("value: 1, when: [{event: purchase}]", "value: 0")

    assert warnings(fine, "") == [
        f"{FINE}: has no coarse value for 0 and others: from small installs Apple sends coarse"
        " values only; add `coarse_for_fine`"
    ]


def test_a_lock_can_shut_a_value_out() -> None:
    """The first purchase ends the window, so that a third one comes too late."""
    fine = rules("value: 3, when: [{event: purchase, at_least: 3}]", "value: 0")

    assert warnings(fine, "  coarse_for_fine: {low: 0-3}\n  lock: {event: purchase}") == [
        f"{FINE}.rules[0]: needs more than one purchase, and the first one locks the window:"
        " from SKAdNetwork 4 on, 3 cannot be set"
    ]


def test_what_flags_say_does_not_grow() -> None:
    """A user is flagged or not; no value falls by it."""
    fine = rules("value: 1, when: [{flag: attributed}]", "value: 2")

    assert warnings(fine) == []


def test_rules_of_many_conditions_do_not_take_for_ever() -> None:
    """Thirty rules of two conditions each would cut the ground into a billion boxes."""
    pairs = [f"{{event: e{i}}}, {{event: f{i}}}" for i in range(30)]
    listed = ", ".join(f"{{value: {i + 1}, when: [{pair}]}}" for i, pair in enumerate(pairs))
    names = "".join(f"  e{i}:\n  f{i}:\n" for i in range(30))
    many = (
        f"app: 42\nevents:\n{names}windows:\n  0:\n    fine:\n      model: rules\n"
        f"      rules: [{listed}, {{value: 0}}]\n    coarse_for_fine: {{low: 0-63}}\n"
    )

    assert check(many) is not None
