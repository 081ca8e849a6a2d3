"""Encoding: what a device sets for a user, and that decoding it tells no lie."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion import (
    Encoded,
    Schema,
    User,
    UserEvent,
    decode,
    encode,
    load_schema,
)
from tests.conversion.schemas import EXAMPLES, Valued, rules, schema

SCHEMAS = [load_schema(path) for path in EXAMPLES]
NAMES = [path.stem for path in EXAMPLES]

# Amounts and hours on and around the edges that the examples have.
AMOUNTS = st.sampled_from([0, 0.5, 0.99, 1, 4.99, 5, 10, 20, 20.01, 50, 100, 101, 300])
HOURS = st.floats(0, 900) | st.sampled_from([0.0, 23.9, 24.0, 47.9, 48.0, 96.0, 168.0, 672.0])
LADDER = rules(
    "value: 9, when: [{event: purchase, at_least: 3}]",
    "value: 5, when: [{event: purchase, exactly: 1}]",
    "value: 2, when: [{event: purchase, exactly: 2}]",
    "value: 0",
)


def bought(*hours: float) -> User:
    return User(tuple(UserEvent("purchase", hour, 1.0) for hour in hours))


def values(user: User, of: Schema, version: str = "4.0") -> list[tuple[Any, ...]]:
    return [(each.fine, each.coarse) for each in encode(user, of, version=version)]


@st.composite
def users(draw: st.DrawFn, of: Schema) -> User:
    events = st.builds(
        UserEvent,
        name=st.sampled_from([*of.events, "another"]),
        hours=HOURS,
        revenue=AMOUNTS,
        currency=st.sampled_from([None, "EUR", "USD", "XXX"]),
    )
    return User(
        events=tuple(draw(st.lists(events, max_size=30))),
        flags=frozenset(draw(st.sets(st.sampled_from([*of.flags, "unknown"])))),
        installed=draw(st.none() | st.dates(date(2025, 12, 1), date(2026, 12, 1))),
        conversion_type=draw(st.sampled_from([None, "download", "re-engagement"])),
    )


@pytest.mark.parametrize("of", SCHEMAS, ids=NAMES)
@pytest.mark.parametrize("version", ["3.0", "4.0"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_decoded_value_holds_the_truth(of: Schema, version: str, data: st.DataObject) -> None:
    """Whatever a user does, what the value says was true of them when the app set it."""
    user = data.draw(users(of))

    for sent in encode(user, of, version=version):
        assert_true_of(sent, user, of)


def assert_true_of(sent: Encoded, user: User, of: Schema) -> None:
    valued = partial(Valued, of.app_id, sent.window, conversion_type=user.conversion_type)
    fine = decode(valued(fine_value=sent.fine), of)
    coarse = decode(valued(coarse_value=sent.coarse), of)

    assert (fine.meaning is None) == (sent.fine is None)
    assert (coarse.meaning is None) == (sent.coarse is None)
    assert fine.meaning is None or fine.meaning.allows(sent.fine_of), str(fine)
    assert coarse.meaning is None or coarse.meaning.allows(sent.coarse_of), str(coarse)


def test_a_value_rises_only_up_to_skadnetwork_3() -> None:
    """From 4.0 on a value may fall; before, the device keeps the highest."""
    ladder = schema(LADDER)

    assert values(bought(1, 2), ladder, "4.0") == [(2, None)]
    assert values(bought(1, 2), ladder, "3.0") == [(5, None)]


def test_the_timer_of_24_hours_ends_the_only_window_of_old() -> None:
    """Up to 3.0 every rise gives another 24 hours; what comes later is never told."""
    ladder = schema(LADDER)

    assert values(bought(25), ladder, "3.0") == [(0, None)]
    assert values(bought(23, 40, 46), ladder, "3.0") == [(9, None)]
    assert values(bought(23, 40, 48), ladder, "3.0") == [(5, None)]


def test_an_activity_timer_stops_updates_earlier() -> None:
    """MMPs stop updates after so many hours, so that the day of the install can be told."""
    limited = load_schema(
        "app: 42\nactivity_timer: 12\nevents: {purchase: }\nwindows:\n  0:\n    fine:\n"
        "      model: rules\n      rules: [{value: 1, when: [{event: purchase}]}, {value: 0}]\n"
    )

    assert values(bought(11), limited, "3.0") == [(1, None)]
    assert values(bought(12), limited, "3.0") == [(0, None)]


@pytest.mark.parametrize(
    ("lock", "fine"),
    [
        ("{event: purchase}", 5),
        ("{fine: 5}", 5),
        ("{hours: 2}", 2),
        ("{fine: 9}", 9),
    ],
)
def test_a_lock_freezes_the_window(lock: str, fine: int) -> None:
    """After a lock the device takes no further value for that window."""
    locked = schema(LADDER, f"  lock: {lock}")

    assert values(bought(1, 2, 3), locked) == [(fine, None)]


def test_a_rule_can_lock_by_itself() -> None:
    """GA4 has its lock on the value, not on the window."""
    locked = schema(rules("value: 1, lock: true, when: [{event: purchase}]", "value: 0"))

    (sent,) = encode(bought(3, 4), locked)
    assert (sent.fine, sent.locked_at) == (1, 3)


def test_windows_count_for_themselves_unless_told() -> None:
    """A purchase of day 1 is no purchase of days 3-7, unless the schema counts since install."""
    one = "1:\n  coarse: {model: engagement, event: purchase, counts: [1, 2]}\n"
    apart = schema(LADDER, one)
    together = schema(LADDER, one + "  counts: since_install\n")

    assert values(bought(1, 50), apart) == [(5, None), (None, "medium")]
    assert values(bought(1, 50), together) == [(5, None), (None, "high")]
    assert values(bought(1), together) == [(5, None), (None, None)]


def test_amounts_are_in_the_schemas_currency_at_the_rate_of_the_day() -> None:
    """Rates have a date; an amount in a currency without a rate is not counted."""
    (shop,) = (each for each in SCHEMAS if each.name.startswith("Rules"))

    def spent(amount: float, currency: str, day: date) -> object:
        event = UserEvent("purchase", 1, amount, currency)
        return encode(User((event,), installed=day), shop)[0].fine

    assert spent(55, "USD", date(2026, 2, 1)) == 30
    assert spent(55, "USD", date(2026, 8, 1)) == 15
    assert spent(55, "USD", date(2025, 8, 1)) == 15
    assert spent(5000, "XXX", date(2026, 2, 1)) == 15


def test_a_user_without_a_rule_gets_no_value() -> None:
    """No update, no value: the device then holds nothing."""
    payers = schema(rules("value: 1, when: [{event: purchase}]"))

    assert values(User(), payers) == [(None, None)]
