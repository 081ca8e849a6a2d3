"""Programs change schema files, and people go on writing in them."""

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion.rewrite import content, rewrite
from skan_receiver.errors import SchemaError
from tests.conversion.schemas import EXAMPLES, FOLDER

ALL = [*EXAMPLES, *FOLDER.glob("*.yaml")]
SHOP = """\
# The shop.
app: 42 # its id
events:
  purchase: # counted once paid
  session:

windows:
  0:
    fine:
      model: rules
      rules:
        # Payers first.
        - {value: 2, when: [{event: purchase}]} # agreed with finance
        # Then the others.
        - {value: 1, when: [{event: session}]}
        - {value: 0}
"""


@pytest.mark.parametrize("path", ALL, ids=[path.stem for path in ALL])
def test_a_file_saved_unchanged_is_unchanged(path: Path) -> None:
    """Opening and saving in an editor makes no diff."""
    text = path.read_text(encoding="utf-8")

    assert rewrite(text, content(text)) == text


def test_what_did_not_change_keeps_its_comments() -> None:
    """A new rule, a changed one and a dropped one touch their own lines only."""
    data = deepcopy(content(SHOP))
    rules = data["windows"][0]["fine"]["rules"]
    rules.insert(1, {"value": 3, "when": [{"event": "purchase", "at_least": 2}]})
    rules[2]["label"] = "Others"
    del rules[3]

    changed = rewrite(SHOP, data)

    assert content(changed) == data
    assert "# The shop.\napp: 42 # its id\n" in changed
    assert "- {value: 2, when: [{event: purchase}]} # agreed with finance\n" in changed
    assert "- {value: 1, when: [{event: session}], label: Others}\n" in changed
    assert "# counted once paid" in changed


def test_fields_keep_their_order_and_new_ones_come_last() -> None:
    """A diff of two versions shows what changed, not what moved."""
    data = dict(reversed(content(SHOP).items())) | {"currency": "USD"}

    changed = rewrite(SHOP, data)

    assert list(content(changed)) == ["app", "events", "windows", "currency"]


def test_a_file_that_is_no_mapping_cannot_be_rewritten() -> None:
    """There is nothing to keep."""
    with pytest.raises(SchemaError):
        rewrite("- 1\n", {})


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_rewritten_file_says_the_new_content(data: st.DataObject) -> None:
    """Whatever rules come, go and move: the file then says exactly what was asked for."""
    old = content(SHOP)
    rule = st.fixed_dictionaries(
        {"value": st.integers(0, 5)},
        optional={"when": st.lists(st.just({"event": "purchase"}), max_size=2)},
    )
    new = deepcopy(old)
    new["windows"][0]["fine"]["rules"] = data.draw(st.lists(rule, max_size=6))
    new["events"] = data.draw(st.dictionaries(st.sampled_from(["a", "purchase"]), st.none()))

    assert content(rewrite(SHOP, new)) == new
