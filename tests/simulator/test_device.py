"""The values of many phones at once are those of one phone after the other."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion import Schema, User, UserEvent, encode, load_schema
from skan_receiver.conversion.arrays import ABSENT, CODES
from skan_receiver.simulator.device import Course, hold
from skan_receiver.simulator.lives import LAST_HOUR, Deeds

FOLDER = Path(__file__).parents[2] / "conversion_schemas"
SCHEMAS = [load_schema(path) for path in sorted(FOLDER.glob("**/*.yaml"))]
INSTALLED = date(2026, 6, 28)

amounts = st.sampled_from([0.0, 0.99, 4.99, 9.99, 10.0, 20.0, 50.0, 49.99, 100.0])
hours = st.one_of(
    st.floats(0, LAST_HOUR, exclude_max=True, allow_nan=False),
    st.sampled_from([0.0, 0.5, 23.9, 24.0, 47.9, 48.0, 100.0, 168.0, 700.0]),
)
names = st.sampled_from(["registration", "purchase", "session", "ad_impression", "nobody's"])
events = st.builds(UserEvent, name=names, hours=hours, revenue=amounts)
users = st.lists(
    st.lists(events, max_size=12, unique_by=lambda event: event.hours), min_size=1, max_size=6
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: Path(schema.source).stem)
@pytest.mark.parametrize("version", ["3.0", "4.0"])
@pytest.mark.parametrize("conversion", ["download", "re-engagement"])
@settings(max_examples=40, deadline=None)
@given(lived=users)
def test_many_phones_hold_what_each_would(
    schema: Schema, version: str, conversion: str, lived: list[list[UserEvent]]
) -> None:
    """Every schema of ours, fine and coarse, and the hour of every lock."""
    for window in schema.plan(conversion).values():
        if version == "3.0" and window.index:
            continue
        known = [*schema.events, "nobody's"]
        course = Course(schema, window, known, version == "3.0", INSTALLED)
        held = hold(deeds(lived, known), len(lived), course)
        for place, life in enumerate(lived):
            kept = tuple(event for event in life if event.name in known)
            user = User(kept, installed=INSTALLED, conversion_type=conversion)
            (one,) = (e for e in encode(user, schema, version=version) if e.window == window.index)
            assert held.fine[place] == CODES.get(one.fine, ABSENT)
            assert held.coarse[place] == CODES.get(one.coarse, ABSENT)
            if one.locked_at is not None:
                assert held.closed[place] == one.locked_at


def deeds(lived: list[list[UserEvent]], known: list[str]) -> Deeds:
    rows = [
        (user, known.index(event.name), event.hours, event.revenue)
        for user, life in enumerate(lived)
        for event in sorted(life, key=lambda event: event.hours)
        if event.name in known
    ]
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    user, name, at, revenue = (np.array(column) for column in columns)
    return Deeds(user.astype(int), name.astype(int), at.astype(float), revenue.astype(float))


def test_a_timer_begins_again_with_every_rise() -> None:
    """Up to SKAdNetwork 3: 24 hours after the last rise nothing changes any more."""
    schema = load_schema(FOLDER / "525463029.yaml")
    known = list(schema.events)
    life = [
        UserEvent("registration", 20.0),
        UserEvent("purchase", 43.0, 5.0),
        UserEvent("session", 66.0),
        UserEvent("purchase", 67.5, 5.0),
    ]
    course = Course(schema, schema.plan()[0], known, rising=True, installed=INSTALLED)
    held = hold(deeds([life], known), 1, course)
    assert held.fine.tolist() == [20]
    assert held.closed.tolist() == [67.0]
