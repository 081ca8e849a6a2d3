"""Schemas that have the right shape and are wrong all the same."""

import pytest

from skan_receiver.conversion import check
from tests.conversion.schemas import rules, text

TWO = rules("value: 1, when: [{event: purchase}]", "value: 0")
FINE = "windows.0.fine"


def mistakes(fine: str, more: str = "") -> list[str]:
    return [f"{p.field}: {p.what}" for p in check(text(fine, more)) if not p.warning]


@pytest.mark.parametrize(
    ("fine", "mistake"),
    [
        (
            rules("value: 2", "value: 1, when: [{event: purchase}]"),
            f"{FINE}.rules[1]: can never give 1: earlier rules take all its users",
        ),
        (
            rules(
                "value: 3, when: [{event: purchase, at_least: 2}]",
                "value: 2, when: [{event: purchase, at_most: 1}]",
                "value: 1, when: [{event: registration}]",
            ),
            f"{FINE}.rules[2]: can never give 1: earlier rules take all its users",
        ),
        (
            rules("value: 1, when: [{event: purchase}, {event: purchase, exactly: 0}]"),
            f"{FINE}.rules[0].when: has conditions that exclude each other",
        ),
        (
            rules("value: 1, when: [{revenue: iap, at_least: 9}, {revenue: total, less_than: 9}]"),
            f"{FINE}.rules[0].when: has conditions that exclude each other",
        ),
        (rules("value: low"), f"{FINE}.rules[0].value: low is no value of this part"),
        (
            "model: revenue\nrevenue: iap\nedges: [1, 5, 5]",
            f"{FINE}.edges: must rise: item 3, 5.0, is not above 5.0",
        ),
        (
            "model: revenue\nrevenue: iap\nedges: [0, 5]",
            f"{FINE}: has an edge at 0, and nothing below",
        ),
        ("model: revenue\nrevenue: iap", f"{FINE}: has no edges, or has them twice"),
        (
            "model: revenue\nrevenue: iap\nedges: [1, 5]\ntail: {mean: 4}",
            f"{FINE}: has a tail mean below its last edge",
        ),
        (
            rules("value: 3, tail: {mean: 4}, when: [{revenue: iap, at_least: 5}]"),
            f"{FINE}.rules[0].tail: has a mean below the revenue that its rule begins with",
        ),
        (
            rules("value: 3, tail: {mean: 4}, when: [{revenue: iap, at_most: 5}]"),
            f"{FINE}.rules[0].tail: states a mean where no revenue is open to the top",
        ),
        (
            "model: revenue\nrevenue: iap\nfirst: 40\nsteps: {start: 1, step: 1, count: 30}",
            f"{FINE}.steps: needs 31 values from 40 on, and 6 bits hold 64",
        ),
        (
            "model: engagement\nevent: session\nvalues: [0, 5]\ncounts: [1, 2]",
            f"{FINE}.values: names 2 values for 3 rungs",
        ),
        (
            "model: engagement\nevent: session\nvalues: [5, 0]\ncounts: [1]",
            f"{FINE}.values: must rise",
        ),
        (
            "model: bits\nbits:\n  - {event: session, counts: [1, 2, 3, 4, 5]}\n"
            "  - {revenue: total, edges: [1, 2, 3, 4, 5, 6, 7, 8]}",
            f"{FINE}.bits: takes 7 bits, and a fine value has 6",
        ),
        (
            "model: bits\nbits:\n  - {event: session, counts: [1, 2, 3], width: 1}",
            f"{FINE}.bits[0].width: is 1, and 4 ranges need 2",
        ),
        (
            "model: bits\nbits:\n  - {event: session}\n  - {event: session, counts: [3]}",
            f"{FINE}.bits[1]: says session a second time",
        ),
        ("model: bits\nbits:\n  - {evnt: session}", f"{FINE}.bits[0]: holds nothing"),
        (
            "model: funnel\nsteps:\n  - {event: purchase, at_least: 2}\n  - {event: purchase}",
            f"{FINE}.steps[1]: is already implied by the steps before it",
        ),
        (
            "model: funnel\nsteps:\n  - {event: purchase}\n  - {event: purchase, exactly: 0}",
            f"{FINE}.steps[1]: excludes a step before it",
        ),
        (
            "model: mixed\nparts:\n  - {model: retention, days: [1]}\n"
            "  - {model: rules, rules: [{value: 9}]}",
            f"{FINE}.parts[1].rules[0]: can never give 9",
        ),
        ("model: ladder\nrules: []", f"{FINE}: names no schema model"),
        ("model: rules\nrules: []", f"{FINE}.rules: list should have at least 1 item"),
    ],
)
def test_a_mistake_is_found_where_it_was_made(fine: str, mistake: str) -> None:
    """Each kind of mistake has its place and its sentence."""
    assert any(line.startswith(mistake) for line in mistakes(fine)), mistakes(fine)


