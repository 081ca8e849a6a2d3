"""From bytes to a postback."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from skan_receiver.errors import NotJson
from skan_receiver.protocol import adattributionkit, skadnetwork
from skan_receiver.protocol.postback import Postback
from skan_receiver.protocol.text import load

Body = bytes | str | Mapping[str, Any]


def parse(body: Body) -> Postback:
    """Read one Apple postback of either framework. Nothing is verified yet.

    `body` is what the device sent (bytes), or the same as text or as a mapping.

    Raises NotJson where the body breaks a limit of JSON, UnknownVersion for a SKAdNetwork
    version that is newer than this release, and Malformed for anything else that no device of
    Apple's sends. Each names the member at fault.
    """
    received = as_bytes(body)
    members = load(received)
    if "jws-string" in members:
        return adattributionkit.postback(members, received)
    return skadnetwork.postback(members, received)


def as_bytes(body: Body) -> bytes:
    """`body` as it would have been received."""
    if isinstance(body, bytes):
        return body
    try:
        text = body if isinstance(body, str) else json.dumps(dict(body), separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError):
        raise NotJson("not bytes, text or a mapping that JSON can express") from None


def bodies(data: bytes) -> Iterator[bytes]:
    """The bodies in a file: one JSON object over any number of lines, or one on each line.

    Whatever is neither is one body, for `parse` to say what is wrong with it.
    """
    lines = [line for line in data.splitlines() if line.strip()]
    if len(lines) > 1 and not _is_json(data) and any(map(_is_json, lines)):
        yield from lines
    elif lines:
        yield data


def _is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False
