"""The guide does what it says."""

import re
import subprocess
import sys

from skan_receiver.conversion import check, load_schema
from tests.conversion.schemas import FOLDER

GUIDE = (FOLDER.parent / "docs" / "schemas.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_first_schema_is_a_good_one() -> None:
    """What people copy first has no mistake and no doubt, and reads as the guide explains it."""
    first = load_schema(example("yaml"))

    assert check(example("yaml")) == ()
    assert str(first.meaning(0, 20)) == "purchase at least once, revenue 5.00–10.00 USD"
    assert str(first.meaning(0, 10)) == "purchase at least once, revenue under 5.00 USD"
    assert str(first.meaning(0, 5)) == "registration at least once, no purchase"


def test_the_python_prints_what_its_comments_say() -> None:
    """Each `print` ends in a comment with what it prints."""
    program = example("python")
    wanted = re.findall(r"print\(.*?# (.*)", program)

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == wanted
