"""Templates of bodies: a tree as in JSON whose leaves are macros, so that no value breaks it."""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from skan_receiver.delivery.templates.grammar import (
    Macro,
    Part,
    Parts,
    Rules,
    check,
    fill,
    macros_in,
    parse,
    secrets_in,
)
from skan_receiver.delivery.templates.refused import TemplateRefused
from skan_receiver.delivery.templates.values import Secrets, Values, value_of

DEEPEST = 16
MOST_LEAVES = 500

# Half of a UTF-16 pair, which JSON can escape and UTF-8 cannot write.
_TEXT: Rules = ((re.compile("[\ud800-\udfff]"), "half of a character: leave it out"),)
_MEMBER: Rules = (
    *_TEXT,
    (re.compile(r"\{[^}]*\}?|\}"), "a member's name is written out, without braces"),
)

ABSENT = object()


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A body with macros.

    A leaf that is one macro alone becomes the value itself, with its type; any other text is
    text. What is absent is left out with its member, and so is what that leaves empty.
    """

    tree: Any = field(repr=False)  # as it was written, with Parts for each text

    @classmethod
    def parse(cls, tree: Any, allowed: Collection[str]) -> "BodyTemplate":
        """Read a tree, or refuse it with the path of the leaf, the part at fault and the remedy."""
        return cls(_Reader(allowed).read(tree, "body", 1))

    def expand(self, values: Values, secrets: Secrets) -> Any:
        """The body for these values, which is always JSON."""
        filled = _filled(self.tree, values, secrets)
        if filled is not ABSENT:
            return filled
        return type(self.tree)() if isinstance(self.tree, dict | list) else None

    @property
    def macros(self) -> tuple[str, ...]:
        return macros_in(_parts(self.tree))

    @property
    def secrets(self) -> tuple[str, ...]:
        return secrets_in(_parts(self.tree))


class _Reader:
    """Reads one tree, and counts while it goes: aliases of YAML can make a small file endless."""

    def __init__(self, allowed: Collection[str]) -> None:
        self.allowed = allowed
        self.leaves = 0

    def read(self, node: Any, path: str, depth: int) -> Any:
        if isinstance(node, dict | list) and depth > DEEPEST:
            raise TemplateRefused(path, f"at most {DEEPEST} levels fit: make it flatter")
        if isinstance(node, dict) and node:
            return {
                self._member(name, path): self.read(each, f"{path}.{name}", depth + 1)
                for name, each in node.items()
            }
        if isinstance(node, list) and node:
            return [self.read(each, f"{path}[{at}]", depth + 1) for at, each in enumerate(node)]
        self.leaves += 1
        if self.leaves > MOST_LEAVES:
            raise TemplateRefused(path, f"at most {MOST_LEAVES} leaves fit: send less")
        return self._leaf(node, path)

    def _member(self, name: Any, path: str) -> str:
        if not isinstance(name, str):
            raise TemplateRefused(f"{path}.{name}", "a member's name is text: put it in quotes")
        try:
            check(name, _MEMBER)
        except TemplateRefused as refused:
            raise refused.at(path) from None
        return str(name)

    def _leaf(self, leaf: Any, path: str) -> Any:
        if isinstance(leaf, str):
            return self._text(leaf, path)
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise TemplateRefused(path, f"JSON has no {leaf}: leave it out")
        if leaf is None or isinstance(leaf, bool | int | float | dict | list):
            return leaf
        raise TemplateRefused(path, f"JSON has no {type(leaf).__name__}: put it in quotes")

    def _text(self, text: str, path: str) -> Parts:
        try:
            check(text, _TEXT)
            return parse(text, self.allowed)
        except TemplateRefused as refused:
            raise refused.at(path) from None


def _filled(node: Any, values: Values, secrets: Secrets) -> Any:
    """A node with its values; a tuple is a text's Parts, which JSON has no other use for."""
    if isinstance(node, tuple):
        return _text(node, values, secrets)
    if isinstance(node, dict):
        members = ((name, _filled(each, values, secrets)) for name, each in node.items())
        kept = {name: each for name, each in members if each is not ABSENT}
        return kept if kept or not node else ABSENT
    if isinstance(node, list):
        filled = [_filled(each, values, secrets) for each in node]
        items = [each for each in filled if each is not ABSENT]
        return items if items or not node else ABSENT
    return node


def _text(parts: Parts, values: Values, secrets: Secrets) -> Any:
    if len(parts) == 1 and isinstance(parts[0], Macro):
        value = value_of(parts[0].name, values)
        return ABSENT if value is None else value
    return "".join(fill(part, values, secrets) for part in parts)


def _parts(node: Any) -> Iterator[Part]:
    if isinstance(node, tuple):
        yield from node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _parts(each)
