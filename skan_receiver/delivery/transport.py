"""The one transport for everything that leaves.

1. The URL is taken apart once; http and https only; no tricks of parsers.
2. Every address of its host is checked, and the checked address is the one connected to.
   Through a proxy of the operator's this goes as far as names can be looked up here (`dialer`).
3. TLS checks the certificate against the host's name, through a proxy too.
4. Redirects are answers like others: nobody follows them.
5. One deadline covers everything, from the look-up to the last byte of the answer.
6. Of an answer at most 64 kB are read and 4 kB kept, and nothing is inflated.
"""

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from urllib3.exceptions import HTTPError, ProxyError
from urllib3.response import BaseHTTPResponse

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.connections import Connection, Pool, TlsConnection
from skan_receiver.delivery.dialer import Dialer
from skan_receiver.delivery.excerpt import excerpt, read
from skan_receiver.delivery.names import Resolver, look_up
from skan_receiver.delivery.proxies import Proxies, Route
from skan_receiver.delivery.sockets import tls_context
from skan_receiver.errors import DeliveryFailed

EXCHANGE_SECONDS = 15.0
REASON_CHARACTERS = 500

METHODS = {"GET", "POST", "PUT"}

# http.client refuses CR and LF, and lets NUL and Latin-1 through.
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")

