"""Whether bytes hold an identifier, in whichever form somebody wrote it down.

    Traces(["9B1C6E1A-…"]).are_in(body)

Plain, in either case, percent-encoded, as a form writes it, with JSON's escapes, in base64 (alone
or as a part of something longer) and in UTF-16.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from skan_receiver.mmp.personal import names_identifier

# One of so many characters occurs nowhere by chance, also inside of something longer.
LONG = 16
# A shorter one than this is looked for as a whole value only, and in no other form.
SHORT = 8
# And one as short as `42`, which is an amount or a flag of others as well, behind a name of an
# identifier only.
SHORTEST = 6

_ESCAPED = re.compile(rb"((?:\\u[0-9a-fA-F]{4})+)|\\([\"\\/])")
# What stands around a whole value in a query, in JSON and in CSV.
_AFTER = rb"(?=[&\",;}\]\s]|\Z)"
_WHOLE = rb"(?:(?<=[=\":,;\s])|\A)(?:%s)" + _AFTER
_SAID = rb"[=:][\"\s]*(?:%s)" + _AFTER
_APART = rb"(?<![0-9A-Za-z])(?:%s)(?![0-9A-Za-z])"

# A name, and how far behind its value it begins.
_NAME, LONGEST_NAME = re.compile(rb"([\w.~$-]+)[\"\s]*\Z"), 80
# Besides those of devices.
_WHOSE = re.compile(
    r"(?:user|uid|customer|identity|external_touch"
    r"|(?:cl|click|customer|member|account|appsflyer|singular|kochava|device)_?id)\Z"
)


class Traces:
    """Finds any of some identifiers."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        named = sorted({one.strip() for one in identifiers} - {""})
        # Each with what must hold around it. To look for one after the other is quicker by far than
        # an expression of all of them.
        self._plain = {
            spelt.encode(errors="surrogatepass").lower(): _apart(one)
            for one in named
            for spelt in spellings(one)
        }
        coded = {form for one in named if len(one) >= SHORT for form in _coded(one)}
        self._coded = sorted(coded)

    def are_in(self, *pieces: bytes | str | None) -> bool:
        """Whether any piece holds any of them."""
        return any(self._found(piece) for piece in pieces if piece)

    def rows_in(self, rows: Sequence[Sequence[Any]]) -> list[int]:
        """The places of the rows, each of pieces, that hold any of them. All are looked through at
        once first: hardly ever there is one."""
        pieces = (_raw(piece) for row in rows for piece in row if piece)
        if not self._found(b"\n".join(pieces)):
            return []
        return [place for place, row in enumerate(rows) if self.are_in(*row)]

    def _found(self, piece: bytes | str) -> bool:
        raw = _raw(piece)
        return any(form in raw for form in self._coded) or any(
            self._says(view.lower()) for view in _views(raw)
        )

    def _says(self, view: bytes) -> bool:
        # Small letters of ASCII alone: of others each spelling is looked for.
        return any(
            plain in view and (apart is None or apart(plain, view))
            for plain, apart in self._plain.items()
        )


def _raw(piece: bytes | str) -> bytes:
    return piece.encode(errors="surrogatepass") if isinstance(piece, str) else piece


def spellings(identifier: str) -> tuple[str, ...]:
    """The ways that its letters are told in: as they came, small, in capitals."""
    return tuple(dict.fromkeys((identifier, identifier.lower(), identifier.upper())))


def _apart(identifier: str) -> Callable[[bytes, bytes], bool] | None:
    """What must stand around it, the shorter it is, the more; None: anything."""
    if len(identifier) >= LONG:
        return None
    if len(identifier) < SHORTEST:
        return _is_named
    around = _APART if len(identifier) >= SHORT else _WHOLE
    return lambda plain, view: re.search(around % re.escape(plain), view) is not None


def _is_named(plain: bytes, view: bytes) -> bool:
    """Whether it is what a name of an identifier says."""
    for found in re.finditer(_SAID % re.escape(plain), view):
        before = view[max(0, found.start() - LONGEST_NAME) : found.start()]
        if (name := _NAME.search(before)) and _names_whom(name[1].decode(errors="replace")):
            return True
    return False


def _names_whom(name: str) -> bool:
    return names_identifier(name) or _WHOSE.search(name) is not None


def _views(raw: bytes) -> Iterator[bytes]:
    """The bytes, and what they say once they are decoded, as a URL and as a form."""
    yield from _levels(raw, unquote_to_bytes)
    if b"+" in raw or b"%2" in raw:
        yield from _levels(_of_form(raw), _of_form)


def _levels(raw: bytes, decode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """A URL in a URL is encoded twice."""
    for _ in range(4):
        yield raw
        if b"\\" in raw:
            yield _ESCAPED.sub(_unescaped, raw)
        if (plain := decode(raw)) == raw:
            return
        raw = plain


def _of_form(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        return found[2]
    # Beyond U+FFFF JSON writes a letter as two.
    units = bytes.fromhex(found[1].replace(b"\\u", b"").decode())
    return units.decode("utf-16-be", "surrogatepass").encode(errors="surrogatepass")


def _coded(identifier: str) -> Iterator[bytes]:
    for spelt in spellings(identifier):
        for encoding in ("utf-16-le", "utf-16-be"):
            yield spelt.encode(encoding, "surrogatepass")
        raw = spelt.encode(errors="surrogatepass")
        for encode in (b64encode, urlsafe_b64encode):
            for shift in range(3):
                # Characters that its neighbours have a say in are left out.
                coded = encode(bytes(shift) + raw)
                yield coded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
