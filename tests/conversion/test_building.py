"""Schemas by form."""

import pytest

from skan_receiver.conversion import check, load_schema
from skan_receiver.conversion.board import boards, faults_by_cell
from skan_receiver.conversion.building import (
    STARTERS,
    Rule,
    Unbuildable,
    new_schema,
    with_model,
    with_rule,
    without_value,
)
from skan_receiver.conversion.load import examine_schema
from skan_receiver.conversion.rewrite import content


@pytest.mark.parametrize("model", STARTERS)
def test_every_model_has_a_beginning_without_mistakes(model: str) -> None:
    """Whoever begins with a form has a schema that could be published."""
    text = new_schema(42, model)
    assert [one for one in check(text) if not one.warning] == []
    assert content(text)["windows"][0]["fine"]["model"] == model


def test_a_rule_keeps_what_is_written_around_it() -> None:
    """Comments stay, higher values come first, and an event that is new is made known."""
    text = new_schema(42, "rules").replace("app: 42", "app: 42 # ours")
    changed = with_rule(text, 0, Rule(20, "Invited", event="invite", at_least=2))

    assert "app: 42 # ours" in changed
    schema = load_schema(changed)
    meaning = schema.meaning(0, 20)
    assert meaning is not None
    assert (meaning.label, meaning.event("invite").min) == ("Invited", 2)  # type: ignore[union-attr]
    values = [rule["value"] for rule in content(changed)["windows"][0]["fine"]["rules"]]
    assert values == [40, 20, 10, 0]


def test_a_rule_takes_the_place_of_the_one_that_gave_its_value() -> None:
    """And is gone again when it is taken out."""
    text = new_schema(42, "rules")
    changed = with_rule(text, 0, Rule(40, "Big", revenue="iap", from_amount=50.0))
    revenue = load_schema(changed).meaning(0, 40).revenue_of("iap")  # type: ignore[union-attr]
    assert revenue is not None
    assert revenue.min == 50
    assert load_schema(without_value(changed, 0, 40)).meaning(0, 40) is None


def test_values_that_follow_from_fields_have_no_rules() -> None:
    """It says so, rather than write a rule that nobody reads."""
    with pytest.raises(Unbuildable, match="the model is revenue"):
        with_rule(new_schema(42, "revenue"), 0, Rule(3, "Three"))
    assert "edges" in with_model(new_schema(42, "rules"), 0, "revenue")


def test_a_mistake_is_shown_at_its_cell() -> None:
    """Of a window that has 64."""
    text = new_schema(42, "rules").replace("event: registration", "event: registratoin")
    schema, problems = examine_schema(text)
    assert schema is None
    faults = faults_by_cell(problems, content(text))
    assert set(faults) == {("install", 0, 10)}

    (board,) = boards(load_schema(new_schema(42, "rules")), faults)
    assert len(board.fine) == 64
    assert [cell.value for cell in board.fine if cell.problems] == [10]
