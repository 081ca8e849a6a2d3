"""Whether bytes hold an identifier, in whichever form somebody wrote it down.

    Traces(["9B1C6E1A-…"]).are_in(body)

Plain, in either case, percent-encoded, with JSON's escapes, in base64 (alone or as a part of
something longer) and in UTF-16.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

# One of so many characters occurs nowhere by chance, also inside of something longer.
LONG = 16
# A shorter one than this (`42`) is looked for as a whole value only, and in no other form.
SHORT = 8

_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})|\\/")
# What stands around a whole value in a query, in JSON and in CSV.
_WHOLE = rb"(?:(?<=[=\":,;\s])|\A)(?:%s)(?=[&\",;}\]\s]|\Z)"
_APART = rb"(?<![0-9A-Za-z])(?:%s)(?![0-9A-Za-z])"


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
    around = _APART if len(identifier) >= SHORT else _WHOLE
    return lambda plain, view: re.search(around % re.escape(plain), view) is not None


def _views(raw: bytes) -> Iterator[bytes]:
    """The bytes, and what they say once they are decoded; a URL in a URL is encoded twice."""
    for _ in range(4):
        yield raw
        if b"\\" in raw:
            yield _ESCAPED.sub(_unescaped, raw)
        if b"%" not in raw or (plain := unquote_to_bytes(raw)) == raw:
            return
        raw = plain


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        return b"/"
    return chr(int(found[1], 16)).encode(errors="surrogatepass")


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
