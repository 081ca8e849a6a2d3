"""Templates of URLs: whatever the values, a request goes where the template says.

Scheme, host and port are written out. A value fills part of one path segment or one member of
the query, percent-encoded but for RFC 3986's unreserved characters, so that it stays there.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

import uritemplate

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.templates.grammar import (
    Literal,
    Part,
    Query,
    Rules,
    check,
    fill,
    macros_in,
    parse_url,
    secrets_in,
)
from skan_receiver.delivery.templates.mask import MASK
from skan_receiver.delivery.templates.refused import TemplateRefused
from skan_receiver.delivery.templates.values import Secrets, Values, never
from skan_receiver.errors import DeliveryFailed

# What literal characters of a URL may not be, and what to write instead.
RULES: Rules = (
    (re.compile(r"[\x00-\x1f\x7f]"), "a URL holds no control characters: leave it out"),
    (re.compile(r" "), "a URL holds no spaces: write %20"),
    (re.compile(r"[^\x00-\x7f]"), "a URL is ASCII: percent-encode it; a host has an xn-- form"),
    (re.compile(r"\\"), "two parsers read a backslash differently: write / or %5C"),
    (re.compile(r"#"), "a fragment is never sent: leave it out, or write %23"),
    (re.compile(r"%(?![0-9A-Fa-f]{2})"), "a percent sign is written %25"),
)

DOTS = (".", "..")

_HEAD = re.compile(r"(https?)://((?:(?!\{[?&])[^/?])*)", re.IGNORECASE)
_SCHEME_MACRO = re.compile(r"[A-Za-z0-9+.-]*(\{[^}]*\})")
_MACRO = re.compile(r"\{[^}]*\}")
_BEGINS_QUERY = re.compile(r"\?|\{[?&]")
_CONTINUED = re.compile(r"\{&[^}]*\}")
_MEMBER_VALUE = re.compile(r"=(?:\{[^&][^}]*\}|[^&{])*")


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """A URL with macros. Its text may hold a key somebody wrote out: show `masked()`."""

    text: str = field(repr=False)
    head: str  # https://host:port
    path: tuple[tuple[Part | Query, ...], ...] = field(repr=False)  # by segment
    query: tuple[Part | Query, ...] = field(repr=False)  # with what begins it

    @classmethod
    def parse(cls, text: str, allowed: Collection[str]) -> "UrlTemplate":
        """Read a template, or refuse it with the part at fault and the remedy."""
        for part in parse_url(text, allowed):
            if isinstance(part, Literal):
                check(part.text, RULES)
        head = _head(text)
        path, query = _cut(text[len(head) :])
        _check_query(query)
        segments = path.split("/")[1:]
        _check_segments(segments)
        return cls(
            text,
            head,
            tuple(parse_url(segment, allowed) for segment in segments),
            parse_url(query, allowed),
        )

    def expand(self, values: Values, secrets: Secrets) -> str:
        """The URL for these values; DeliveryFailed (permanent) where they leave none."""
        path = "".join("/" + _segment(parts, values, secrets) for parts in self.path)
        return self.head + path + "".join(_encoded(part, values, secrets) for part in self.query)

    @property
    def macros(self) -> tuple[str, ...]:
        return macros_in(self._parts)

    @property
    def secrets(self) -> tuple[str, ...]:
        return secrets_in(self._parts)

    def masked(self) -> str:
        """The template as it may be shown: what a query's member is set to may be a key."""
        path, query = _cut(self.text[len(self.head) :])
        return self.head + path + _MEMBER_VALUE.sub(_masked_value, query)

    @property
    def _parts(self) -> tuple[Part | Query, ...]:
        return tuple(part for parts in (*self.path, self.query) for part in parts)


def without_empty(url: str) -> str:
    """A URL without the members of its query that came out empty."""
    path, question, query = url.partition("?")
    kept = [member for member in query.split("&") if not re.fullmatch("[^=]*=", member)]
    return path + (question if kept else "") + "&".join(kept)


def _head(text: str) -> str:
    """Scheme, host and port: no value has a say in where a request goes."""
    if found := _SCHEME_MACRO.match(text):
        raise TemplateRefused(found[1], "the scheme is written out: begin with https://")
    head = _HEAD.match(text)
    if head is None:
        raise TemplateRefused(re.split("[:?]", text)[0], "a URL begins with https:// or http://")
    if "@" in head[2]:
        remedy = "write the header `Authorization: Basic {secret:name}` instead"
        raise TemplateRefused("credentials in a URL", remedy)
    if found := _MACRO.search(head[2]):
        place = "port" if ":" in head[2][: found.start()].rpartition("]")[2] else "host"
        raise TemplateRefused(found[0], f"the {place} is written out, for no value to choose it")
    try:
        target(head[0])
    except DeliveryFailed as failure:
        remedy = f"{failure}; write https://host or https://host:port"
        raise TemplateRefused(head[0], remedy) from None
    return head[0]


def _cut(rest: str) -> tuple[str, str]:
    """The path, and the query with the `?` or macro that begins it."""
    found = _BEGINS_QUERY.search(rest)
    at = found.start() if found else len(rest)
    return rest[:at], rest[at:]


def _check_segments(segments: list[str]) -> None:
    for segment in segments:
        if unquote(segment) in DOTS:
            raise TemplateRefused(segment, "write the path as it is, without . and ..")


def _check_query(query: str) -> None:
    """The members are the template's own: none is named by a value, none begins by chance."""
    if query.startswith("{?"):
        if not query.endswith("}") or query.count("{") > 1:
            remedy = "is the whole query, or none of it: begin with ?a={a}, go on with {&b}"
            raise TemplateRefused(query[: query.index("}") + 1], remedy)
        return
    if query.startswith("{&"):
        remedy = "goes on with a query, and there is none before it: write {?…}"
        raise TemplateRefused(query[: query.index("}") + 1], remedy)
    if found := re.search(r"\{\?[^}]*\}", query):
        raise TemplateRefused(found[0], "the query has begun already: write {&…}")
    if found := re.search(r"(\{&[^}]*\})(?:\{[^&]|[^&{])", query):
        raise TemplateRefused(found[1], "write & after it: it may expand to nothing")
    for member in _CONTINUED.sub("", query[1:]).split("&"):
        if found := _MACRO.search(member.partition("=")[0]):
            raise TemplateRefused(found[0], f"no value names a member: write key={found[0]}")


def _segment(parts: tuple[Part | Query, ...], values: Values, secrets: Secrets) -> str:
    """One segment of the path, which stays one.

    An empty one is dropped by many servers, and `..` takes its neighbour with it.
    """
    filled = "".join(_encoded(part, values, secrets) for part in parts)
    if unquote(filled) in ("", *DOTS) and (names := macros_in(parts) or secrets_in(parts)):
        what = "empty" if not filled else "only dots"
        raise never(f"the part of the path that {', '.join(names)} fills would be {what}")
    return filled


def _encoded(part: Part | Query, values: Values, secrets: Secrets) -> str:
    if isinstance(part, Literal):
        return part.text
    if isinstance(part, Query):
        return uritemplate.expand(part.text, part.present(values))
    return quote(fill(part, values, secrets), safe="")


def _masked_value(found: re.Match[str]) -> str:
    """`=…` with its macros, and all else that was written out hidden."""
    return "=" + re.sub(r"(\{[^}]*\})|[^{]+", lambda piece: piece[1] or MASK, found[0][1:])
