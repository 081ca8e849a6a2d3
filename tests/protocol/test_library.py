"""What `import skan_receiver` gives, and what it costs."""

import subprocess
import sys
from pathlib import Path

import skan_receiver as skan

HEAVY = ["flask", "sqlmodel", "sqlalchemy", "pandas", "ecdsa"]


def test_the_library_offers_what_it_says() -> None:
    """Adding a name is a promise; losing one breaks somebody's program."""
    assert {
        "APPLE_KEYS",
        "ConfigurationError",
        "Decoded",
        "Encoded",
        "Examination",
        "Framework",
        "Judgement",
        "Keys",
        "Malformed",
        "Meaning",
        "NotJson",
        "Postback",
        "Schema",
        "SchemaError",
        "Signature",
        "SkanError",
        "UnknownVersion",
        "User",
        "UserEvent",
        "Verdict",
        "decode",
        "encode",
        "examine",
        "identity",
        "judge",
        "load_folder",
        "load_schema",
        "parse",
        "verify",
    } == set(skan.__all__)
    assert all(hasattr(skan, name) for name in skan.__all__)


def test_the_library_needs_neither_web_nor_database() -> None:
    """A notebook or a script pays for cryptography, and for nothing that it does not use."""
    program = f"import sys, skan_receiver; print([m for m in {HEAVY} if m in sys.modules])"
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


def test_every_refusal_is_one_family() -> None:
    """`except SkanError` is enough for whoever does not care which."""
    bodies = (skan.NotJson, skan.UnknownVersion)
    others = (skan.Malformed, skan.ConfigurationError, skan.SchemaError)

    assert all(issubclass(error, skan.Malformed) for error in bodies)
    assert all(issubclass(error, skan.SkanError) for error in others)
