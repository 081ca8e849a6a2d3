"""JSON as strictly as a signature deserves: one reading, or none.

Two parsers that read the same bytes differently are how forgeries pass, so whatever is
ambiguous is refused. `NotJson` breaks a limit of JSON itself; `Malformed` is JSON that no
device of Apple's writes. Both name the member at fault where there is one.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from skan_receiver.errors import Malformed, NotJson

# Apple's bodies are flat; this only keeps a hostile one from costing anything.
DEPTH = 16

# A transaction id has 36 bytes, a domain name at most 253. PostgreSQL indexes no more than 2,704
# bytes a row, and counts have four of these texts in their key: a longer one is refused here
# rather than where it would fail a whole batch.
LONGEST = 255

LARGEST = 2**63 - 1

# Joins the fields that Apple signs. Inside a value it would let two different bodies have
# one signed text.
SEPARATOR = "\u2063"

# What the decoder leaves in place of a number we refuse, so that its member can be named.
BEYOND, UNFINITE = object(), object()

# A value, the nearest member it is in, and how many levels deep it is.
_Place = tuple[Any, str | None, int]

KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a floating-point number",
    str: "text",
    list: "an array",
    dict: "an object",
    object: "a number beyond 64 bits",
}


def load(body: bytes) -> dict[str, Any]:
    """The members of the one JSON object that `body` is; NotJson or Malformed if it is not."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotJson("not UTF-8", _undecodable(body)) from None
    members = _parse(text)
    if _unusual(text, members):
        _check_limits(members)
        _check_values(members)
    return members


def read(members: Mapping[str, Any], name: str, kind: type[Any], *, optional: bool = False) -> Any:
    """The member `name`, which must be exactly of `kind`; None where an optional one is absent.

    Strict by type: "42" and 42.0 are not 42, 1 is not true. Apple never sends a null; for an
    optional member we read one as absence.
    """
    value = members.get(name)
    if value is None:
        if optional:
            return None
        raise Malformed("missing", name)
    if type(value) is not kind:
        raise Malformed(f"expected {KINDS[kind]}, got {KINDS[type(value)]}", name)
    if kind is int and not 0 <= value <= LARGEST:
        raise Malformed("negative" if value < 0 else KINDS[object], name)
    if kind is str and (_too_long(value) or not (value or optional)):
        raise Malformed(f"longer than {LONGEST} bytes" if value else "empty", name)
    return value


def _too_long(text: str) -> bool:
    return len(text) > LONGEST or (not text.isascii() and len(text.encode()) > LONGEST)


def clip(text: str) -> str:
    """What a stranger wrote, short and printable enough for a reason or a log line."""
    printable = ascii(text)[1:-1]
    return printable if len(printable) <= 60 else f"{printable[:57]}..."


def _parse(text: str) -> dict[str, Any]:
    try:
        members = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = "starts with a byte order mark" if text.startswith("\ufeff") else error.msg
        raise NotJson(f"not JSON: {what} (character {error.pos})") from None
    except RecursionError:
        raise NotJson(f"deeper than {DEPTH} levels") from None
    if type(members) is not dict:
        raise NotJson("not a JSON object")
    return members


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJson("appears twice", clip(twice))
    return members


def _integer(digits: str) -> object:
    # Twenty characters hold every 64-bit number; converting more would cost quadratic time.
    if len(digits) > 20:
        return BEYOND
    value = int(digits)
    return value if -LARGEST <= value <= LARGEST else BEYOND


def _float(digits: str) -> object:
    value = float(digits)
    return value if math.isfinite(value) else UNFINITE


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=lambda _: UNFINITE,
)


def _unusual(text: str, members: dict[str, Any]) -> bool:
    """Whether anything but flat members of plain text is in here: Apple's bodies never are."""
    return (
        "\\u" in text
        or SEPARATOR in text
        or "[" in text
        or text.count("{") > 1
        or BEYOND in members.values()
        or UNFINITE in members.values()
    )


def _walk(value: Any, member: str | None = None, depth: int = 0) -> Iterator[_Place]:
    """Everything inside `value` down to DEPTH, names of members included."""
    yield value, member, depth
    if depth == DEPTH:
        return
    if type(value) is dict:
        for name, inner in value.items():
            yield name, clip(name), depth
            yield from _walk(inner, clip(name), depth + 1)
    if type(value) is list:
        for inner in value:
            yield from _walk(inner, member, depth + 1)


def _check_limits(members: dict[str, Any]) -> None:
    for value, member, depth in _walk(members):
        if value is UNFINITE:
            raise NotJson("not a finite number", member)
        if depth == DEPTH and type(value) in (dict, list):
            raise NotJson(f"deeper than {DEPTH} levels", member)


def _check_values(members: dict[str, Any]) -> None:
    for value, member, _ in _walk(members):
        if value is BEYOND:
            raise Malformed(KINDS[object], member)
        if type(value) is str and (fault := _fault(value)):
            raise Malformed(fault, member)


def _fault(text: str) -> str:
    if SEPARATOR in text:
        return "holds U+2063, which separates signed fields"
    if "\0" in text:
        return "holds U+0000, which no database stores as text"
    if _has_surrogate(text):
        return "holds half of a surrogate pair"
    return ""


def _undecodable(body: bytes) -> str | None:
    """The member that holds the bytes which are not UTF-8, if all else is JSON."""
    try:
        members = _parse(body.decode(errors="surrogateescape"))
    except NotJson:
        return None
    return next((m for v, m, _ in _walk(members) if type(v) is str and _has_surrogate(v)), None)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