# They say where a request goes and where it ends. RFC 9110, 7.2 and 7.6.1; RFC 9112, 6.
_FRAMING = {
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip

# Forwarded requests only: a tunnel's refusal is http.client's to see.
_PROXY_WANTS_PASSWORD = 407

_OWN = {
    "User-Agent": f"skan-receiver/{version('skan-receiver')}",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent: by POST, PUT, or GET, which has no body.

    Header values are visible ASCII and spaces. Of two names that differ by case only the later
    one counts.
    """

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
            said = f"the header {plain(name)!r} may hold visible ASCII only"
            raise DeliveryFailed(said, permanent=True, kind="header")
        if name.lower() in _FRAMING:
            said = f"{name.lower()}: set by skan-receiver; leave out"
            raise DeliveryFailed(said, permanent=True, kind="header")
    return headers


@dataclass(frozen=True, slots=True)
class _Errand:
    """A request on its way: what a connection needs to know."""

    route: Route
    method: str
    body: bytes | None
    headers: Mapping[str, str]
    deadline: float


class Transport:
    """Sends requests from any number of threads; connections are kept for the next one."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolver = look_up,
        proxies: Proxies = Proxies(),  # noqa: B008  # it is frozen
        authorities: Path | None = None,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self.exchange_seconds = exchange_seconds
        self._dialer = Dialer(resolve, allow_private)
        self._proxies = proxies
        self._authorities = authorities
        self._tls: ssl.SSLContext | None = None
        self._pool = Pool()

    def send(self, request: Request) -> Answer:
        """Send, and read the answer; DeliveryFailed where there is none, with the reason."""
        begun = time.monotonic()
        errand = self._errand(request, begun + self.exchange_seconds)
        try:
            response, kept = self._exchange(errand)
        except (DeliveryFailed, OSError, HTTPException, HTTPError) as error:
            self._fail(error)
        _let_through(errand.route, response)
        return Answer(
            status=response.status,
            excerpt=kept,
            duration_ms=round((time.monotonic() - begun) * 1000),
            retry_after=response.headers.get("Retry-After"),
        )

    def close(self) -> None:
        """Close what is idle and cut off what is under way: each such `send` fails."""
        self._pool.close()

    def _errand(self, request: Request, deadline: float) -> _Errand:
        if request.method not in METHODS or (request.method == "GET" and request.body):
            said = "a request is a POST, a PUT, or a GET without a body"
            raise DeliveryFailed(said, permanent=True, kind="method")
        route = self._proxies.route(target(request.url))
        body = None if request.method == "GET" else request.body
        headers = _merged(_OWN, checked_headers(request.headers), route.headers)
        return _Errand(route, request.method, body, headers, deadline)

    def _exchange(self, errand: _Errand) -> tuple[BaseHTTPResponse, str]:
        while True:
            kept = self._pool.take(errand.route)
            connection = kept or self._connection(errand.route)
            try:
                with self._pool.at_work(connection):
                    return self._once(connection, errand)
            except ConnectionError:
                # A server may close a kept connection as we begin to use it. What we send
                # carries an id, so sending it again, on a new one, is safe.
                if kept is None or self._pool.closed:
                    raise

    def _once(self, connection: Connection, errand: _Errand) -> tuple[BaseHTTPResponse, str]:
        try:
            connection.begin(errand.deadline)
            if self._pool.closed:
                raise ConnectionAbortedError  # noqa: TRY301  # as if it had been cut
            connection.request(
                errand.method,
                errand.route.asked,  # a kept connection has served other paths of this origin
                body=errand.body,
                headers=errand.headers,
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            content, whole = read(response)
        except BaseException:
            connection.close()
            raise
        if whole and connection.sock is not None:
            self._pool.give(connection)
        else:
            response.close()
            connection.close()
        return response, excerpt(content, response.headers.get("Content-Encoding"))

    def _connection(self, route: Route) -> Connection:
        if route.to.scheme == "http":
            return Connection(route, self._dialer)
        if self._tls is None:
            self._tls = tls_context(str(self._authorities) if self._authorities else None)
        return TlsConnection(route, self._dialer, ssl_context=self._tls)

    def _fail(self, error: Exception) -> NoReturn:
        if self._pool.closed:
            raise DeliveryFailed("cut off: the worker is stopping", kind="stopped") from error
        if isinstance(error, DeliveryFailed):
            raise error
        if isinstance(error, TimeoutError):
            said = f"no answer within {self.exchange_seconds:g} s"
            raise DeliveryFailed(said, kind="timeout") from error
        raise _translated(error) from error


def _translated(error: Exception) -> DeliveryFailed:
    if isinstance(error, ProxyError):
        return _by_proxy(*error.args)
    if isinstance(error, ssl.SSLCertVerificationError):
        said = f"the certificate is not to be trusted: {error.verify_message}"
        return DeliveryFailed(plain(said), kind="tls")
    if isinstance(error, ConnectionError):
        said = "the connection was closed before there was an answer"
        return DeliveryFailed(said, kind="closed")
    kind = "tls" if isinstance(error, ssl.SSLError) else "protocol"
    said = f"no answer that can be read: {type(error).__name__}: {error}"
    return DeliveryFailed(plain(said), kind=kind)


def _by_proxy(proxy: str, error: Exception) -> DeliveryFailed:
    """Never permanent: a proxy's rules are its operator's to mend."""
    # http.client's words for a status that is not 200; what follows is the proxy's.
    said = str(error).removeprefix("Tunnel connection failed: ")
    if isinstance(error, TimeoutError):
        said = "it took too long"
    if isinstance(error, ConnectionError):
        said = "it hung up"
    return DeliveryFailed(plain(f"no connection through the proxy {proxy}: {said}"), kind="proxy")


def _let_through(route: Route, response: BaseHTTPResponse) -> None:
    """Of a forwarder's own answers only one says whose it is."""
    if route.forwarder and response.status == _PROXY_WANTS_PASSWORD:
        raise _by_proxy(str(route.forwarder), Exception(f"{response.status} {response.reason}"))


def _merged(*several: Mapping[str, str]) -> dict[str, str]:
    """One of each name, compared as HTTP compares them: without case. The later ones count."""
    kept = {name.lower(): (name, value) for some in several for name, value in some.items()}
    return dict(kept.values())


def plain(text: str) -> str:
    """A reason that can be kept and shown: strangers' text may be part of it, of any length."""
    shown = (letter if letter.isprintable() else "\ufffd" for letter in text[:REASON_CHARACTERS])
    return "".join(shown)
