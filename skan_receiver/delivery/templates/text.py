"""Templates of headers: visible ASCII and spaces, whatever the values."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from skan_receiver.delivery.templates.grammar import (
    Literal,
    Parts,
    Rules,
    check,
    fill,
    macros_in,
    parse,
    secrets_in,
)
from skan_receiver.delivery.templates.refused import TemplateRefused
from skan_receiver.delivery.templates.values import Secrets, Values, never

RULES: Rules = (
    (re.compile(r"[\x00-\x1f\x7f]"), "a header is one line without control characters"),
    (re.compile(r"[^\x00-\x7f]"), "a header is ASCII: leave it out, or send it in the body"),
)

_VISIBLE = re.compile(r"[\x20-\x7e]*")
_NAME = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A header's value with macros. What is absent is left out of the text."""

    parts: Parts = field(repr=False)

    @classmethod
    def parse(cls, text: str, allowed: Collection[str]) -> "TextTemplate":
        """Read a template, or refuse it with the part at fault and the remedy."""
        parts = parse(text, allowed)
        for part in parts:
            if isinstance(part, Literal):
                check(part.text, RULES)
        return cls(parts)

    def expand(self, values: Values, secrets: Secrets) -> str:
        """The text for these values; DeliveryFailed (permanent) where a header cannot hold it."""
        text = "".join(fill(part, values, secrets) for part in self.parts)
        if not _VISIBLE.fullmatch(text):
            names = ", ".join((*self.macros, *self.secrets))
            raise never(f"a header holds visible ASCII only, and {names} is something else")
        return text

    @property
    def macros(self) -> tuple[str, ...]:
        return macros_in(self.parts)

    @property
    def secrets(self) -> tuple[str, ...]:
        return secrets_in(self.parts)


@dataclass(frozen=True, slots=True)
class HeadersTemplate:
    """All headers of a request. Their names are written out, so no value adds one."""

    templates: Mapping[str, TextTemplate]

    @classmethod
    def parse(cls, headers: Mapping[str, str], allowed: Collection[str]) -> "HeadersTemplate":
        """Read templates by header, or refuse them naming the header too."""
        return cls({name: _header(name, text, allowed) for name, text in headers.items()})

    def expand(self, values: Values, secrets: Secrets) -> dict[str, str]:
        return {name: each.expand(values, secrets) for name, each in self.templates.items()}

    @property
    def macros(self) -> tuple[str, ...]:
        return macros_in(part for each in self.templates.values() for part in each.parts)

    @property
    def secrets(self) -> tuple[str, ...]:
        return secrets_in(part for each in self.templates.values() for part in each.parts)


def _header(name: str, text: str, allowed: Collection[str]) -> TextTemplate:
    if not _NAME.fullmatch(name):
        remedy = "a header's name is letters, digits and dashes, and holds no macro"
        raise TemplateRefused(name, remedy, "headers")
    try:
        return TextTemplate.parse(text, allowed)
    except TemplateRefused as refused:
        raise refused.at(f"headers.{name}") from None
