"""Templates of requests: what they make, and what is refused with which part named."""

import json
from typing import Any

import pytest

from skan_receiver.delivery.templates import (
    KINDS,
    PERSONAL,
    BodyTemplate,
    HeadersTemplate,
    TextTemplate,
    UrlTemplate,
    macros_for,
)
from skan_receiver.errors import DeliveryFailed

DECODED = macros_for("decoded")
SECRETS = {"api-key": "s3cr&t/ä", "token": "abc123"}
VALUES: dict[str, Any] = {
    "postback_id": "6aafb7a5-0170-41b5-bbe4-fe71dedf1e28",
    "fine_value": 42,
    "did_win": True,
    "revenue": 0.00001,
    "revenue_max": 1e22,
    "campaign_name": "US / iOS & broad=1",
    "events": [{"event": "purchase", "min": 1, "max": None}],
    "flags": {"trial": True},
    "coarse_value": None,
}

URLS = [
    ("https://p.example/", "https://p.example/"),
    ("https://p.example?cv={fine_value}", "https://p.example?cv=42"),
    ("https://p.example:8443/a?cv={fine_value}&tx=1", "https://p.example:8443/a?cv=42&tx=1"),
    ("https://p.example/a?cv={coarse_value}&w={did_win}", "https://p.example/a?cv=&w=true"),
    ("https://p.example/{fine_value}/b", "https://p.example/42/b"),
    ("https://p.example/v-{fine_value}.json", "https://p.example/v-42.json"),
    ("https://p.example/a{?fine_value,coarse_value}", "https://p.example/a?fine_value=42"),
    ("https://p.example/a{?coarse_value}", "https://p.example/a"),
    ("https://p.example{?did_win,fine_value}", "https://p.example?did_win=true&fine_value=42"),
    ("https://p.example/a?x=1{&fine_value,country}", "https://p.example/a?x=1&fine_value=42"),
    ("https://p.example/a?x=1{&country}{&fine_value}", "https://p.example/a?x=1&fine_value=42"),
    ("https://p.example/a?x=1{&country}&y=2", "https://p.example/a?x=1&y=2"),
    ("https://p.example/?r={revenue}", "https://p.example/?r=0.00001"),
    ("https://p.example/?r={revenue_max}", "https://p.example/?r=10000000000000000000000"),
    ("https://p.example/?c={campaign_name}", "https://p.example/?c=US%20%2F%20iOS%20%26%20broad%3D1"),
    ("https://p.example/?f={flags}", "https://p.example/?f=%7B%22trial%22%3Atrue%7D"),
    ("https://p.example{?flags}", "https://p.example?flags=%7B%22trial%22%3Atrue%7D"),
    ("https://p.example/?k={secret:api-key}", "https://p.example/?k=s3cr%26t%2F%C3%A4"),
    ("https://p.example/{secret:token}/x", "https://p.example/abc123/x"),
    ("https://p.example/a%20b?c=%7B{fine_value}%7D", "https://p.example/a%20b?c=%7B42%7D"),
    ("https://[2606:4700::1111]:8443/?v={fine_value}", "https://[2606:4700::1111]:8443/?v=42"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "url"), URLS)
def test_a_url_is_what_its_template_says(template: str, url: str) -> None:
    """Values are percent-encoded, absent ones empty or left out, numbers written in full."""
    assert UrlTemplate.parse(template, DECODED).expand(VALUES, SECRETS) == url


@pytest.mark.parametrize("value", [".", "..", "", None])
def test_no_value_takes_a_part_out_of_the_path(value: str | None) -> None:
    """`..` would take its neighbour with it, and an empty part is dropped by many servers."""
    template = UrlTemplate.parse("https://p.example/a/{country}/b", DECODED)
    with pytest.raises(DeliveryFailed, match="country") as failed:
        template.expand({"country": value}, {})
    assert failed.value.permanent


@pytest.mark.parametrize("template", ["{a}{b}", ".{b}", "%2e{b}"])
def test_dots_that_meet_are_seen(template: str) -> None:
    """What counts is the part as it will be read, whatever it was put together from."""
    url = UrlTemplate.parse(f"https://p.example/{template}", ("a", "b"))
    with pytest.raises(DeliveryFailed, match="only dots"):
        url.expand({"a": ".", "b": "."}, {})


def test_a_template_says_what_it_needs() -> None:
    """A destination is saved only if its secrets are there, and macros say what is read."""
    url = UrlTemplate.parse("https://p.example/{window}?k={secret:token}{&country,app_id}", DECODED)
    assert (url.macros, url.secrets) == (("app_id", "country", "window"), ("token",))
    headers = HeadersTemplate.parse({"X-A": "{window}", "X-B": "{secret:token}"}, DECODED)
    assert (headers.macros, headers.secrets) == (("window",), ("token",))
    body = BodyTemplate.parse({"a": ["{window}", "{secret:token}"]}, DECODED)
    assert (body.macros, body.secrets) == (("window",), ("token",))


