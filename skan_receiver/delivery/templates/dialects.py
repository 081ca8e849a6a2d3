"""Reads templates that were written for another vendor's macros, so that nobody retypes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.delivery.templates.macros import (
    CAMPAIGN,
    COMMON,
    DECODED,
    REPORT,
    SENDING,
    macros_for,
)
from skan_receiver.delivery.templates.personal import identifies
from skan_receiver.delivery.templates.refused import TemplateRefused
from skan_receiver.delivery.templates.vendors import (
    ADJUST,
    APPMETRICA,
    APPSFLYER,
    BRANCH,
    SACHINAST,
    SINGULAR,
    Names,
)
from skan_receiver.delivery.templates.vendors_of_users import OF_USERS

OURS = {*COMMON, *SENDING, *CAMPAIGN, *DECODED, *REPORT}
# Of events of users, which have names of their own for the same.
OURS_OF_USERS = {*macros_for("event")}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one vendor writes macros."""

    macro: re.Pattern[str]  # its one group is the name
    marks: re.Pattern[str]  # what begins or ends macros; elsewhere it would be an expression
    names: Names


_BRACES = re.compile(r"[{}]")

# The table of contents: a vendor is a line here and its names in `vendors`, `vendors_of_users`.
DIALECTS: Mapping[str, Dialect] = {
    "appsflyer": Dialect(
        re.compile(r"\(([A-Za-z][A-Za-z0-9_-]*)\)"), re.compile(r"[(){}]"), APPSFLYER
    ),
    "adjust": Dialect(re.compile(r"\{([A-Za-z]\w*)\}", re.ASCII), _BRACES, ADJUST),
    "branch": Dialect(  # FreeMarker's `!` stands for "empty where there is none"
        re.compile(r"\$\{\(([A-Za-z][\w.~+]*)\)!\}", re.ASCII), re.compile(r"[{}]|\$\{|<#"), BRANCH
    ),
    "singular": Dialect(  # {cl?Network} is the click id of the network of that name
        re.compile(r"\{([A-Za-z]\w*(?:[?=][\w .-]+)?)\}", re.ASCII), _BRACES, SINGULAR
    ),
    "appmetrica": Dialect(re.compile(r"\{([A-Za-z]\w*)\}", re.ASCII), _BRACES, APPMETRICA),
    "sachinast": Dialect(re.compile(r"\{\{\s*([a-z_]\w*)\s*\}\}", re.ASCII), _BRACES, SACHINAST),
}


@dataclass(frozen=True, slots=True)
class Translation:
    """A template in our macros.

    What we lack stays in the text under a name that is none of ours, so that the template is
    refused until somebody has taken it out.
    """

    text: str
    unknown: tuple[str, ...]  # as the vendor writes them
    personal: tuple[str, ...]  # those that would identify somebody


def translate(text: str, dialect: str, *, of_users: bool = False) -> Translation:
    """A vendor's template in our macros; TemplateRefused where it holds an expression.

    `of_users`: for a destination of events, which may tell of users; no other may.
    """
    if dialect not in DIALECTS:
        near = did_you_mean(dialect, DIALECTS) or "."
        raise TemplateRefused(dialect, f"no such dialect{near} There are: {', '.join(DIALECTS)}")
    language = DIALECTS[dialect]
    pieces = language.macro.split(text)  # literal, name, literal, name, …, literal
    for literal in pieces[::2]:
        _no_expression(literal, language)
    names = dict.fromkeys(pieces[1::2])
    known, offered = (OF_USERS[dialect], OURS_OF_USERS) if of_users else (language.names, OURS)
    ours = {name: _ours(name, dialect, known) for name in names}
    pieces[1::2] = [f"{{{ours[name]}}}" for name in pieces[1::2]]
    missing = [name for name in names if ours[name] not in offered]
    personal = tuple(name for name in missing if identifies(ours[name]))
    unknown = tuple(name for name in missing if name not in personal)
    return Translation("".join(pieces), unknown, personal)


def guess_dialect(text: str) -> str | None:
    """The vendor a template was written for; None where it is ours, or could be anybody's."""
    if "${" in text:
        return "branch"
    if "{{" in text:
        return "sachinast"
    names = DIALECTS["singular"].macro.findall(text)
    if any(name != name.lower() or not name.isidentifier() for name in names):
        return "singular"
    if names:
        return None if OURS.issuperset(names) else _best(names)
    macros = DIALECTS["appsflyer"].macro.findall(text)
    known = (_key(name) in APPSFLYER or identifies(name) for name in macros)
    return "appsflyer" if any(known) else None


def _best(names: list[str]) -> str | None:
    """Of those who write {name}, the one that knows the most of these names."""
    known = {
        dialect: len((DIALECTS[dialect].names.keys() | OF_USERS[dialect].keys()) & set(names))
        for dialect in ("adjust", "singular", "appmetrica")
    }
    best = max(known, key=lambda dialect: known[dialect])
    return best if known[best] else None


def _no_expression(literal: str, language: Dialect) -> None:
    if found := language.marks.search(literal):
        part = re.split(r"[\s&\"']", literal[found.start() :])[0]
        remedy = "only plain names are taken over: no expressions, conditions or functions"
        raise TemplateRefused(part, remedy)


def _ours(name: str, dialect: str, known: Names) -> str:
    """Our name for a vendor's; where we have none, one that says whose it is."""
    key = _key(name)
    if key in known:
        return known[key]
    last = key.rpartition(".")[2].lstrip("~+")
    if identifies(last):
        return last
    return f"{dialect}_" + re.sub(r"[^a-z0-9]+", "_", key).strip("_")


def _key(name: str) -> str:
    """A name as `vendors` writes it. Singular's {cl?Network} is its `cl`."""
    return re.split(r"[?=]", name)[0].lower().replace("-", "_")
