"""What the README says is what happens."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import skan_receiver as skan

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def body() -> bytes:
    """The body of the README's curl."""
    (text,) = re.findall(r"curl -i \S+ -d '(\{.*?\})'", README, re.DOTALL)
    return json.dumps(json.loads(text)).encode()


def test_the_first_postback_is_apples_own() -> None:
    """A newcomer who pastes it sees `valid`, or never comes back."""
    assert skan.examine(body()).verdict == "valid"


def test_the_library_in_five_lines_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As printed, on the README's own postback, from the repository's root."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {"body": body()}
    monkeypatch.chdir(ROOT)
    exec(code, names)
    assert names["postback"].fine_value == 63


def test_every_page_that_the_readme_names_is_there() -> None:
    """A broken link is a broken promise."""
    for name in re.findall(r"`((?:docs/)?[\w.-]+\.md)`", README):
        assert (ROOT / name).exists(), name
