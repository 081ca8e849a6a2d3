"""An identifier is found in whichever form it was written down, and others are not."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

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
        b'{"user":1.42}',
        b"user=4242&x=1",
        b64encode(b'{"user":"42"}'),
        b"",
    ],
)
def test_a_short_one_is_found_as_a_whole_value_only(body: bytes) -> None:
    """Or nothing would be left of the quarantine."""
    assert not Traces(["42"]).are_in(body)


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"user":"42"}', b'{"user": 42, "a": 1}', b"user=42&a=1", b"user%3D42%26a"),
        *(b'{"customer_user_id":"42"}', b"developer_identity=42", b"a=1&cl_id=42", b"idfa=42"),
        *(b'{"user":{"externalUserID":"42"}}', b'{"user_data.developer_identity" : "42"}'),
        b'"{\\"user_id\\":\\"42\\"}"',
    ],
)
def test_and_then_it_is_found(body: bytes) -> None:
    """Behind the name of an identifier, in JSON, in queries."""
    assert Traces(["42"]).are_in(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"install","is_lat":42,"idfa":"somebody-else"}',
        b'{"app_id":"42","campaign_id":"42","user_level":42}',
        *(b"revenue=42&user=u", b"1,42\n", b"42", b"user=u;x=42"),
    ],
)
def test_a_short_one_that_is_anything_else_is_nobodys(body: bytes) -> None:
    """Or to erase the customer 42 would erase what is of others."""
    assert not Traces(["42"]).are_in(body)


@pytest.mark.parametrize("body", [b"1,cust-7\n", b'{"a":"cust-7"}', b"x=cust-7", b"cust-7"])
def test_one_of_six_letters_is_found_behind_any_name(body: bytes) -> None:
    """As a whole value."""
    assert Traces(["cust-7"]).are_in(body)
    assert not Traces(["cust-7"]).are_in(b"x=cust-77", b"x=acust-7")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]) | st.just(" "), min_size=16,
               max_size=40).filter(lambda one: one == one.strip()))  # fmt: skip
def test_it_is_found_in_forms_and_in_json_of_ascii(one: str) -> None:
    """Spaces are plus signs there, and a letter beyond U+FFFF is two escapes here."""
    assert Traces([one]).are_in(urlencode({"user": one, "x": 1}).encode())
    assert Traces([one]).are_in(json.dumps({"user": one}).encode())
    assert Traces([one]).are_in(urlencode({"data": json.dumps({"user": one})}).encode())
    assert Traces([one]).are_in(json.dumps({"url": f"https://a/?{urlencode({'u': one})}"}).encode())


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
