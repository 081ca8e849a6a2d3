"""The guide does what it says."""

import re
from pathlib import Path

from ruamel.yaml import YAML

from skan_receiver.config import Settings
from skan_receiver.delivery.destinations import KINDS
from skan_receiver.delivery.documents import PAUSED
from skan_receiver.delivery.save import checked
from skan_receiver.delivery.templates.macros import macros_for

GUIDE = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text(encoding="utf-8")


def test_the_examples_are_good_destinations() -> None:
    """What people copy first has no mistake."""
    found = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert len(found) == 3
    for text in found:
        document = YAML(typ="safe").load(text)
        for one in document["destinations"] if isinstance(document, dict) else document:
            checked(one, Settings())


def test_every_field_and_every_macro_is_explained() -> None:
    """And nothing is that does not exist."""
    explained = set(re.findall(r"`(\w+)`", GUIDE))
    fields = {field for kind in KINDS.values() for field in kind.model_fields}
    macros = {name for kind in KINDS for name in macros_for(kind, ip=True)}
    assert fields - explained == {"preset"}
    assert macros - explained - {"ip"} == set()
    assert PAUSED in explained
