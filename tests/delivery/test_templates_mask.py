"""Secrets stay out of what is kept: logs, tries and the answers they quote."""

from base64 import b64encode

import pytest

from skan_receiver.delivery.templates import mask

SECRET = 'p+ss/w"rd ÄÖ'
REPEATED = [
    SECRET,
    "p%2Bss%2Fw%22rd%20%C3%84%C3%96",
    "p%2bss%2fw%22rd%20%c3%84%c3%96",
    "p%2Bss/w%22rd%20%C3%84%C3%96",
    "p%2Bss%2Fw%22rd+%C3%84%C3%96",
    r"p+ss/w\"rd \u00c4\u00d6",
    r"p+ss\/w\"rd \u00c4\u00d6",
    r"p+ss/w\"rd ÄÖ",
    "cCtzcy93InJkIMOEw5Y=",
    "cCtzcy93InJkIMOEw5Y",
]


@pytest.mark.parametrize("repeated", REPEATED)
def test_a_secret_is_hidden_however_it_is_repeated(repeated: str) -> None:
    """An answer may quote the request in its own way; rows of tries keep answers."""
    text = f'{{"error": "bad key {repeated}"}}'
    assert mask(text, {"a": SECRET}) == '{"error": "bad key •••"}'


@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("before", ["", "a:", "ab:", "abc:"])
def test_a_secret_in_a_longer_base64_is_hidden(before: str, after: str) -> None:
    """Basic authentication shifts it by what the user's name leaves over."""
    encoded = b64encode(f"{before}{SECRET}{after}".encode()).decode()
    shown = mask(encoded, {"a": SECRET})
    assert "•••" in shown
    assert len(shown) <= len(encoded) - len(SECRET)


def test_the_longer_of_two_secrets_goes_first() -> None:
    """Half a secret is half a secret."""
    assert mask("abcdef abc", {"a": "abc", "b": "abcdef"}) == "••• •••"


def test_no_secret_hides_nothing() -> None:
    """An empty one is everywhere."""
    assert mask("abc", {}) == mask("abc", {"a": ""}) == "abc"
