"""What holds for a request whatever the values are: no value has a say in its structure."""

import json
import random
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.templates import (
    BodyTemplate,
    HeadersTemplate,
    UrlTemplate,
    macros_for,
    mask,
)
from skan_receiver.delivery.transport import checked_headers
from skan_receiver.errors import DeliveryFailed

ALLOWED = macros_for("decoded")
NAMES = ("country", "label", "channel", "tracker", "campaign_name", "words", "currency", "ad_name")

# What has broken URLs, headers, JSON and templates before.
PIECES = [
    "", ".", "..", "/", "//", "/../", "\\", "?", "&", "=", "#", ";", ":", "@", "%", "%2F", "%2e%2e",
    "%00", "+", " ", "\t", "\r\n", "\n", "\0", "\x7f", "\x85", "\u2028", "ä", "界", "😀", "\u202e",
    "{", "}", "{{", "}}", "{country}", "{secret:token}", "{?words}", "${7*7}", "{{7*7}}", "<%=1%>",
    "'", '"', "`", "|", "<", ">", "[", "]", "^", "!", "$", "(", ")", "*", ",", "~", "-", "_",
    "http://evil.example/", "//evil.example", "user:pass@", "javascript:alert(1)", "a", "0", "A",
]  # fmt: skip

hostile = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
values = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, anything))

SCHEME = st.sampled_from(["https", "http", "HTTPS"])
HOSTS = st.sampled_from(["p.example", "p.example:8443", "192.0.2.7", "[2606:4700::1111]:8443"])
SEGMENTS = st.lists(
    st.sampled_from(
        ["a", "v-{country}", "{label}", "{channel}.{tracker}", "{secret:token}", "%20"]
    ),
    max_size=4,
).map(lambda segments: "".join(f"/{segment}" for segment in segments))
QUERIES = st.sampled_from(
    [
        "",
        "?",
        "?a={country}",
        "?a=x{words}y&b={secret:token}&c",
        "?a=1{&words,country}",
        "?a={label}{&words}&z={ad_name}",
        "?a[]={label}&a[]={words}",
        "{?words}",
        "{?words,country,currency}",
    ]
)


def keys(url: str) -> list[str]:
    return [key for key, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]


def same_place(written: str, url: str) -> None:
    """Scheme, host, port and depth as written, by two parsers that differ in much else."""
    head, found = urlsplit(written), urlsplit(url)
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert (found.scheme, found.netloc) == (head.scheme, head.netloc)
    assert (found.username, found.password, found.fragment) == (None, None, "")
    assert found.path.count("/") == head.path.count("/")
    taken_apart = target(url)
    assert taken_apart.host == found.hostname
    assert taken_apart.path.partition("?")[0].count("/") == max(1, head.path.count("/"))
    assert not {".", ".."} & {unquote(segment) for segment in found.path.split("/")}


@settings(max_examples=600, deadline=None)
@given(SCHEME, HOSTS, SEGMENTS, QUERIES, values, hostile)
def test_no_value_changes_where_a_request_goes(
    scheme: str, host: str, path: str, query: str, given_: dict[str, Any], secret: str
) -> None:
    """Same scheme, host, port, depth and keys; only {?…} and {&…} leave keys out, in order."""
    template = UrlTemplate.parse(f"{scheme}://{host}{path}{query}", ALLOWED)
    try:
        url = template.expand(given_, {"token": secret})
    except DeliveryFailed:
        return
    harmless = template.expand(dict.fromkeys(NAMES, "x"), {"token": "x"})
    same_place(harmless, url)
    left = iter(keys(harmless))
    assert all(key in left for key in keys(url))
    if "{?" not in query and "{&" not in query:
        assert keys(url) == keys(harmless)


