"""What no template may hold: refused with the part at fault named, and what to write instead."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from skan_receiver.delivery.templates import (
    BodyTemplate,
    HeadersTemplate,
    TemplateRefused,
    UrlTemplate,
    macros_for,
)
from skan_receiver.delivery.templates.body import DEEPEST, MOST_LEAVES

DECODED = macros_for("decoded")

# A URL, the part that is named, and a word of the remedy.
H = "https://p.example"
REFUSED_URLS = [
    (f"{H}/?x={{fine_valu}}", "{fine_valu}", "`fine_value`"),
    (f"{H}/?x={{Fine_Value}}", "{Fine_Value}", "write {fine_value}"),
    (f"{H}/?x={{rows}}", "{rows}", "of the kind report"),
    (f"{H}/?x={{nothing_like_it}}", "{nothing_like_it}", "There are: postback_id, "),
    (f"{H}/?x={{idfa}}", "{idfa}", "no user data"),
    (f"{H}/?x={{SHA1-IDFA}}", "{SHA1-IDFA}", "no user data"),
    (f"{H}/?x={{ip}}", "{ip}", "needs_ip"),
    (f"{H}/?x={{click_id}}", "{click_id}", "identifies a click"),
    (f"{H}/{{+country}}", "{+country}", "only {name}"),
    (f"{H}/{{#country}}", "{#country}", "only {name}"),
    (f"{H}/{{.country}}", "{.country}", "only {name}"),
    (f"{H}{{/country}}", "{/country}", "only {name}"),
    (f"{H}/{{;country}}", "{;country}", "only {name}"),
    (f"{H}/{{=country}}", "{=country}", "no such operator"),
    (f"{H}/{{|country}}", "{|country}", "no such operator"),
    (f"{H}/{{country:3}}", "{country:3}", "leave out"),
    (f"{H}/?x={{events*}}", "{events*}", "leave out"),
    (f"{H}/{{?events*}}", "{?events*}", "leave out"),
    (f"{H}/{{?country,app_id:3}}", "{?country,app_id:3}", "leave out"),
    (f"{H}/{{?}}", "{?}", "no name"),
    (f"{H}/{{?country,}}", "{?country,}", "no name"),
    (f"{H}/{{?secret:token}}", "{?secret:token}", "?key={secret:name}"),
    (f"{H}/{{}}", "{}", "no name"),
    (f"{H}/{{ country }}", "{ country }", "no expressions"),
    (f"{H}/{{country.x}}", "{country.x}", "no expressions"),
    (f"{H}/{{country\n}}", "{countryU+000A}", "no expressions"),
    (f"{H}/{{secret:Token}}", "{secret:Token}", "lower-case"),
    (f"{H}/{{secret:}}", "{secret:}", "lower-case"),
    (f"{H}/?x={{country", "{country", "other brace"),
    (f"{H}/?x=country}}", "country}", "other brace"),
    (f"{H}/?x={{country&key=hush}}", "{country&key=hush}", "no expressions"),
    (f"{H}/?x={{country&key=hush", "{country", "other brace"),
    (f"{H}/?x={{{{country}}}}", "{{", "one brace on each side"),
    ("{country}://p.example/", "{country}", "scheme"),
    ("http{secret:s}://p.example/", "{secret:s}", "scheme"),
    ("https://{country}/", "{country}", "host"),
    ("https://{secret:host}/", "{secret:host}", "host"),
    ("https://a.{country}.example/", "{country}", "host"),
    ("https://p.example{country}/", "{country}", "host"),
    ("https://p.example:{window}/", "{window}", "port"),
    ("https://[2606:4700::1111]:{window}/", "{window}", "port"),
    ("https://user:pass@p.example/", "credentials in a URL", "Authorization"),
    ("https://{secret:token}@p.example/", "credentials in a URL", "Authorization"),
    ("ftp://p.example/", "ftp", "https://"),
    ("//p.example/", "//p.example/", "https://"),
    ("p.example/?key=hush", "p.example/", "https://"),
    ("", "", "https://"),
    ("https:///a", "https://", "host"),
    ("https://p.example:99999/", "https://p.example:99999", "port"),
    ("https://p%2eexample/", "https://p%2eexample", "percent-encoded"),
    (f"{H}/a b", "U+0020", "%20"),
    (f"{H}/a\tb", "U+0009", "control"),
    (f"{H}/a\r\nX: y", "U+000D", "control"),
    (f"{H}/\0", "U+0000", "control"),
    (f"{H}/ä", "ä", "percent-encode"),
    ("https://bücher.example/", "ü", "xn--"),
    ("https://p.example\\@q.example/", "\\", "backslash"),
    (f"{H}/a#b", "#", "%23"),
    (f"{H}/?x=100%", "%", "%25"),
    (f"{H}/?x=%zz", "%", "%25"),
    (f"{H}/?x=%{{fine_value}}", "%", "%25"),
    (f"{H}/a/../b", "..", "path as it is"),
    (f"{H}/%2E%2e/b", "%2E%2e", "path as it is"),
    (f"{H}/?{{country}}=1", "{country}", "key={country}"),
    (f"{H}/?{{country}}", "{country}", "key={country}"),
    (f"{H}/?a=1&x{{secret:token}}", "{secret:token}", "key={secret:token}"),
    (f"{H}/{{&country}}", "{&country}", "write {?…}"),
    (f"{H}/?a=1{{?country}}", "{?country}", "write {&…}"),
    (f"{H}/{{?country}}&a=1", "{?country}", "whole query"),
    (f"{H}/{{?country}}{{&app_id}}", "{?country}", "whole query"),
    (f"{H}/{{?country}}/a", "{?country}", "whole query"),
    (f"{H}/?a=1{{&country}}b", "{&country}", "write & after"),
    (f"{H}/?a=1{{&country}}{{app_id}}", "{&country}", "write & after"),
    (f"{H}/{'a' * 4096}", "4,114 characters", "4,096"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "part", "remedy"), REFUSED_URLS)
def test_a_url_is_refused_with_the_part_at_fault(template: str, part: str, remedy: str) -> None:
    """Refused when it is saved, by a sentence that says what to write instead."""
    with pytest.raises(TemplateRefused) as refused:
        UrlTemplate.parse(template, DECODED)
    assert refused.value.part == part
    assert remedy in str(refused.value)


REFUSED_HEADERS = [
    ({"X-{country}": "1"}, "headers", "X-{country}", "no macro"),
    ({"X A": "1"}, "headers", "X A", "letters"),
    ({"": "1"}, "headers", "", "letters"),
    ({"X-A\r\nX-B": "1"}, "headers", "X-AU+000DU+000AX-B", "letters"),
    ({"X-A": "a\r\nX-B: 1"}, "headers.X-A", "U+000D", "one line"),
    ({"X-A": "a\nb"}, "headers.X-A", "U+000A", "one line"),
    ({"X-A": "a\0b"}, "headers.X-A", "U+0000", "one line"),
    ({"X-A": "Zürich"}, "headers.X-A", "ü", "ASCII"),
    ({"X-A": "{gclid}"}, "headers.X-A", "{gclid}", "no user data"),
    ({"X-A": "{?country}"}, "headers.X-A", "{?country}", "for URLs"),
    ({"X-A": "{country"}, "headers.X-A", "{country", "other brace"),
    ({"X-A": "{country}}"}, "headers.X-A", "country}}", "other brace"),
    ({"X-A": "a" * 4097}, "headers.X-A", "4,097 characters", "4,096"),
]


@pytest.mark.parametrize(("headers", "where", "part", "remedy"), REFUSED_HEADERS)
def test_a_header_is_refused_with_its_name(
    headers: dict[str, str], where: str, part: str, remedy: str
) -> None:
    """One header is one line, and no value names one."""
    with pytest.raises(TemplateRefused) as refused:
        HeadersTemplate.parse(headers, DECODED)
    assert (refused.value.where, refused.value.part) == (where, part)
    assert remedy in str(refused.value)


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else 1


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)

REFUSED_BODIES = [
    ({"events": [{"name": "{evnts}"}]}, "body.events[0].name: {evnts}: ", "`events`"),
    ({"a": ["x", "{idfv}"]}, "body.a[1]: {idfv}: ", "no user data"),
    ("{countr}", "body: {countr}: ", "`country`"),
    ({"{country}": 1}, "body: {country}: ", "without braces"),
    ({"a": {"b}": 1}}, "body.a: }: ", "without braces"),
    ({1: "x"}, "body.1: ", "quotes"),
    ({"a": float("nan")}, "body.a: ", "JSON has no nan"),
    ({"a": b"x"}, "body.a: ", "JSON has no bytes"),
    ({"a": (1, 2)}, "body.a: ", "JSON has no tuple"),
    ({"a": "\ud800"}, "body.a: U+D800: ", "half of a character"),
    ({"\ud800": 1}, "body: U+D800: ", "half of a character"),
    (nested(DEEPEST + 1), "body" + ".a" * DEEPEST + ": ", "16 levels"),
    (ENDLESS, "body" + "[0]" * DEEPEST + ": ", "16 levels"),
    ([1] * (MOST_LEAVES + 1), f"body[{MOST_LEAVES}]: ", "500 leaves"),
    ([{}] * (MOST_LEAVES + 1), f"body[{MOST_LEAVES}]: ", "500 leaves"),
    ({"a": "x" * 4097}, "body.a: 4,097 characters: ", "4,096"),
]


@pytest.mark.parametrize(("tree", "begins", "remedy"), REFUSED_BODIES)
def test_a_body_is_refused_with_the_path_of_the_leaf(tree: Any, begins: str, remedy: str) -> None:
    """In a tree of hundreds of leaves, the name alone would be no help."""
    with pytest.raises(TemplateRefused) as refused:
        BodyTemplate.parse(tree, DECODED)
    assert str(refused.value).startswith(begins)
    assert remedy in str(refused.value)


def test_what_fits_just_fits() -> None:
    """The limits are what the message says, not one less."""
    BodyTemplate.parse(nested(DEEPEST), DECODED)
    BodyTemplate.parse([1] * MOST_LEAVES, DECODED)
    UrlTemplate.parse(f"{H}/{'a' * (4096 - len(H) - 1)}", DECODED)


def test_pydantic_reports_a_refused_template() -> None:
    """A destination is a model, so a mistake in a template is one of its mistakes."""

    class Wants(BaseModel):
        url: str

        @field_validator("url")
        @classmethod
        def parsed(cls, url: str) -> str:
            UrlTemplate.parse(url, DECODED)
            return url

    with pytest.raises(ValidationError, match=r"\{fine_valu\}: there is no such macro"):
        Wants(url=f"{H}/?x={{fine_valu}}")
