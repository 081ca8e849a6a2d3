"""Schemas by form."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from skan_receiver.conversion import check, load_schema
from skan_receiver.conversion.board import boards, faults_by_cell
from skan_receiver.conversion.building import (
    Rule,
    Unbuildable,
    new_schema,
    with_model,
    with_rule,
    without_value,
)
from skan_receiver.conversion.load import examine_schema
from skan_receiver.conversion.rewrite import content
from skan_receiver.conversion.starters import FINE_ONLY, STARTERS, Parts


@pytest.mark.parametrize("model", STARTERS)
def test_every_model_has_a_beginning_without_mistakes(model: str) -> None:
    """Whoever begins with a form has a schema that could be published."""
    text = new_schema(42, model)
    assert [one for one in check(text) if not one.warning] == []
    assert content(text)["windows"][0]["fine"]["model"] == model


def test_a_rule_keeps_what_is_written_around_it() -> None:
    """Comments stay, higher values come first, and an event that is new is made known."""
    text = new_schema(42, "rules").replace("app: 42", "app: 42 # ours")
    changed = with_rule(text, 0, Rule(15, "Invited", event="invite", at_least=2))

    assert "app: 42 # ours" in changed
    schema = load_schema(changed)
    meaning = schema.meaning(0, 15)
    assert meaning is not None
    assert (meaning.label, meaning.event("invite").min) == ("Invited", 2)  # type: ignore[union-attr]
    values = [rule["value"] for rule in content(changed)["windows"][0]["fine"]["rules"]]
    assert values == [20, 15, 10, 0]


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


@pytest.mark.parametrize("model", STARTERS)
def test_a_model_is_made_of_what_the_form_says(model: str) -> None:
    """Events in their order, made known where they are new; amounts, counts, days."""
    parts = Parts(("open_chest", "invite", "purchase"), "iap", (2, 8, 32), (1, 4), (1, 2))
    text = with_model(new_schema(42, "rules"), 0, model, parts)
    assert [one for one in check(text) if not one.warning] == []
    fine = content(text)["windows"][0]["fine"]
    made = {
        "rules": [rule["value"] for rule in fine.get("rules", [])] == [30, 20, 10, 0],
        "table": len(fine.get("values", ())) == 3,
        "funnel": [step["event"] for step in fine.get("steps", ())] == [*parts.events],
        "revenue": fine.get("edges") == [2, 8, 32] and fine.get("revenue") == "iap",
        "bits": len(fine.get("bits", ())) == 4,
        "engagement": fine.get("counts") == [1, 4] and fine.get("event") == "open_chest",
        "retention": fine.get("days") == [1, 2],
        "mixed": len(fine.get("parts", [])) == 2 and "at_least: 32" in text,
    }
    assert made[model]


def test_a_table_says_every_count_once() -> None:
    """From none to the last bucket, which has no end."""
    text = with_model(new_schema(42, "rules"), 0, "table", Parts(("invite",), counts=(1, 2, 5)))
    told = [load_schema(text).meaning(0, value) for value in range(4)]
    counts = [(m.event("invite").min, m.event("invite").max) for m in told if m]  # type: ignore[union-attr]
    assert counts == [(0, 0), (1, 1), (2, 4), (5, None)]


@pytest.mark.parametrize(
    ("parts", "said"),
    [(Parts(edges=(5, 1)), "edges: from the lowest"), (Parts(edges=(1, 1)), "each once")],
)
def test_numbers_that_do_not_rise_are_told(parts: Parts, said: str) -> None:
    """Rather than written, and then found by the check."""
    with pytest.raises(Unbuildable, match=said):
        with_model(new_schema(42, "rules"), 0, "revenue", parts)


@pytest.mark.parametrize("window", [0, 1, 2])
@pytest.mark.parametrize("model", [name for name in STARTERS if name not in FINE_ONLY])
@pytest.mark.parametrize("parts", [Parts(), Parts(("a", "b"), "ad", (2, 8), (1, 4), (1, 2))])
def test_coarse_levels_are_made_by_the_same_models(window: int, model: str, parts: Parts) -> None:
    """Of every window; later ones have no others, whatever was asked for."""
    text = new_schema(42, "rules")
    text = with_model(text, window, model, replace(parts, coarse=window == 0))
    assert [one for one in check(text) if not one.warning] == []
    made = content(text)["windows"][window]
    assert made["coarse"]["model"] == model
    assert ("fine" in made) == (window == 0)


def test_three_levels_hold_no_more_than_three() -> None:
    """Said before it is written, with the field."""
    text, many = new_schema(42, "rules"), Parts(("a", "b", "c"), edges=(1, 2, 3))
    for model, said in (("funnel", "events: two"), ("revenue", "edges: two"), ("bits", "model: ")):
        with pytest.raises(Unbuildable, match=said):
            with_model(text, 1, model, many)


@pytest.mark.parametrize(
    "text",
    [
        "app: 42\nwindows:\n",
        "app: 42\nwindows: 3\n",
        "app: 42\nwindows:\n  0:\n",
        "app: 42\nwindows: {0: {fine: }}\n",
        "app: 42\nwindows: {0: {fine: 3}}\n",
        "app: 42\nwindows: {0: {fine: {model: rules, rules: 3}}}\n",
        "app: 42\nwindows: {0: {fine: {model: rules, rules: [3]}}}\n",
        "app: 42\nwindows: {0: {fine: {model: table, values: 3}}}\n",
        "app: 42\nevents:\nwindows: {0: {}}\n",
        "app: 42\nevents: [purchase]\n",
        "app: 42\nevents: {purchase: iap}\n",
        "app: 42\n",
    ],
)
def test_half_a_text_is_built_upon_or_refused(text: str) -> None:
    """Whatever stands where fields should; nothing else goes wrong."""
    builds: Sequence[Callable[[], str]] = (
        *(partial(with_model, text, 0, model) for model in STARTERS),
        partial(with_rule, text, 0, Rule(3, "Three", event="invite")),
        partial(without_value, text, 0, 3),
    )
    for build in builds:
        said = _said(build)
        assert any(part in said for part in ("app: 42", "mend that first", "follow from"))


def _said(build: Callable[[], str]) -> str:
    try:
        return build()
    except Unbuildable as refused:
        return str(refused)


def test_a_mixed_window_needs_two_events() -> None:
    """One alone would leave its funnel without a step."""
    with pytest.raises(Unbuildable, match="events: two at least"):
        with_model(new_schema(42, "rules"), 0, "mixed", Parts(("a",)))


def test_labels_are_english() -> None:
    """Also of a single bucket."""
    assert "Purchase, once and more" in new_schema(42, "table")
