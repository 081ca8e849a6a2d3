"""The JSON Schema that editors read."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from skan_receiver.conversion.editors import json_schema, json_schema_text
from skan_receiver.conversion.rewrite import content
from tests.conversion.schemas import EXAMPLES, FOLDER, rules, text

ALL = [*EXAMPLES, *FOLDER.glob("*.yaml")]


def as_editors_see(yaml: str) -> Any:
    """JSON: every key is a text."""
    return json.loads(json.dumps(content(yaml)))


def test_the_committed_schema_is_the_current_one() -> None:
    """Refresh it with `skan-receiver schemas json-schema > conversion_schemas/schema.json`."""
    assert (FOLDER / "schema.json").read_text(encoding="utf-8") == json_schema_text()


@pytest.mark.parametrize("path", ALL, ids=[path.stem for path in ALL])
def test_editors_find_nothing_wrong_with_the_examples(path: Path) -> None:
    """What loads is not underlined, and each file names the schema it is checked with."""
    yaml = path.read_text(encoding="utf-8")
    up = "" if path.parent == FOLDER else "../"

    assert jsonschema_rs.validator_for(json_schema()).is_valid(as_editors_see(yaml))
    assert yaml.startswith(f"# yaml-language-server: $schema={up}schema.json\n")


@pytest.mark.parametrize(
    "rule", ["value: 64", "value: 1, whn: []", "value: 1, when: [{evnt: purchase}]", "label: x"]
)
def test_editors_underline_what_would_not_load(rule: str) -> None:
    """The commonest slips are seen while typing."""
    assert not jsonschema_rs.validator_for(json_schema()).is_valid(
        as_editors_see(text(rules(rule)))
    )
