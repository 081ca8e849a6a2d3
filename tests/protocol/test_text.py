"""JSON that could be read in two ways is not read at all, and the member is named."""

import json

import pytest

from skan_receiver.errors import Malformed, NotJson
from skan_receiver.protocol.text import DEPTH, LARGEST, clip, load, read

# (body, part of the reason, member at fault)
NOT_JSON = [
    (b"", "not JSON", None),
    (b"hello", "not JSON", None),
    (b'{"a": 1', "not JSON", None),
    (b'{"a": 1,}', "not JSON", None),
    (b"{'a': 1}", "not JSON", None),
    (b'{"a": 1} {"a": 1}', "not JSON", None),
    (b'{"a": 01}', "not JSON", None),
    (b'{"a": "\x01"}', "not JSON", None),
    (b'\xef\xbb\xbf{"a": 1}', "byte order mark", None),
    ('{"a": 1}'.encode("utf-16"), "not UTF-8", None),
    (b"[1]", "not a JSON object", None),
    (b"null", "not a JSON object", None),
    (b"42", "not a JSON object", None),
    (b'{"a": "\xff"}', "not UTF-8", "a"),
    (b'{"b": 1, "a": ["\xc3\x28"]}', "not UTF-8", "a"),
    (b'{"\xff": 1}', "not UTF-8", r"\udcff"),
    (b'\xff{"a": 1}', "not UTF-8", None),
    (b'{"a": "\xed\xa0\x80"}', "not UTF-8", "a"),
    (b'{"a": 1, "a": 1}', "twice", "a"),
    (b'{"b": 0, "a": 1, "\\u0061": 2}', "twice", "a"),
    (b'{"a": {"b": 1, "b": 2}}', "twice", "b"),
    (b'{"a": NaN}', "finite", "a"),
    (b'{"a": -Infinity}', "finite", "a"),
    (b'{"a": 1e999}', "finite", "a"),
    (b'{"a": {"b": [Infinity]}}', "finite", "b"),
    (b'{"a": ' + b"[" * DEPTH + b"]" * DEPTH + b"}", "deeper", "a"),
    (b'{"a": ' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1), "deeper", "a"),
    (b'{"a": ' + b"[" * 8000 + b"]" * 8000 + b"}", "deeper", None),
    # What is not JSON stays so, whatever else is wrong with it.
    (b'{"a": "\\ud800", "b": NaN}', "finite", "b"),
]

MALFORMED = [
    (b'{"a": 9223372036854775808}', "64 bits", "a"),
    (b'{"a": -9223372036854775808}', "64 bits", "a"),
    (b'{"a": ' + b"9" * 15000 + b"}", "64 bits", "a"),
    (b'{"a": {"b": [1, 99999999999999999999]}}', "64 bits", "b"),
    (b'{"a": "\\ud800"}', "surrogate", "a"),
    (b'{"a": "\\uDC00\\ud800"}', "surrogate", "a"),
    (b'{"\\ud83d": 1}', "surrogate", r"\ud83d"),
    (b'{"a": "x\xe2\x81\xa3y"}', "U+2063", "a"),
    (b'{"a": "x\\u2063y"}', "U+2063", "a"),
    (b'{"a": ["x", {"b": "\\u2063"}]}', "U+2063", "b"),
    (b'{"a\xe2\x81\xa3": 1}', "U+2063", r"a\u2063"),
    (b'{"a": "\\u0000"}', "U+0000", "a"),
]


@pytest.mark.parametrize(("body", "reason", "member"), NOT_JSON)
def test_what_breaks_a_limit_of_json_is_not_json(
    body: bytes, reason: str, member: str | None
) -> None:
    """No upgrade will read these: they are refused, by the name of the member at fault."""
    with pytest.raises(NotJson, match=reason) as caught:
        load(body)

    assert caught.value.member == member


@pytest.mark.parametrize(("body", "reason", "member"), MALFORMED)
def test_what_no_device_writes_is_malformed(body: bytes, reason: str, member: str) -> None:
    """These are JSON, so they are kept; the member at fault is named."""
    with pytest.raises(Malformed) as caught:
        load(body)

    assert type(caught.value) is Malformed
    assert reason in caught.value.reason
    assert caught.value.member == member


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud83d\\ude00 \\u00e9", "b": "é"}',
        '{"a": 9223372036854775807, "b": -1, "c": 1.5, "d": 1e300, "e": null}',
        '{"a": {"b": [{"c": [true, false]}]}}',
        '{"braces": "{{{{{{{{{{{{{{{{{{{{[[[[[[[[[[[[[[[[[[["}',
        '\r\n\t {"a":1}\n',
        '{"a": ' + "[" * (DEPTH - 1) + "]" * (DEPTH - 1) + "}",
        "{}",
    ],
)
def test_whatever_else_is_json_is_read_as_json(text: str) -> None:
    """Strictness ends where ambiguity ends."""
    assert load(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        ("42", int, "expected an integer, got text"),
        (True, int, "expected an integer, got a boolean"),
        (42.0, int, "expected an integer, got a floating-point number"),
        ([42], int, "expected an integer, got an array"),
        (-1, int, "negative"),
        (LARGEST + 1, int, "a number beyond 64 bits"),
        (1, bool, "expected a boolean, got an integer"),
        ("true", bool, "expected a boolean, got text"),
        (42, str, "expected text, got an integer"),
        ({}, str, "expected text, got an object"),
        ("", str, "empty"),
        ("x" * 256, str, "longer than 255 bytes"),
        ("\U0001f600" * 64, str, "longer than 255 bytes"),
        (None, str, "missing"),
    ],
)
def test_a_member_of_another_type_is_malformed(value: object, kind: type, reason: str) -> None:
    """ "42" is not 42, 1 is not true: maths would pass, and the type be wrong."""
    with pytest.raises(Malformed) as caught:
        read({"a": value}, "a", kind)

    assert (caught.value.reason, caught.value.member) == (reason, "a")


def test_null_reads_as_absence_where_absence_is_allowed() -> None:
    """Apple sends no null; where one appears, it can only mean that there is no value."""
    assert read({"a": None}, "a", int, optional=True) is None
    assert read({}, "a", int, optional=True) is None


def test_what_a_stranger_wrote_is_shortened_before_it_is_repeated() -> None:
    """A reason goes into a log line, so it carries no megabyte and no escape sequence."""
    assert clip("\x1b[31m") == r"\x1b[31m"
    assert len(clip("x" * 10_000)) == 60
