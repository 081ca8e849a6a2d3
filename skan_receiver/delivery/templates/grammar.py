"""The language: literal characters, {name}, {secret:name}, and in URLs {?a,b} and {&a,b}.

There is nothing else: no expressions, no conditions, no default values. What is not in the
tables is refused when a template is saved, so that nothing is left to surprise when it is used.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.delivery.templates.macros import kinds_with
from skan_receiver.delivery.templates.personal import NO_USER_DATA, identifies
from skan_receiver.delivery.templates.refused import TemplateRefused
from skan_receiver.delivery.templates.values import Secrets, Values, secret_of, spelled, value_of

LONGEST = 4096

_TOKEN = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_SECRET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Rules = Iterable[tuple[re.Pattern[str], str]]

# Why what stands between braces is no macro; the first that fits.
# RFC 6570's operators: https://www.rfc-editor.org/rfc/rfc6570#section-2.2
NOT_OFFERED: Rules = (
    (re.compile(r"^\Z"), "there is no name here: write {name}"),
    (re.compile(r"^secret:"), "a secret has one place of its own: write ?key={secret:name}"),
    (re.compile(r"^[+#./;]"), "of RFC 6570 only {name}, {?a,b} and {&a,b} are offered"),
    (re.compile(r"^[=,!@|?&]"), "no such operator: write {name}, in URLs also {?a,b} and {&a,b}"),
    (re.compile(r"^\w+(:\d+|\*)\Z"), "values go out whole: leave out the `:` or `*`"),
    (re.compile(r"^(?![A-Za-z]\w*\Z)", re.ASCII), "a macro is one name: there are no expressions"),
)


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters that stand for themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Macro:
    """{name}"""

    name: str


@dataclass(frozen=True, slots=True)
class Secret:
    """{secret:name}"""

    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """{?a,b} or {&a,b}: members named as their macros, each only where it has a value."""

    text: str
    names: tuple[str, ...]

    def present(self, values: Values) -> dict[str, Any]:
        found = {name: value_of(name, values) for name in self.names}
        return {name: spelled(value) for name, value in found.items() if value is not None}


Part = Literal | Macro | Secret
Parts = tuple[Part, ...]


def parse(text: str, allowed: Collection[str]) -> Parts:
    """A header's or a body's text in its parts; `{{` and `}}` are braces."""
    return tuple(_text_part(token, allowed) for token in _tokens(text))


def parse_url(text: str, allowed: Collection[str]) -> tuple[Part | Query, ...]:
    """A URL in its parts. Braces do not occur in URLs, so there is no way to write one."""
    return tuple(_url_part(token, allowed) for token in _tokens(text))


def fill(part: Part, values: Values, secrets: Secrets) -> str:
    """What a part stands for, as text; nothing where it is absent."""
    if isinstance(part, Literal):
        return part.text
    if isinstance(part, Secret):
        return secret_of(part.name, secrets)
    return spelled(value_of(part.name, values))


def check(text: str, rules: Rules) -> None:
    """Refuse a text that a rule finds something in."""
    for rule, remedy in rules:
        if found := rule.search(text):
            raise TemplateRefused(found[0], remedy)


def macros_in(parts: Iterable[Part | Query]) -> tuple[str, ...]:
    """The macros' names."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Macro):
            found.add(part.name)
        elif isinstance(part, Query):
            found.update(part.names)
    return tuple(sorted(found))


def secrets_in(parts: Iterable[Part | Query]) -> tuple[str, ...]:
    """The secrets' names."""
    return tuple(sorted({part.name for part in parts if isinstance(part, Secret)}))


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise TemplateRefused(f"{len(text):,} characters", f"at most {LONGEST:,} fit")
    tokens, end = [], 0
    for found in _TOKEN.finditer(text):
        if found[0] in ("{", "}"):
            raise TemplateRefused(_torn(text, found.start()), "its other brace is missing")
        tokens += [text[end : found.start()], found[0]]
        end = found.end()
    return [token for token in (*tokens, text[end:]) if token]


def _torn(text: str, at: int) -> str:
    """A lone brace with the name that hangs on it, and nothing else: a key may be near."""
    if text[at] == "{":
        return re.split(r"[^\w:{]", text[at:])[0]
    return re.split(r"[^\w:}]", text[: at + 1])[-1]


def _text_part(token: str, allowed: Collection[str]) -> Part:
    if token in ("{{", "}}"):
        return Literal(token[0])
    if token.startswith(("{?", "{&")):
        raise TemplateRefused(token, "this form is for URLs: elsewhere write each {name} alone")
    return _part(token, allowed)


def _url_part(token: str, allowed: Collection[str]) -> Part | Query:
    if token in ("{{", "}}"):
        raise TemplateRefused(token, "one brace on each side makes a macro: write {name}")
    if token.startswith(("{?", "{&")):
        names = token[2:-1].split(",")
        return Query(token, tuple(_name(token, name, allowed) for name in names))
    return _part(token, allowed)


def _part(token: str, allowed: Collection[str]) -> Part:
    if not token.startswith("{"):
        return Literal(token)
    inside = token[1:-1]
    if not inside.startswith("secret:"):
        return Macro(_name(token, inside, allowed))
    name = inside.removeprefix("secret:")
    if not _SECRET_NAME.fullmatch(name):
        raise TemplateRefused(token, "a secret's name is lower-case letters, digits and dashes")
    return Secret(name)


def _name(token: str, name: str, allowed: Collection[str]) -> str:
    if name in allowed:
        return name
    if whom := identifies(name):
        raise TemplateRefused(token, f"identifies {whom}; {NO_USER_DATA}")
    for form, remedy in NOT_OFFERED:
        if form.search(name):
            raise TemplateRefused(token, remedy)
    raise TemplateRefused(token, _unknown(name, allowed))


def _unknown(name: str, allowed: Collection[str]) -> str:
    if name.lower() in allowed:
        return f"names are in lower case: write {{{name.lower()}}}"
    if kinds := kinds_with(name):
        return f"only destinations of the kind {' or '.join(kinds)} have this macro"
    near = did_you_mean(name, allowed) or "."
    return f"there is no such macro{near} There are: {', '.join(allowed)}"
