"""A place to deliver to, on 127.0.0.1: it writes down what it is given, and misbehaves if asked."""

import gzip
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET, socket
from ssl import SSLContext
from struct import pack
from typing import Any

PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    id: str
    body: bytes
    path: str
    headers: dict[str, str]
    connection: int  # the port it came from: the same for requests that shared a connection
    at: float
    method: str = "POST"


Behaviour = Callable[["_Handler"], None]


@dataclass
class Sink:
    """`behaviour` may be changed while it runs; `received` grows."""

    url: str
    behaviour: Behaviour
    received: list[Received] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def ids(self) -> list[str]:
        """The delivery ids in the order they came, repeats included."""
        return [one.id for one in self.received]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    sink: Sink

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed in the middle: nothing was delivered
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.sink.received.append(
            Received(
                headers.get("webhook-id", ""),
                body,
                self.path,
                headers,
                self.client_address[1],
                time.monotonic(),
                self.command,
            )
        )
        with suppress(ConnectionError):
            self.sink.behaviour(self)

    do_GET = do_PUT = do_CONNECT = do_POST  # noqa: N815  # http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang(self, seconds: float = 60) -> None:
        self.close_connection = True
        self.sink.stop.wait(seconds)


def answers(status: int, body: bytes = b"ok", **headers: str) -> Behaviour:
    """Answer with this."""
    return lambda handler: handler.send(status, body, **headers)


def hangs(handler: _Handler) -> None:
    """Take the request, and never answer."""
    handler.hang()


def drips(handler: _Handler) -> None:
    """Begin an answer, and send a header's byte every tenth of a second."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.sink.stop.wait(0.1):
        handler.wfile.write(b".")


def drips_body(handler: _Handler) -> None:
    """Answer 200, and send the body a byte every tenth of a second."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not handler.sink.stop.wait(0.1):
        handler.wfile.write(b".")


def resets(handler: _Handler) -> None:
    """Hang up at once, the rude way: RST."""
    handler.close_connection = True
    handler.connection.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
    handler.connection.close()


def redirects(handler: _Handler) -> None:
    """Send whoever asks round in a circle."""
    handler.send(302, Location=handler.path)


def takes(handler: _Handler) -> None:
    """Take it: 200."""
    handler.send(200, b"ok")


def endless(handler: _Handler) -> None:
    """Answer 200 with 10 GB."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    piece = b"x" * 65_536
    while not handler.sink.stop.is_set():
        handler.wfile.write(piece)


def bomb(handler: _Handler) -> None:
    """Answer 50 kB that would inflate to 50 MB."""
    handler.send(200, _packed(), Content_Encoding="gzip")


@cache
def _packed() -> bytes:
    return gzip.compress(b"\0" * 50_000_000)


TAKES = answers(200)


@contextmanager
def sink(behaviour: Behaviour = TAKES, tls: SSLContext | None = None) -> Iterator[Sink]:
    """A sink while the block lasts."""
    server = _server()
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "https" if tls else "http"
    made = Sink(f"{scheme}://127.0.0.1:{server.server_port}/in", behaviour)
    handler = type("Handler", (_Handler,), {"sink": made})
    server.RequestHandlerClass = handler
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def apart(behaviour: Behaviour) -> Iterator[str]:
    """The URL of a sink in a process of its own, while the block lasts: it shares no memory."""
    command = [sys.executable, "-m", __name__, behaviour.__name__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that goes away, or no TLS: expected here."""


def _server() -> _Server:
    for port in PORTS:
        with suppress(OSError):
            return _Server(("127.0.0.1", port), _Handler)
    raise OSError("no free port")


def closed_port() -> int:
    """A port nobody listens on."""
    for port in reversed(PORTS):
        with socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


if __name__ == "__main__":
    with sink(globals()[sys.argv[1]]) as alone:
        print(alone.url, flush=True)
        threading.Event().wait()
