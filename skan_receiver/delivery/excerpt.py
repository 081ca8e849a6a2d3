"""As much of an answer's body as anybody needs."""

from http.client import HTTPException

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

READ_BYTES = 64 * 1024
KEPT_BYTES = 4 * 1024


def read(response: BaseHTTPResponse) -> tuple[bytes, bool]:
    """What came, up to the limit, and whether that was all.

    The status is the answer: a body that breaks off, or drips until the deadline, does not
    take it back.
    """
    content = bytearray()
    while len(content) < READ_BYTES:
        try:
            piece = response.read1(READ_BYTES - len(content), decode_content=False)
        except (OSError, HTTPException, HTTPError):
            return bytes(content), False
        if not piece:
            return bytes(content), True
        content += piece
    return bytes(content), False


def excerpt(content: bytes, encoding: str | None) -> str:
    """What of it can be kept and shown. Nothing is inflated: 50 kB may be 50 MB."""
    if encoding and encoding.lower() != "identity":
        return f"[{len(content)} bytes or more, encoded as {encoding[:40]!r}]"
    # PostgreSQL keeps no NUL in a text.
    return content[:KEPT_BYTES].decode(errors="replace").replace("\0", "\ufffd")