def test_twelve_thousand_hostile_values_arrive_as_they_were_sent() -> None:
    """Each comes out of the query as it went in, and out of the path at its own depth."""
    draw = random.Random(20261125)
    text = "https://p.example:8443/x/{label}/y?a={country}&b=k{words}{&channel}"
    written = "https://p.example:8443/x/x/y"
    template = UrlTemplate.parse(text, ALLOWED)
    for _ in range(3000):
        names = ("label", "country", "words", "channel")
        some = {name: "".join(draw.choices(PIECES, k=draw.randint(1, 5))) for name in names}
        if some["label"] in ("", ".", ".."):
            some["label"] = "x"
        url = template.expand(some, {})
        same_place(written, url)
        assert unquote(urlsplit(url).path.split("/")[2]) == some["label"]
        assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [
            ("a", some["country"]),
            ("b", "k" + some["words"]),
            ("channel", some["channel"]),
        ]


@settings(max_examples=300, deadline=None)
@given(values, hostile)
def test_no_value_adds_a_header(given_: dict[str, Any], secret: str) -> None:
    """The transport takes what comes out, name by name; a value that does not fit stops it all."""
    template = HeadersTemplate.parse(
        {"X-Country": "{country}", "X-Label": "a {label} b", "X-Key": "{secret:token}"}, ALLOWED
    )
    try:
        headers = template.expand(given_, {"token": secret})
    except DeliveryFailed:
        return
    assert list(headers) == ["X-Country", "X-Label", "X-Key"]
    assert checked_headers(headers) == headers


@settings(max_examples=300, deadline=None)
@given(values, hostile)
def test_no_value_breaks_a_body(given_: dict[str, Any], secret: str) -> None:
    """What a leaf is given is what a reader of the JSON finds there, type and all."""
    leaves = {name: f"{{{name}}}" for name in NAMES}
    tree = {
        "leaves": leaves,
        "list": ["{country}", "{label}"],
        "k": "{secret:token}",
        "t": "-{words}-",
    }
    body = BodyTemplate.parse(tree, ALLOWED).expand(given_, {"token": secret})
    read = json.loads(json.dumps(body, allow_nan=False))
    present = {name: value for name, value in given_.items() if value is not None}
    items = [present[name] for name in ("country", "label") if name in present]
    assert read.get("leaves", {}) == json.loads(json.dumps(present))
    assert read.get("list", []) == json.loads(json.dumps(items))
    assert read["k"] == secret
    assert list(map(type, items)) == list(map(type, body.get("list", [])))


braceless = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=10)
trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | braceless,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(braceless, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(trees)
def test_a_body_without_macros_is_itself(tree: Any) -> None:
    """What somebody wrote out is sent as it was written, emptiness included."""
    assert json.dumps(BodyTemplate.parse(tree, ALLOWED).expand({}, {})) == json.dumps(tree)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=40))
def test_a_secret_leaves_no_trace_in_what_is_kept(secret: str) -> None:
    """However a request carries it, the row of the try does not."""
    secrets = {"token": secret}
    url = UrlTemplate.parse("https://p.example/?k={secret:token}", ALLOWED).expand({}, secrets)
    body = json.dumps(BodyTemplate.parse({"k": "{secret:token}"}, ALLOWED).expand({}, secrets))
    assert mask(url, secrets) == "https://p.example/?k=•••"
    assert mask(body, secrets) == '{"k": "•••"}'


@pytest.mark.parametrize("piece", PIECES)
def test_a_value_is_never_read_as_a_template(piece: str) -> None:
    """A campaign may be named `{secret:token}`; it is sent under that name."""
    some, secrets = {"country": f"x{piece}x", "words": "7"}, {"token": "hush"}
    body = BodyTemplate.parse({"a": "{country}", "b": "={country}"}, ALLOWED)
    assert body.expand(some, secrets) == {"a": f"x{piece}x", "b": f"=x{piece}x"}
    url = UrlTemplate.parse("https://p.example/?a={country}{&country}", ALLOWED)
    read = parse_qsl(urlsplit(url.expand(some, secrets)).query)
    assert read == [("a", f"x{piece}x"), ("country", f"x{piece}x")]
