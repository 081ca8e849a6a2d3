"""Whether bytes hold an identifier, in whichever form somebody wrote it down.

    Traces(["9B1C6E1A-…"]).are_in(body)

Plain, in either case, percent-encoded, with JSON's escapes, in base64 (alone or as a part of
something longer) and in UTF-16.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

# One of so many characters occurs nowhere by chance, also inside of something longer.
LONG = 16
# A shorter one than this (`42`) is looked for as a whole value only, and in no other form.
SHORT = 8

_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})|\\/")
# What stands around a whole value in a query, in JSON and in CSV.
_BEFORE, _AFTER = rb"(?:(?<=[=\":,;\s])|\A)", rb"(?=[&\",;}\]\s]|\Z)"
_APART = rb"(?<![0-9A-Za-z])(?:%s)(?![0-9A-Za-z])"


class Traces:
    """Finds any of some identifiers."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        named = {one.strip() for one in identifiers} - {""}
        plain = [_alternative(one) for one in sorted(named)]
        self._plain = re.compile(b"|".join(plain) or rb"(?!)", re.IGNORECASE)
        coded = {form for one in named if len(one) >= SHORT for form in _coded(one)}
        self._coded = re.compile(b"|".join(map(re.escape, sorted(coded))) or rb"(?!)")

    def are_in(self, *pieces: bytes | str | None) -> bool:
        """Whether any piece holds any of them."""
        return any(self._found(piece) for piece in pieces if piece)

    def _found(self, piece: bytes | str) -> bool:
        raw = piece.encode(errors="surrogatepass") if isinstance(piece, str) else piece
        if self._coded.search(raw):
            return True
        return any(self._plain.search(view) for view in _views(raw))


def spellings(identifier: str) -> tuple[str, ...]:
    """The ways that its letters are told in: as they came, small, in capitals."""
    return tuple(dict.fromkeys((identifier, identifier.lower(), identifier.upper())))


def _alternative(identifier: str) -> bytes:
    # Ignoring case, bytes know the letters of ASCII alone.
    each = b"|".join(re.escape(one.encode(errors="surrogatepass")) for one in spellings(identifier))
    if len(identifier) >= LONG:
        return each
    if len(identifier) >= SHORT:
        return _APART % each
    return _BEFORE + b"(?:" + each + b")" + _AFTER


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