@pytest.mark.parametrize(
    ("more", "mistake"),
    [
        (
            "1:\n  fine: {model: retention, days: [4]}",
            "windows.1.fine: window 0 alone has fine values",
        ),
        ("1:\n  coarse_for_fine: {low: 1}", "windows.1.coarse_for_fine: window 0 alone has fine"),
        ("1: {}", "windows.1: has no values"),
        (
            "1:\n  coarse: {model: bits, bits: [{event: session}]}",
            "windows.1.coarse.model: needs fine values",
        ),
        (
            "1:\n  coarse: {model: engagement, event: session, counts: [1, 2, 3]}",
            "windows.1.coarse.counts: needs 4 values from 0 on, and coarse ones are three",
        ),
        (
            "1:\n  coarse: {model: rules, rules: [{value: low, coarse: low}]}",
            "windows.1.coarse.rules[0].coarse: belongs to fine values only",
        ),
        (
            "  coarse_for_fine: {low: 0-1, high: 1-5}",
            "windows.0.coarse_for_fine.high: has 1, which low has too",
        ),
        ("  coarse_for_fine: {low: 0-64}", "windows.0.coarse_for_fine.low: is no range of fine"),
        ("  coarse_for_fine: {low: 5-}", "windows.0.coarse_for_fine.low: is no range of fine"),
        (
            "  coarse_for_fine: {low: 0-5}\n  coarse: {model: retention, days: [1]}",
            "windows.0.coarse_for_fine: is said by `coarse` as well",
        ),
        ("  lock: {fine: 2}", "windows.0.lock.fine: 2 is above every fine value of the window"),
        ("  lock: {coarse: low}", "windows.0.lock.coarse: low is above every coarse value"),
        ("  lock: {event: sessions}", "windows.0.lock.event: sessions is no event of this schema"),
    ],
)
def test_a_window_is_checked_as_a_whole(more: str, mistake: str) -> None:
    """What its parts say has to fit together, and to Apple's windows."""
    assert any(line.startswith(mistake) for line in mistakes(TWO, more)), mistakes(TWO, more)


def test_a_rule_and_its_window_agree_on_the_coarse_value() -> None:
    """Two answers to one question are a mistake, even if one is never asked."""
    fine = rules("value: 1, coarse: high")

    assert mistakes(fine, "  coarse_for_fine: {low: 1}") == [
        f"{FINE}.rules[0].coarse: 1 goes with high here and with low elsewhere: keep one of them"
    ]


@pytest.mark.parametrize(
    "rates",
    [
        "{2026-13-01: {EUR: 1}}",
        "{soon: {EUR: 1}}",
        "{2026-01-01: {eur: 1}}",
        "{2026-01-01: {EUR: 0}}",
    ],
)
def test_rates_have_days_currencies_and_amounts(rates: str) -> None:
    """A rate that cannot be read is not skipped over in silence."""
    wrong = text(TWO).replace("currency: USD", f"currency: USD\nrates: {rates}")

    assert [problem.path[0] for problem in check(wrong) if not problem.warning] == ["rates"]
