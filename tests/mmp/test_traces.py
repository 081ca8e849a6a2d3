"""An identifier is found in whichever form it was written down, and others are not."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.traces import Traces

IDFA = "9F3C1B7E-52D4-4A60-8C11-0D5E7A42B693"

FORMS: list[Callable[[str], bytes]] = [
    str.encode,
    lambda one: one.lower().encode(),
    lambda one: one.upper().encode(),
    lambda one: quote(one, safe="").encode(),
    lambda one: quote_plus(quote_plus(one, safe=""), safe="").encode(),
    lambda one: "".join(f"%{byte:02x}" for byte in one.encode()).encode(),
    lambda one: (
        "".join(f"\\u{ord(letter):04x}" for letter in one if ord(letter) < 0x10000).encode()
        if one.isascii()
        else one.encode()
    ),
    lambda one: json.dumps(one).replace("/", "\\/").encode() if one.isalnum() else one.encode(),
    lambda one: one.encode("utf-16-le"),
    lambda one: one.encode("utf-16-be"),
    *(
        (lambda one, before=before: b64encode(before + one.encode() + b'"}'))
        for before in (b"", b"a", b"ab", b"abc")
    ),
    lambda one: urlsafe_b64encode(b"?" + one.lower().encode()),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", [b"%s", b'{"a":"x","idfa":"%s"}', b"a=1&idfa=%s&b=2"])
def test_it_is_found_in_every_form(form: Callable[[str], bytes], around: bytes) -> None:
    """In a query, in JSON, alone."""
    assert Traces([IDFA, "other-identifier"]).are_in(None, around % form(IDFA))


@given(
    one=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=16, max_size=40),
    form=st.sampled_from([str.encode, FORMS[3], FORMS[4], FORMS[8], FORMS[10], FORMS[12]]),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
)
def test_whatever_stands_around_it(
    one: str, form: Callable[[str], bytes], before: bytes, after: bytes
) -> None:
    """A long one is found inside of anything."""
    if form in FORMS[3:5]:
        before, after = before.replace(b"%", b""), b""
    assert Traces([one]).are_in(before + form(one) + after)


@pytest.mark.parametrize(
    "body",
    [
        b'{"user":"142"}',
        b'{"revenue":1.42}',
        b"id=4242&x=1",
        b64encode(b'{"user":"42"}'),
        b"",
    ],
)
def test_a_short_one_is_found_as_a_whole_value_only(body: bytes) -> None:
    """Or nothing would be left of the quarantine."""
    assert not Traces(["42"]).are_in(body)


@pytest.mark.parametrize(
    "body", [b'{"user":"42"}', b'{"user": 42, "a": 1}', b"user=42&a=1", b"user%3D42%26a", b"1,42\n"]
)
def test_and_then_it_is_found(body: bytes) -> None:
    """In JSON, in queries, in CSV."""
    assert Traces(["42"]).are_in(body)


def test_others_are_not_found() -> None:
    """Nor is anything, of nobody."""
    other = IDFA.replace("9F", "8F").encode()
    assert not Traces([IDFA, "customer-1"]).are_in(other, b"customer-12", b"a customer-1x", None)
    assert not Traces(["", " "]).are_in(b"", b"anything")


def test_many_rows_are_looked_through_at_once() -> None:
    """And those that hold it are named; what two rows come to side by side holds nothing."""
    rows = [(b"a", None), ("x", IDFA.lower()), (IDFA[:18], IDFA[18:]), (b64encode(IDFA.encode()),)]
    assert Traces([IDFA]).rows_in(rows) == [1, 3]
    assert Traces([IDFA]).rows_in(rows[2:3]) == Traces([IDFA]).rows_in([]) == []
