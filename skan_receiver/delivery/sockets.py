"""Sockets that know when they must be done.

A time-out of a library bounds one read; a server that sends a byte a second passes it for hours.
These ask the clock before each read and write, and so bound the whole exchange.
"""

import socket
import ssl
import time
from typing import Any


class _Timed:
    """What both kinds of socket share. `deadline` is a moment of time.monotonic()."""

    deadline: float

    def hurry(self) -> None:
        """Allow what is left, and no more; TimeoutError when nothing is."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self.settimeout(left)  # type: ignore[attr-defined]  # both are sockets


class TimedSocket(_Timed, socket.socket):
    """A plain one."""

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.hurry()
        return super().recv_into(*arguments, **named)

    def sendall(self, *arguments: Any, **named: Any) -> None:
        self.hurry()
        super().sendall(*arguments, **named)


class TimedTls(_Timed, ssl.SSLSocket):
    """One inside TLS. `sendall` of TLS sends piece by piece, so the pieces are timed."""

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.hurry()
        return super().recv_into(*arguments, **named)

    def send(self, *arguments: Any, **named: Any) -> int:
        self.hurry()
        return super().send(*arguments, **named)


def connected(address: str, port: int, *, deadline: float, connect_by: float) -> TimedSocket:
    """A socket connected to this very address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = TimedSocket(family, socket.SOCK_STREAM)
    try:
        made.deadline = connect_by
        made.hurry()
        made.connect((address, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.deadline = deadline
        made.hurry()
    except BaseException:
        made.close()
        raise
    return made


def tls_context(authorities: str | None = None) -> ssl.SSLContext:
    """Certificates and names are checked, by the system's authorities or those in a file."""
    context = ssl.create_default_context(cafile=authorities)
    context.sslsocket_class = TimedTls
    return context