def test_a_shown_url_hides_what_may_be_a_key() -> None:
    """A member set to something written out may be a key; names are for anybody."""
    url = UrlTemplate.parse(
        "https://p.example/a?cv={fine_value}&key=hush&s=x{window}y&k={secret:token}{&country}",
        DECODED,
    )
    shown = (
        "https://p.example/a?cv={fine_value}&key=•••&s=•••{window}•••&k={secret:token}{&country}"
    )
    assert url.masked() == shown
    assert "hush" not in repr(url)


def test_a_header_is_text() -> None:
    """Doubled braces are braces, and what is absent leaves nothing."""
    template = TextTemplate.parse("{{{fine_value}}} {did_win}/{country}.{secret:token}", DECODED)
    assert template.expand(VALUES, SECRETS) == "{42} true/.abc123"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n", "a\0", "Zürich", "a\tb", "\x7f"])
def test_a_header_that_is_not_visible_ascii_is_not_sent(value: str) -> None:
    """http.client lets NUL and Latin-1 through; the reason names the macro, never the value."""
    template = HeadersTemplate.parse({"X-Country": "{country}"}, DECODED)
    with pytest.raises(DeliveryFailed, match="country") as failed:
        template.expand({"country": value}, {})
    assert failed.value.permanent
    assert value not in str(failed.value)


BODIES: list[tuple[Any, Any]] = [
    ({"cv": "{fine_value}"}, {"cv": 42}),
    ({"cv": "v{fine_value}"}, {"cv": "v42"}),
    ({"won": "{did_win}", "all": "{events}"}, {"won": True, "all": VALUES["events"]}),
    ({"cv": "{fine_value}", "coarse": "{coarse_value}"}, {"cv": 42}),
    ({"a": {"b": {"c": "{country}"}}, "d": 1}, {"d": 1}),
    ({"a": [{"b": "{country}"}], "d": 1}, {"d": 1}),
    ({"a": {}, "b": [], "c": None}, {"a": {}, "b": [], "c": None}),
    ({"a": "{country}"}, {}),
    (["{country}", "{fine_value}", "x"], [42, "x"]),
    (["{country}"], []),
    ("{country}", None),
    ("{meaning}", None),
    ("{fine_value}", 42),
    ({"a": "-{country}-"}, {"a": "--"}),
    ({"a": "{{fine_value}}"}, {"a": "{fine_value}"}),
    ({"key": "{secret:api-key}", "auth": "Bearer {secret:token}"},
     {"key": "s3cr&t/ä", "auth": "Bearer abc123"}),
    ({"a": "{flags}!"}, {"a": '{"trial":true}!'}),
    ({"n": 1.5, "t": True, "s": "Zürich"}, {"n": 1.5, "t": True, "s": "Zürich"}),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "body"), BODIES)
def test_a_body_keeps_types_and_leaves_out_what_is_absent(tree: Any, body: Any) -> None:
    """A macro alone is the value itself; what absence empties goes too, unless written empty."""
    expanded = BodyTemplate.parse(tree, DECODED).expand(VALUES, SECRETS)
    assert json.dumps(expanded) == json.dumps(body)


def test_a_body_is_new_each_time() -> None:
    """Whoever gets one may add to it."""
    template = BodyTemplate.parse({"a": {}, "b": []}, DECODED)
    template.expand({}, {})["a"]["x"] = 1
    assert template.expand({}, {}) == {"a": {}, "b": []}


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf"), object(), {"a": b"x"}])
def test_a_value_that_json_cannot_hold_is_not_sent(value: Any) -> None:
    """Apple's JSON can escape half of a character; no retry makes it whole."""
    values = {"country": value}
    templates = (
        UrlTemplate.parse("https://p.example/?c={country}", DECODED),
        UrlTemplate.parse("https://p.example/{?country}", DECODED),
        TextTemplate.parse("{country}", DECODED),
        BodyTemplate.parse({"c": "{country}"}, DECODED),
    )
    for template in templates:
        with pytest.raises(DeliveryFailed, match=r"\{country\}") as failed:
            template.expand(values, {})
        assert failed.value.permanent


def test_a_secret_that_is_not_there_stops_the_delivery() -> None:
    """An empty key would be an answer nobody can explain."""
    for template in (
        UrlTemplate.parse("https://p.example/?k={secret:gone}", DECODED),
        HeadersTemplate.parse({"X-Key": "{secret:gone}"}, DECODED),
        BodyTemplate.parse({"k": "{secret:gone}"}, DECODED),
    ):
        with pytest.raises(DeliveryFailed, match="gone"):
            template.expand(VALUES, SECRETS)


def test_each_kind_has_its_own_macros() -> None:
    """A relay knows no meaning, a report no postback; of results only a relay may have the ip."""
    assert "meaning" not in macros_for("relay")
    assert "postback_id" not in macros_for("report")
    assert "ip" in macros_for("relay", ip=True)
    for kind in KINDS:
        assert kind == "event" or "ip" not in macros_for(kind)
        assert all(says and "\n" not in says for says in macros_for(kind).values())
    assert "ip" not in macros_for("decoded", ip=True)


def test_no_macro_of_a_result_is_personal() -> None:
    """By construction: what identifies a person has a name that no table of macros has but that of
    events of users, where consent decides whether it has a value."""
    for kind in KINDS.keys() - {"event"}:
        assert not PERSONAL.keys() & macros_for(kind).keys()
