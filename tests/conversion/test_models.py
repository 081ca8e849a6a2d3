"""Each schema model, by its example: which value a user gets, and what that value says."""

import pytest

from skan_receiver.conversion import Schema, User, UserEvent, encode, load_schema
from tests.conversion.schemas import EXAMPLES, rules, schema

SCHEMAS = {path.stem: load_schema(path) for path in EXAMPLES}


def did(*events: str, hours: float = 1) -> User:
    """ "purchase*2=5" is two purchases of 5 each."""
    return User(tuple(one for event in events for one in _events(event, hours)))


def _events(event: str, hours: float) -> list[UserEvent]:
    named, _, amount = event.partition("=")
    name, _, times = named.partition("*")
    return [UserEvent(name, hours, float(amount or 0))] * int(times or 1)


@pytest.mark.parametrize(
    ("model", "user", "value", "words"),
    [
        ("rules", did("purchase*3"), 31, "purchase at least 3 times"),
        (
            "rules",
            did("purchase=49.99"),
            15,
            "purchase 1–2 times, in-app revenue under 50.00 EUR",
        ),
        (
            "rules",
            did("purchase=50"),
            30,
            "purchase 1–2 times, in-app revenue from 50.00 EUR",
        ),
        (
            "table",
            did("purchase=9.99"),
            1,
            "purchase at least once, purchase worth under 10.00 USD",
        ),
        (
            "table",
            did("purchase=10"),
            2,
            "purchase at least once, purchase worth 10.00–50.00 USD",
        ),
        (
            "bits",
            did("registration", "level_up*6", "purchase=5", "ad_impression*4=0.25"),
            0b10101,
            "registration at least once, level_up 5–19 times, revenue 5.00–20.00 USD,"
            " not already_attributed",
        ),
        (
            "bits",
            User(flags=frozenset({"already_attributed"})),
            0b100000,
            "no registration, no level_up, revenue under 1.00 USD, already_attributed",
        ),
        ("funnel", did("tutorial", "trial"), 0, "no registration"),
        (
            "funnel",
            did("registration", "tutorial"),
            20,
            "registration at least once, tutorial at least once, no trial",
        ),
        ("revenue", did("purchase=3", "ad_impression*2=1"), 10, "revenue 5.00–5.50 USD"),
        ("revenue", did("purchase=4.99"), 9, "revenue 4.50–5.00 USD"),
        ("revenue", did("purchase=1000"), 63, "revenue from 31.50 USD"),
        ("engagement", did("article_read*4"), 3, "article_read 3–4 times"),
        ("engagement", did("article_read*34"), 8, "article_read at least 34 times"),
        (
            "retention",
            did("session", hours=23.9),
            0,
            "last active less than 1 day after the install",
        ),
        ("retention", did("session", hours=24), 1, "last active at least 1 day after the install"),
        (
            "mixed",
            did("purchase=20"),
            32,
            "purchase at least once, in-app revenue up to 20.00 GBP",
        ),
        (
            "mixed",
            did("purchase=20.01"),
            50,
            "purchase at least once, in-app revenue 20.00–100.00 GBP",
        ),
        (
            "mixed",
            did("registration", "add_to_cart"),
            2,
            "registration at least once, add_to_cart at least once, no purchase",
        ),
    ],
)
def test_a_user_gets_the_value_that_says_so(model: str, user: User, value: int, words: str) -> None:
    """What the device sets and what the report reads are one thing, edges included."""
    of = SCHEMAS[model]

    assert encode(user, of)[0].fine == value
    assert str(of.meaning(0, value)) == words


def coarse(of: Schema, *events: str, hours: float) -> str | None:
    return encode(did(*events, hours=hours), of)[-1].coarse


def test_an_edge_is_below_or_above_as_the_schema_says() -> None:
    """With "(]", exactly 5.00 is still in the bucket up to 5."""
    of = SCHEMAS["revenue"]

    second = [encode(did(f"purchase={amount}", hours=60), of)[1].coarse for amount in (0, 5, 5.01)]
    assert second == ["low", "medium", "high"]
    assert [str(of.meaning(1, value)) for value in ("low", "medium", "high")] == [
        "no revenue",
        "revenue 0.00–5.00 USD",
        "revenue over 5.00 USD",
    ]


def test_a_tail_is_a_mean_and_no_bound() -> None:
    """The top bucket stays open; sums take what the schema states for it."""
    top = SCHEMAS["revenue"].meaning(0, 63)
    assert top is not None
    (revenue,) = top.revenue

    assert (revenue.min, revenue.max) == (31.5, None)
    assert revenue.middle == pytest.approx(56.7)
    assert SCHEMAS["revenue"].meaning(0, 1).revenue[0].middle == 0.75  # type: ignore[union-attr]


def test_an_open_bucket_without_a_tail_has_no_middle() -> None:
    """A mean nobody stated is not invented."""
    top = schema(rules("value: 3, when: [{revenue: iap, at_least: 50}]")).meaning(0, 3)
    assert top is not None
    assert top.revenue[0].middle is None


def test_a_rule_states_the_mean_of_what_is_open_to_the_top() -> None:
    """As buckets do."""
    top = SCHEMAS["rules"].meaning(0, 30)
    assert top is not None
    assert (top.revenue[0].max, top.revenue[0].middle) == (None, 80)


def test_steps_that_are_not_nested_leave_lower_ones_unknown() -> None:
    """Who subscribed without a trial is at the last step; the trial is not said."""
    furthest = schema(
        "model: funnel\nnested: false\nsteps:\n  - {event: tutorial}\n  - {event: purchase}"
    )

    assert encode(did("purchase"), furthest)[0].fine == 2
    assert str(furthest.meaning(0, 2)) == "purchase at least once"
    assert str(furthest.meaning(0, 1)) == "tutorial at least once, no purchase"


def test_the_highest_rule_can_win_instead_of_the_first() -> None:
    """Meta and TikTok try their rules from the highest value down, whatever the order."""
    lines = (
        "value: 1, when: [{event: purchase}]",
        "value: 2, when: [{event: purchase, at_least: 2}]",
    )

    assert encode(did("purchase*2"), schema(rules(lines[0], lines[1], pick="highest")))[0].fine == 2


def test_bits_can_be_left_free() -> None:
    """Room for a fact to come keeps the others where they are."""
    fields = "{unused: 2}, {event: session, width: 2}, {flag: attributed}"
    spaced = schema(f"model: bits\nbits: [{fields}]")

    assert encode(did("session"), spaced)[0].fine == 0b00100
    assert sorted(spaced.plans["install"][0].meanings) == [0, 4, 16, 20]
