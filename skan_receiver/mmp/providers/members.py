"""A request's parameters and body as members, flat, whatever form an MMP chose.

JSON (one object, an array of them, or one a line), a form, CSV, or nothing but the query. The
content type is not asked: MMPs send JSON as text and forms as nothing in particular.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from skan_receiver.errors import Malformed, NotJson
from skan_receiver.protocol.text import clip

Members = Mapping[str, Any]
Query = Iterable[tuple[str, str]]

# Of a query or form, and of one event flattened; AppsFlyer's have about 120.
MOST_MEMBERS = 500
# Members within members within members …
DEEPEST = 8
# Of one event. A batch may be as large as the server lets it.
LARGEST_EVENT = 64 * 1024


def members_of(query: Query, body: bytes, opened: Sequence[str] = ()) -> list[Members]:
    """The members of each event in a request; Malformed where there is none that can be read."""
    return [flat(each, opened) for each in objects(query, body)]


def objects(query: Query, body: bytes) -> list[Any]:
    """Each event of a request as it came, for `flat`. Parameters beside a body count for each of
    its objects, which win where both say something."""
    beside = dict(query)
    if not (text := _text(body)):
        if not beside:
            raise Malformed("empty: neither a body nor parameters")
        return [beside]
    found = list(_objects(text))
    if not found:
        raise Malformed("no event in it")
    return [{**beside, **one} if isinstance(one, dict) else one for one in found]


def flat(found: Any, opened: Sequence[str] = ()) -> Members:
    """The members of one object, with those within members under names with points."""
    if not isinstance(found, dict):
        raise Malformed("not a JSON object")
    members: dict[str, Any] = {}
    for name, value in _flat(found, "", 0):
        members[name] = value
        if name in opened:
            members.update(_opened(name, value))
        if len(members) > MOST_MEMBERS:
            raise Malformed(f"an event has at most {MOST_MEMBERS} members")
    return members


def written(found: Any) -> bytes:
    """An object as JSON, to be kept and read again: what was exact stays so."""
    return json.dumps(found, default=str, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise NotJson("not UTF-8") from None


def _objects(text: str) -> Iterator[Any]:
    if text[0] in "{[":
        yield from _json(text)
    elif "=" in text.partition("\n")[0] and "\n" not in text:
        yield dict(_form(text))
    elif "," in text.partition("\n")[0] and "\n" in text:
        yield from _rows(text)
    else:
        raise NotJson("neither JSON, nor a form, nor CSV")


def _form(text: str) -> Sequence[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_MEMBERS)
    except ValueError:
        raise Malformed(f"a form has at most {MOST_MEMBERS} fields") from None


def _rows(text: str) -> Iterator[Any]:
    try:
        yield from csv.DictReader(io.StringIO(text, newline=""))
    except csv.Error as fault:
        raise Malformed(f"not CSV: {fault}") from None


def _json(text: str) -> Iterator[Any]:
    """One value, or one a line."""
    try:
        found = _load(text)
    except json.JSONDecodeError as fault:
        if "\n" not in text or fault.msg != "Extra data":
            raise NotJson(f"not JSON: {fault.msg} (character {fault.pos})") from None
        # Inside a text, JSON lets stand what else ends a line in Unicode.
        for line in filter(str.strip, text.split("\n")):
            yield _line(line)
        return
    except RecursionError:
        raise NotJson("not JSON: too deep") from None
    yield from found if isinstance(found, list) else (found,)


def _line(line: str) -> Any:
    """One event of many: what is wrong with it is its own fault."""
    try:
        return _load(line)
    except (json.JSONDecodeError, RecursionError):
        return line


def _load(text: str) -> Any:
    return json.loads(text, parse_float=_decimal, parse_int=_int, parse_constant=str)


def _decimal(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond all
        return digits


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= 20 else digits


def _flat(found: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth == DEEPEST:
        raise Malformed(f"deeper than {DEEPEST} levels", clip(prefix.partition(".")[0]))
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.", depth + 1)
        elif not isinstance(value, list):  # no field of an event is a list
            yield f"{prefix}{name}", value


def _opened(name: str, value: object) -> Members:
    """What is inside a member whose text is JSON; nothing where it is not."""
    try:
        inside = _load(value) if isinstance(value, str) else None
    except (json.JSONDecodeError, RecursionError):
        return {}
    return dict(_flat(inside, f"{name}.", 1)) if isinstance(inside, dict) else {}
