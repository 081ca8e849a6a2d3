"""A proxy, as a behaviour of a sink: it takes every name for this machine."""

import time
from contextlib import suppress
from http.client import HTTPConnection
from socket import SHUT_WR, create_connection, socket
from threading import Thread
from urllib.parse import urlsplit

from tests.sink import Behaviour, Received, Sink, _Handler


def proxies(handler: _Handler) -> None:
    """Make a tunnel for CONNECT; make anything else again."""
    pass_on = _tunnel if handler.command == "CONNECT" else _forward
    pass_on(handler)


def after(seconds: float) -> Behaviour:
    """As `proxies`, but slowly."""

    def slowly(handler: _Handler) -> None:
        time.sleep(seconds)
        proxies(handler)

    return slowly


def address(of: Sink) -> str:
    """As it is written in HTTPS_PROXY."""
    return of.url.removesuffix("/in")


def _tunnel(handler: _Handler) -> None:
    handler.close_connection = True
    port = int(handler.path.rpartition(":")[2])
    with create_connection(("127.0.0.1", port)) as onward:
        handler.send_response(200, "Connection established")
        handler.end_headers()
        back = Thread(target=_pump, args=(onward, handler.connection), daemon=True)
        back.start()
        _pump(handler.connection, onward)
        back.join()


def _pump(source: socket, to: socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            to.sendall(piece)
        to.shutdown(SHUT_WR)


def _forward(handler: _Handler) -> None:
    url, asked = urlsplit(handler.path), _last(handler)
    onward = HTTPConnection("127.0.0.1", url.port or 80)
    headers = {
        name: value for name, value in asked.headers.items() if not name.startswith("proxy-")
    }
    onward.request(asked.method, f"{url.path}?{url.query}", asked.body, headers)
    answer = onward.getresponse()
    handler.send(answer.status, answer.read())
    onward.close()


def _last(handler: _Handler) -> Received:
    """What this handler was just asked."""
    return next(
        one
        for one in reversed(handler.sink.received)
        if one.connection == handler.client_address[1]
    )
