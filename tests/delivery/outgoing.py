"""Addresses nothing may be sent to, and a recorder of every connect this process makes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from skan_receiver.delivery.transport import Request, Transport
from skan_receiver.errors import DeliveryFailed

FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::1",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
    "3fff::1",
    "100::1",
]

# Those an operator may allow, since the network may be his own.
PRIVATE = {
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "::1", "fc00::1",
}  # fmt: skip

# One that is public. Nothing is sent to it either: see `_hook`.
PUBLIC = "93.184.215.14"

_recorded: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Python calls this before each connect, whoever makes it; PEP 578."""
    if event == "socket.connect" and _recorded is not None:
        address = str(arguments[1][0])
        _recorded.append(address)
        if not address.startswith("127."):
            raise ConnectionRefusedError(f"a test reaches for {address}")


sys.addaudithook(_hook)


@contextmanager
def connects() -> Iterator[list[str]]:
    """Every address the process connects to, or tries to, while the block lasts."""
    global _recorded
    _recorded = []
    try:
        yield _recorded
    finally:
        _recorded = None


def written(address: str) -> str:
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


def refuses(transport: Transport, url: str) -> DeliveryFailed:
    """Why it does; nothing was connected to, not even a proxy."""
    with connects() as made, pytest.raises(DeliveryFailed) as raised:
        transport.send(Request(url))
    assert made == []
    return raised.value
