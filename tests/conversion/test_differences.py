"""What changed from one schema to the next, as a growth manager would say it."""

from skan_receiver.conversion import load_schema
from skan_receiver.conversion.differences import differences
from tests.conversion.schemas import EXAMPLES, rules, schema, text

OLD = rules("value: 20, when: [{event: purchase}]", "value: 5, when: [{event: tutorial}]")


def told(old: str, new: str, more: str = "") -> list[str]:
    return [str(one) for one in differences(schema(old), schema(new, more))]


def test_nothing_differs_from_itself() -> None:
    """Whatever the model."""
    for example in EXAMPLES:
        assert differences(load_schema(example), load_schema(example)) == ()


def test_comments_and_labels_change_no_meaning() -> None:
    """Words for people may be bettered at any time."""
    assert told(OLD, "# better\n" + OLD.replace("value: 5", "label: Learnt, value: 5")) == []


def test_each_value_tells_what_it_said_and_what_it_says() -> None:
    """One that is new says so, and one that is gone."""
    new = rules("value: 21, when: [{event: purchase}]", "value: 5, when: [{event: registration}]")

    assert told(OLD, new) == [
        "5: tutorial at least once, no purchase → registration at least once, no purchase",
        "20: purchase at least once → nothing",
        "21: nothing → purchase at least once",
    ]


def test_values_side_by_side_that_change_alike_are_one_line() -> None:
    """A range reads better than its members; a gap between them ends it."""

    def table(event: str) -> str:
        values = (f"  {value}: {{when: [{{event: {event}}}]}}" for value in (3, 4, 5, 9))
        return "\n".join(("model: table", "values:", *values))

    change = "tutorial at least once → session at least once"
    assert told(table("tutorial"), table("session")) == [f"3–5: {change}", f"9: {change}"]


def test_locks_encoders_and_currencies_are_told() -> None:
    """They decide what a value means as much as the rules do."""
    locked = "  lock: {fine: 20, hours: 24}"
    assert told(OLD, OLD, locked) == ["lock: none → at fine value 20 or after 24 hours"]

    other = load_schema(text(OLD).replace("currency: USD", "currency: EUR\nencoder: adjust"))
    assert [str(one) for one in differences(schema(OLD), other)] == [
        "encoder: own → adjust",
        "currency: USD → EUR",
    ]


def test_a_window_that_is_new_says_what_its_values_mean() -> None:
    """Each difference names its window, for pages that group by it."""
    more = "  1:\n    coarse: {model: rules, rules: [{value: high, when: [{event: purchase}]}]}"

    (found,) = differences(schema(OLD), load_schema(f"{text(OLD)}{more}\n"))

    assert (found.conversion, found.window) == ("install", 1)
    assert str(found) == "high: nothing → purchase at least once"
