"""Keys from files: what they may be, and what is said of a wrong one."""

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import skan_receiver as skan
from skan_receiver.protocol import APPLE_KEYS, Keys, Trust
from skan_receiver.testing import KID, Signer

PLACEHOLDER = "<SPKI>"


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_apples_keys_are_known_without_any_file() -> None:
    """Four keys serve every version of both frameworks; evidence names them so."""
    assert [(key.id, key.trust.value) for key in APPLE_KEYS] == [
        ("apple/P-192", "production"),
        ("apple/P-256", "production"),
        ("apple-cas-identifier/0", "production"),
        ("apple-development-identifier/0", "development"),
        ("apple-development-identifier/1", "development"),
        ("apple-development-identifier/0", "development"),
    ]


def test_an_added_production_key_makes_valid(signer: Signer, tmp_path: Path) -> None:
    """A rotated Apple key needs a file, not a release; Apple's known keys stay."""
    keys = Keys.load(written(tmp_path / "keys.json", signer.production_keys()))
    print_256 = sha256(signer.spki("P-256")).hexdigest()[:8]
    found = skan.examine(signer.skadnetwork("4.0"), keys)

    assert (found.verdict, found.key_id) == ("valid", f"keys/P-256#{print_256}")
    assert skan.examine(signer.skadnetwork("2.0"), keys).verdict == "valid"
    assert skan.examine(signer.adattributionkit(), keys).key_id == f"keys/{KID}#{print_256}"
    assert {key.id for key in APPLE_KEYS} <= {key.id for key in keys}


def test_an_added_development_key_makes_development(signer: Signer, tmp_path: Path) -> None:
    """The environment of an added key is believed as it is written."""
    entries = [entry | {"environment": "development"} for entry in signer.production_keys()]
    keys = Keys.load(written(tmp_path / "keys.json", entries))

    assert skan.examine(signer.adattributionkit(), keys).verdict == "development"
    assert skan.examine(signer.skadnetwork("4.0", source_app_id=0), keys).verdict == "development"


def test_test_keys_make_development(signer: Signer, tmp_path: Path) -> None:
    """The file that a sandbox uses, exactly as the signer writes it."""
    keys = Keys.load(test_keys=written(tmp_path / "test.json", signer.test_keys()))

    assert keys.trusts_tests
    assert skan.examine(signer.skadnetwork("1.0"), keys).key_id == "test/P-192"
    assert skan.examine(signer.adattributionkit(), keys).verdict == "development"
    assert {key.trust for key in keys} == set(Trust)


GOOD = {
    "framework": "skadnetwork",
    "curve": "P-256",
    "environment": "production",
    "spki": PLACEHOLDER,
}

WRONG_KEYS: list[tuple[Any, str]] = [
    ("{", "not JSON"),
    ("\udc80", "not JSON"),
    ({}, "must be a list of keys"),
    ([7], "entry 0: must be an object with framework"),
    ([GOOD, GOOD | {"framework": "skan"}], "entry 1: framework must be skadnetwork or adattr"),
    ([{"curve": "P-256"}], "entry 0: framework is missing"),
    ([GOOD | {"environment": "test"}], "entry 0: environment must be production or development"),
    ([GOOD | {"curve": "P-384"}], "entry 0: the curve must be P-256 or P-192"),
    ([GOOD | {"curve": "P-192"}], "entry 0: not a key on P-192"),
    ([GOOD | {"curve": None}], "entry 0: curve is missing"),
    ([GOOD | {"framework": "adattributionkit"}], "entry 0: kid is missing"),
    ([GOOD | {"spki": None}], "entry 0: spki must be the public key as base64"),
    ([GOOD | {"spki": "-----BEGIN PUBLIC KEY-----"}], "entry 0: spki must be the public key"),
    ([GOOD | {"spki": "AAAA"}], "entry 0: not an X.509 SubjectPublicKeyInfo"),
]

WRONG_TEST_KEYS: list[tuple[Any, str]] = [
    ([], "must be a JSON object of objects"),
    ({"skadnetwork": "x"}, "must be a JSON object of objects"),
    ({"skan": {"P-256": PLACEHOLDER}}, "skan P-256: framework must be skadnetwork or"),
    ({"skadnetwork": {"P-521": PLACEHOLDER}}, "skadnetwork P-521: the curve must be P-256 or"),
    ({"adattributionkit": {"a/0": 1}}, "adattributionkit a/0: spki must be the public key"),
    ({"adattributionkit": {"": PLACEHOLDER}}, "adattributionkit : a key needs a name"),
]


def filled(content: Any, signer: Signer) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return text.replace(PLACEHOLDER, b64encode(signer.spki("P-256")).decode())


@pytest.mark.parametrize(("content", "message"), WRONG_KEYS)
def test_a_wrong_key_is_named_with_its_file_and_entry(
    content: Any, message: str, signer: Signer, tmp_path: Path
) -> None:
    """An operator reads it once, at the start, and knows what to write instead."""
    path = tmp_path / "keys.json"
    path.write_bytes(filled(content, signer).encode(errors="surrogateescape"))

    with pytest.raises(skan.ConfigurationError) as caught:
        Keys.load(path)

    assert str(path) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(("content", "message"), WRONG_TEST_KEYS)
def test_a_wrong_test_key_is_named_with_its_file_and_entry(
    content: Any, message: str, signer: Signer, tmp_path: Path
) -> None:
    """The same for the file of test keys."""
    path = written(tmp_path / "test.json", filled(content, signer))

    with pytest.raises(skan.ConfigurationError) as caught:
        Keys.load(test_keys=path)

    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A setting that names no file must not quietly mean no keys."""
    with pytest.raises(skan.ConfigurationError, match=r"none\.json: No such file"):
        Keys.load(tmp_path / "none.json")


def test_a_p192_key_for_adattributionkit_is_refused(signer: Signer, tmp_path: Path) -> None:
    """ES256 is P-256 and nothing else."""
    spki = b64encode(signer.spki("P-192")).decode()
    path = written(tmp_path / "test.json", {"adattributionkit": {"a/0": spki}})

    with pytest.raises(skan.ConfigurationError, match="not a key on P-256"):
        Keys.load(test_keys=path)


def test_the_signers_files_hold_public_keys(signer: Signer) -> None:
    """What is written for a server never holds what could sign."""
    told = signer.test_keys()

    assert b64decode(told["skadnetwork"]["P-256"]) == signer.spki("P-256")
    assert told["adattributionkit"] == {KID: told["skadnetwork"]["P-256"]}
