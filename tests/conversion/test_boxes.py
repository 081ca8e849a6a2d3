"""Boxes and what is left of them: the arithmetic under every schema model."""

from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.conversion import User, UserEvent, encode
from skan_receiver.conversion.boxes import (
    AD,
    IAP,
    TOTAL,
    Box,
    Dimension,
    holds,
    hull,
    meet,
    remainder,
)
from skan_receiver.conversion.ranges import Range, buckets
from skan_receiver.errors import SchemaError
from tests.conversion.schemas import rules, schema
from tests.conversion.test_encode import assert_true_of

EVENTS = [Dimension("event", name) for name in "abc"]
DIMENSIONS = [*EVENTS, IAP, AD, TOTAL, Dimension("flag", "f")]

CUTS = st.tuples(st.integers(0, 5).map(float), st.integers(0, 1))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Up to three dimensions, each in some range with something in it."""
    box = {}
    for dimension in draw(st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True)):
        if dimension.kind == "flag":
            box[dimension] = Range((float(draw(st.booleans())), 0), (2.0, 0))
            continue
        one, other = sorted([draw(CUTS), draw(CUTS)])
        box[dimension] = Range(one) if one == other else Range(one, other)
    return box


@st.composite
def points(draw: st.DrawFn) -> dict[Dimension, float]:
    """A user who can be: total revenue is the sum of the two others."""
    halves = st.integers(0, 12).map(lambda half: half / 2)
    point = {dimension: draw(halves) for dimension in (*EVENTS, IAP, AD)}
    return point | {TOTAL: point[IAP] + point[AD], DIMENSIONS[-1]: float(draw(st.booleans()))}


@given(boxes(), st.lists(boxes(), max_size=6), points())
def test_what_is_left_is_what_was_not_taken(
    box: Box, taken: list[Box], point: dict[Dimension, float]
) -> None:
    """Never too little, and where it claims to be exact, never too much."""
    left = remainder(box, taken)

    outside = holds(box, point) and not any(holds(other, point) for other in taken)
    still_there = any(holds(part, point) for part in left.boxes)
    assert still_there or not outside
    assert outside or not (still_there and left.exact)


@given(boxes(), boxes(), points())
def test_meeting_and_hull_are_what_they_say(
    one: Box, other: Box, point: dict[Dimension, float]
) -> None:
    """In both is in the meeting; in either is in the hull."""
    both = meet(one, other)

    assert (both is not None and holds(both, point)) == (holds(one, point) and holds(other, point))
    if holds(one, point) or holds(other, point):
        assert holds(hull([one, other]), point)


@given(st.lists(st.integers(1, 20), min_size=1, unique=True).map(sorted), st.booleans())
def test_buckets_leave_nobody_out(edges: list[int], included: bool) -> None:
    """Every number is in one bucket, an edge in the one its bounds say."""
    cut = buckets(edges, upper_included=included)

    for number in (0.0, *map(float, edges), edges[-1] + 0.5):
        assert sum(number in bucket for bucket in cut) == 1
    assert (edges[0] in cut[0]) == included


@given(st.data())
def test_any_rules_decode_to_the_truth(data: st.DataObject) -> None:
    """Not of the examples alone: whatever the rules, a value is true of whoever has it."""
    bound = st.sampled_from(["at_least: 1", "at_least: 2", "exactly: 1", "at_most: 2"])
    event = st.sampled_from(["registration", "purchase", "session"])
    what = st.builds("event: {}".format, event) | st.sampled_from(
        ["revenue: iap", "revenue: total", "time: days"]
    )
    when = st.lists(st.builds("{{{}, {}}}".format, what, bound), max_size=2)
    rule = st.builds(
        lambda value, when: f"value: {value}, when: [{', '.join(when)}]", st.integers(0, 9), when
    )
    names = st.sampled_from(["registration", "purchase", "session", "ad_impression"])
    happened = st.builds(UserEvent, names, st.floats(0, 60), st.integers(0, 5).map(float))
    lines = data.draw(st.lists(rule, min_size=1, max_size=6))
    user = User(tuple(data.draw(st.lists(happened, max_size=8))))

    try:
        of = schema(rules(*lines))
    except SchemaError:
        return  # rules that exclude each other, or never win
    for version in ("3.0", "4.0"):
        for sent in encode(user, of, version=version):
            assert_true_of(sent, user, of)
