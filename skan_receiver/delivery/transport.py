"""The one transport for everything that leaves.

1. The URL is taken apart once; http and https only; no tricks of parsers.
2. Every address of its host is checked, and the checked address is the one connected to.
3. TLS checks the certificate against the host's name.
4. Redirects are answers like others: nobody follows them.
5. One deadline covers everything, from the look-up to the last byte of the answer.
6. Of an answer at most 64 kB are read and 4 kB kept, and nothing is inflated.
"""

import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from skan_receiver.delivery.addresses import Resolver, Target, checked, look_up, target
from skan_receiver.delivery.connections import Connection, Pool, TlsConnection
from skan_receiver.delivery.sockets import TimedSocket, connected, tls_context
from skan_receiver.errors import DeliveryFailed

CONNECT_SECONDS = 5.0
EXCHANGE_SECONDS = 15.0
READ_BYTES = 64 * 1024
KEPT_BYTES = 4 * 1024
REASON_CHARACTERS = 500

# http.client refuses CR and LF, and lets NUL and Latin-1 through.
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")

_AGENT = f"skan-receiver/{version('skan-receiver')}"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent. Header values are visible ASCII and spaces."""

    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    excerpt: str  # the first 4 kB, as text
    duration_ms: int
    retry_after: str | None = None  # the header, as it came


def checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The same; DeliveryFailed (permanent) where a name or value could be more than one header."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise DeliveryFailed(f"the header {name!r} may hold visible ASCII only", permanent=True)
    return headers


class Transport:
    """Sends requests from any number of threads; connections are kept for the next one."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolver = look_up,
        authorities: Path | None = None,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self.exchange_seconds = exchange_seconds
        self._allow_private = allow_private
        self._resolve = resolve
        self._authorities = authorities
        self._tls: ssl.SSLContext | None = None
        self._pool = Pool()

    def send(self, request: Request) -> Answer:
        """Send, and read the answer; DeliveryFailed where there is none, with the reason."""
        begun = time.monotonic()
        to, deadline = target(request.url), begun + self.exchange_seconds
        headers = {
            "User-Agent": _AGENT,
            "Accept-Encoding": "identity",
            **checked_headers(request.headers),
        }
        try:
            response, excerpt = self._exchange(to, request, headers, deadline)
        except DeliveryFailed:
            raise
        except (OSError, HTTPException, HTTPError) as error:
            raise DeliveryFailed(self._reason(error)) from error
        return Answer(
            status=response.status,
            excerpt=excerpt,
            duration_ms=round((time.monotonic() - begun) * 1000),
            retry_after=response.headers.get("Retry-After"),
        )

    def close(self) -> None:
        """Close what is idle and cut off what is under way: each such `send` fails."""
        self._pool.close()

    def _exchange(
        self, to: Target, request: Request, headers: Mapping[str, str], deadline: float
    ) -> tuple[BaseHTTPResponse, str]:
        while True:
            kept = self._pool.take(to)
            connection = kept or self._connection(to)
            try:
                with self._pool.at_work(connection):
                    return self._once(connection, to, request, headers, deadline)
            except ConnectionError:
                # A server may close a kept connection as we begin to use it. What we send
                # carries an id, so sending it again, on a new one, is safe.
                if kept is None or self._pool.closed:
                    raise

    def _once(
        self,
        connection: Connection,
        to: Target,
        request: Request,
        headers: Mapping[str, str],
        deadline: float,
    ) -> tuple[BaseHTTPResponse, str]:
        try:
            connection.begin(deadline)
            if self._pool.closed:
                raise ConnectionAbortedError  # noqa: TRY301  # as if it had been cut
            connection.request(
                request.method,
                to.path,  # a kept connection has served other paths of this origin
                body=request.body,
                headers=headers,
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            content, whole = _read(response)
        except BaseException:
            connection.close()
            raise
        if whole and connection.sock is not None:
            self._pool.give(connection)
        else:
            response.close()
            connection.close()
        return response, _excerpt(content, response.headers.get("Content-Encoding"))

    def _connection(self, to: Target) -> Connection:
        if to.scheme == "http":
            return Connection(to, self._open)
        if self._tls is None:
            self._tls = tls_context(str(self._authorities) if self._authorities else None)
        return TlsConnection(to, self._open, ssl_context=self._tls)

    def _open(self, to: Target, deadline: float) -> TimedSocket:
        by = min(deadline, time.monotonic() + CONNECT_SECONDS)

        def resolve(host: str, port: int) -> list[str]:
            return _done_by(by, lambda: list(self._resolve(host, port)))

        why: object = "it has no address"
        for address in checked(to, resolve, allow_private=self._allow_private):
            try:
                return connected(str(address), to.port, deadline=deadline, connect_by=by)
            except TimeoutError:
                why = "it took too long"
            except OSError as error:
                why = error.strerror or error
        raise DeliveryFailed(f"cannot connect to {to.host}:{to.port}: {why}")

    def _reason(self, error: Exception) -> str:
        if self._pool.closed:
            return "cut off: the worker is stopping"
        if isinstance(error, TimeoutError):
            return f"no answer within {self.exchange_seconds:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate is not to be trusted: {error.verify_message}"
        if isinstance(error, ConnectionError):
            return "the connection was closed before there was an answer"
        return plain(f"no answer that can be read: {type(error).__name__}: {error}")


def plain(text: str) -> str:
    """A reason that can be kept and shown: strangers' text may be part of it, of any length."""
    shown = (letter if letter.isprintable() else "\ufffd" for letter in text[:REASON_CHARACTERS])
    return "".join(shown)


def _read(response: BaseHTTPResponse) -> tuple[bytes, bool]:
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


def _excerpt(content: bytes, encoding: str | None) -> str:
    if encoding and encoding.lower() != "identity":
        return f"[{len(content)} bytes or more, encoded as {encoding[:40]!r}]"
    # PostgreSQL keeps no NUL in a text.
    return content[:KEPT_BYTES].decode(errors="replace").replace("\0", "\ufffd")


def _done_by(moment: float, look: Callable[[], T]) -> T:
    """What `look` returns. The system's resolver takes no time-out, so it gets a thread."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(look())
        except BaseException as error:  # raised again below, in the thread that asked
            failed.append(error)

    thread = threading.Thread(target=run, name="look-up", daemon=True)
    thread.start()
    thread.join(max(0.0, moment - time.monotonic()))
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError("the name server does not answer")
    return found[0]
