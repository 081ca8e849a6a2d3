"""What a value means."""

import json

import pytest

import skan_receiver as skan
from skan_receiver.conversion import EventCount, load_schema
from tests.conversion.schemas import FOLDER, Valued, rules, schema
from tests.protocol import apple

LADDER = rules(
    "value: 3, label: Payer, when: [{event: purchase, at_least: 3}]",
    "value: 2, when: [{event: purchase, at_most: 2, at_least: 1},"
    " {revenue: total, at_least: 5, less_than: 10}]",
    "value: 1, when: [{event: registration}]",
    "value: 0",
)
LATER = """\
1:
  coarse:
    model: rules
    rules:
      - {value: high, when: [{event: purchase}]}
      - {value: low}
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2.0, as corrected in 2020", "purchase once, revenue under 10.00 USD"),
        ("4.0 from the web, high tier", "purchase at least once, revenue from 50.00 USD"),
        ("4.0 from the web, low tier", "purchase at least once, revenue from 10.00 USD"),
        ("3.0, lost: no source app, no value", "no value"),
    ],
)
def test_apples_published_postbacks_decode(name: str, words: str) -> None:
    """A newcomer's first postback is Apple's own, and says something."""
    example = load_schema(FOLDER / "525463029.yaml")

    assert str(skan.decode(skan.parse(apple.BODIES[name]), example)) == words


@pytest.mark.parametrize(
    ("postback", "reason"),
    [
        (Valued(), "no value"),
        (Valued(fine_value=9), "value not in schema"),
        (Valued(window=2, coarse_value="low"), "window not in schema"),
        (Valued(app_id=7, fine_value=1), "other app"),
    ],
)
def test_a_value_without_a_meaning_has_a_reason(postback: Valued, reason: str) -> None:
    """What cannot be read is told apart: withheld is not the same as unknown."""
    decoded = skan.decode(postback, schema(LADDER))

    assert (decoded.meaning, decoded.reason, str(decoded)) == (None, reason, reason)


def test_a_value_says_what_its_rule_says() -> None:
    """Counts have both ends, revenue has a kind, a currency and bounds."""
    meaning = schema(LADDER).meaning(0, 2)

    assert meaning is not None
    assert meaning.events == (EventCount("purchase", 1, 2),)
    (revenue,) = meaning.revenue
    assert (revenue.kind, revenue.currency, revenue.min, revenue.max) == ("total", "USD", 5, 10)
    assert str(meaning) == "purchase 1–2 times, revenue 5.00–10.00 USD"


def test_a_rung_passed_over_is_unknown() -> None:
    """Three purchases say nothing of a registration: unknown is not "no"."""
    meaning = schema(LADDER).meaning(0, 3)

    assert meaning is not None
    assert meaning.event("registration") is None


def test_a_rule_that_did_not_win_says_something_too() -> None:
    """The first fitting rule wins, so who got a later value does not fit an earlier rule."""
    meaning = schema(LADDER).meaning(0, 1)

    assert meaning is not None
    assert meaning.event("purchase") == EventCount("purchase", 0, 2)
    assert meaning.event("registration") == EventCount("registration", 1, None)


def test_bounds_belong_or_do_not() -> None:
    """MMPs differ on whether 5.00 is in "5 to 10", so a schema says it."""
    open_low = rules("value: 1, when: [{revenue: iap, more_than: 5, at_most: 10}]")
    (revenue,) = next(schema(open_low).meanings()).revenue

    assert revenue.range.bounds == "(]"
    assert (5 in revenue.range, 10 in revenue.range) == (False, True)


def test_a_coarse_value_of_window_0_stands_for_fine_ones() -> None:
    """Small installs are told as coarse only; it says what its fine values have in common."""
    both = rules(
        "value: 2, coarse: high, when: [{event: purchase, at_least: 5}]",
        "value: 1, coarse: high, when: [{event: purchase}]",
        "value: 0, coarse: low",
    )
    decoded = skan.decode(Valued(coarse_value="high"), schema(both))

    assert str(decoded) == "purchase at least once"


def test_each_window_has_its_own_values() -> None:
    """High in days 3-7 is another fact than high in days 0-2."""
    later = schema(LADDER, LATER)

    assert str(later.meaning(1, "high")) == "purchase at least once"
    assert str(later.meaning(1, "low")) == "no purchase"
    assert later.meaning(0, "high") is None


def test_re_engagements_can_have_windows_of_their_own() -> None:
    """Who comes back is asked other questions than who is new."""
    again = "\nre-engagement:\n  windows:\n    0:\n      fine:\n        model: rules\n"
    both = load_schema(
        f"app: 42\nevents: {{buy: }}\nwindows:\n  0:\n    fine:\n      model: rules\n      rules: "
        f"[{{value: 1}}]{again}        rules: [{{value: 1, when: [{{event: buy}}]}}]\n"
    )
    new = skan.decode(Valued(fine_value=1, conversion_type="redownload"), both)
    back = skan.decode(Valued(fine_value=1, conversion_type="re-engagement"), both)

    assert (str(new), str(back)) == ("nothing certain", "buy at least once")


def test_a_decoded_postback_is_plain_json() -> None:
    """Destinations and pages get it as JSON, words included."""
    decoded = skan.decode(Valued(fine_value=2), schema(LADDER))
    plain = json.loads(json.dumps(decoded.as_dict()))

    assert plain["words"] == "purchase 1–2 times, revenue 5.00–10.00 USD"
    assert plain["meaning"]["events"] == [{"event": "purchase", "min": 1, "max": 2}]
    assert plain["meaning"]["revenue"] == [
        {"kind": "total", "currency": "USD", "min": 5.0, "max": 10.0, "bounds": "[)"}
    ]
