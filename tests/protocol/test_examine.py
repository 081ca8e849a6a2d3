"""Whatever it is, something can be said of it."""

import json

import pytest

import skan_receiver as skan
from skan_receiver.protocol import bodies
from skan_receiver.testing import Signer, encode


def test_a_malformed_body_says_what_it_claims_to_be(signer: Signer) -> None:
    """The partner who sent it learns which member to look at, and in which layout."""
    found = skan.examine(signer.skadnetwork("3.0") | {"did-win": "yes"})

    assert (found.verdict, found.framework, found.version) == ("malformed", "skadnetwork", "3.0")
    assert found.reason == "did-win: expected a boolean, got text"
    assert (found.key_id, found.postback) == ("", None)


@pytest.mark.parametrize(
    ("body", "framework", "version"),
    [
        (b'{"jws-string": 1}', "adattributionkit", ""),
        (b'{"attribution-signature": ""}', "skadnetwork", "1.0"),
        (b'{"attribution-signature": "", "version": 4}', "skadnetwork", None),
        (b'{"hello": "world"}', None, None),
        (b"[]", None, None),
        (b"", None, None),
        ("\ud800", None, None),
        ({"a": b"bytes"}, None, None),
        ({1: {2}}, None, None),
        (None, None, None),
        (7, None, None),
        ([1, 2], None, None),
        (["ab"], None, None),
    ],
)
def test_anything_at_all_can_be_examined(
    body: object, framework: str | None, version: str | None
) -> None:
    """It never raises: a script over a million lines stops for none of them."""
    found = skan.examine(body)  # type: ignore[arg-type]  # that is the point

    assert found.verdict == "malformed"
    assert (found.framework, found.version) == (framework, version)
    assert found.reason


def test_bytes_text_and_mapping_are_the_same_body(signer: Signer, keys: skan.Keys) -> None:
    """The library takes what its caller has."""
    body = signer.adattributionkit(conversion_value=7)
    forms = (encode(body), encode(body).decode(), body)

    assert len({skan.examine(form, keys).postback for form in forms}) == 1


ONE, TWO = b'{"a": 1}', b'{"b": {"c": 2}}'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n \n", []),
        (ONE, [ONE]),
        (ONE + b"\n" + TWO + b"\r\n\n" + ONE + b"\n", [ONE, TWO, ONE]),
        (ONE + b"\nnonsense\n" + TWO, [ONE, b"nonsense", TWO]),
        (b"\xff\n" + ONE, [b"\xff", ONE]),
        (b"[1,\n2]", [b"[1,\n2]"]),
        (b"nonsense\nnonsense", [b"nonsense\nnonsense"]),
        (b'{\n "a": 1,\n}', [b'{\n "a": 1,\n}']),
    ],
)
def test_a_file_is_one_body_or_one_a_line(data: bytes, expected: list[bytes]) -> None:
    """A line that is nonsense stays a line, so that its verdict has a place."""
    assert list(bodies(data)) == expected


def test_a_pretty_printed_body_is_one_body(signer: Signer, keys: skan.Keys) -> None:
    """People keep a postback as their editor formats it."""
    text = json.dumps(signer.skadnetwork(), indent=2).encode()

    assert [skan.examine(body, keys).verdict for body in bodies(text)] == ["valid"]
