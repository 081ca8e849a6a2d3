"""The body of a request, whole or not at all.

gunicorn and Werkzeug hand over what there is: a body that was cut short against its
Content-Length comes without an error, and one sent in chunks is cut at Werkzeug's limit. A
postback that is not whole must not be answered 200, or it is lost.
"""

from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from werkzeug.wsgi import get_content_length, get_input_stream

# Apple's bodies have a few hundred bytes (SKAdNetwork) to about 1 KB (AdAttributionKit);
# forwarders add names of campaigns.
LARGEST_BODY = 16 * 1024

PIECE = 64 * 1024  # read at once of what is too large to hold


class BadBody(Exception):
    """The body cannot be taken: `status` and the text say why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_body(environ: dict[str, Any], most: int = LARGEST_BODY) -> bytes:
    """The bytes that were sent, as they were sent; BadBody if they are not whole, or too many."""
    declared = get_content_length(environ)  # None where it is sent in chunks
    if declared is not None and declared > most:
        raise _too_large(most)
    try:
        body: bytes = get_input_stream(environ).read(most + 1)
    except Exception:
        raise _cut_short() from None
    if len(body) > most:
        raise _too_large(most)
    _check_whole(len(body), declared)
    return body


def save_body(environ: dict[str, Any], path: Path, most: int) -> None:
    """Write the bytes that were sent to a file, without holding them; BadBody as above."""
    declared, size = get_content_length(environ), 0
    if declared is not None and declared > most:
        raise _too_large(most)
    stream = get_input_stream(environ)
    with path.open("wb") as file:
        while piece := _next(stream):
            size += len(piece)
            if size > most:
                raise _too_large(most)
            file.write(piece)
    _check_whole(size, declared)


def _next(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(PIECE)
    except Exception:
        raise _cut_short() from None


def _check_whole(size: int, declared: int | None) -> None:
    if declared is not None and size < declared:
        raise BadBody(
            HTTPStatus.BAD_REQUEST, f"Content-Length is {declared}, the body has {size} bytes"
        )


# Whatever stops the server from reading is about what was sent: a chunk with a bad size,
# a device that hung up, or fell silent. Each server has exceptions of its own.
def _cut_short() -> BadBody:
    return BadBody(HTTPStatus.BAD_REQUEST, "the body ends before its time")


def _too_large(most: int) -> BadBody:
    what = "a postback" if most == LARGEST_BODY else "a body"
    return BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{what} has at most {most} bytes")
