"""Connections that go where they were told to, and a pool that keeps them."""

import logging
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProxyError

from skan_receiver.delivery.dialer import Dialer
from skan_receiver.delivery.proxies import Route
from skan_receiver.delivery.sockets import TimedSocket, TimedTls

# Shorter than what servers allow an idle connection; nginx's default is 75 s.
IDLE_SECONDS = 30.0
# Then the name is looked up, and its addresses checked, again.
OLDEST_SECONDS = 300.0
MOST_IDLE = 16

# It warns of answers with odd headers, and names the URL: queries carry keys.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


class Connection(HTTPConnection):
    """A connection whose socket comes from a dialer: to an address that was checked."""

    def __init__(self, route: Route, dialer: Dialer, **options: Any) -> None:
        super().__init__(route.to.host, route.to.port, **options)
        if route.tunnel:
            self.set_tunnel(route.to.host, route.to.port, route.tunnel.headers)
        self.route = route
        self.made = self.used = time.monotonic()
        self.deadline = 0.0
        self.wire: socket.socket | None = None
        self._dialer = dialer

    def begin(self, deadline: float) -> None:
        """Connect if need be; whatever follows is to be over by `deadline`."""
        self.deadline = deadline
        if self.sock is None:
            self.connect()
        assert isinstance(self.sock, TimedSocket | TimedTls)
        self.sock.deadline = deadline
        self.wire = self.sock

    def cut(self) -> None:
        """Wake whoever waits for the other side: it has hung up."""
        if self.wire is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.wire, socket.SHUT_RDWR)

    @property
    def usable(self) -> bool:
        """Whether it may serve once more. What can be read while nothing was asked is the end."""
        now = time.monotonic()
        young = now - self.used < IDLE_SECONDS and now - self.made < OLDEST_SECONDS
        return young and self.is_connected

    def _new_conn(self) -> TimedSocket:
        self.wire = opened = self._dialer.open(self.route, self.deadline)
        return opened

    def _tunnel(self) -> None:
        """Have the proxy connect us; ProxyError where it does not."""
        proxy = self.route.tunnel
        assert proxy is not None
        try:
            super()._tunnel()
            assert isinstance(self.sock, TimedSocket)
            self.sock.hurry()  # the handshake that follows takes the time the socket has
        except (OSError, HTTPException) as error:
            raise ProxyError(str(proxy), error) from error


class TlsConnection(Connection, HTTPSConnection):
    """The same inside TLS; the certificate is checked for the host's name, not its address."""


class Pool:
    """Idle connections by where they lead, and those at work."""

    def __init__(self) -> None:
        self.closed = False
        self._idle: defaultdict[object, list[Connection]] = defaultdict(list)
        self._busy: set[Connection] = set()
        self._lock = threading.Lock()

    def take(self, route: Route) -> Connection | None:
        """A connection that was kept, the last one used first; None where there is none."""
        while True:
            with self._lock:
                kept = self._idle[route.key]
                connection = kept.pop() if kept else None
            if connection is None or connection.usable:
                return connection
            connection.close()

    def give(self, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end."""
        connection.used = time.monotonic()
        with self._lock:
            kept = self._idle[connection.route.key]
            if not self.closed and len(kept) < MOST_IDLE:
                kept.append(connection)
                return
        connection.close()

    @contextmanager
    def at_work(self, connection: Connection) -> Iterator[None]:
        """While this lasts, `close` cuts the connection."""
        with self._lock:
            self._busy.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(connection)

    def close(self) -> None:
        """Close what is idle, cut what is at work, keep nothing from now on."""
        with self._lock:
            self.closed = True
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.cut()
