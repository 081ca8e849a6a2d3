"""Which proxy, if any, stands between us and a target.

Networks that let nothing out but their proxy are common. The proxy is the operator's, so its own
address may be private; what it is asked for is checked as ever (`dialer`).
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Self
from urllib.parse import unquote

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from skan_receiver.delivery.addresses import Target, literal
from skan_receiver.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that is spoken to without TLS, as nearly all are."""

    host: str  # without brackets
    port: int
    authorization: str = field(default="", repr=False)  # a password, all but in clear

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What it asks of us; RFC 9110, 11.7.2."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


@dataclass(frozen=True, slots=True)
class Route:
    """A target, and the proxy on the way to it. Connections are kept by it."""

    to: Target
    proxy: Proxy | None = None

    @property
    def key(self) -> tuple[Proxy | None, tuple[str, str, int]]:
        """What a connection leads to, and through what."""
        return self.proxy, self.to.origin

    @property
    def tunnel(self) -> Proxy | None:
        """The proxy that passes our TLS on, unread: CONNECT. RFC 9110, 9.3.6."""
        return self.proxy if self.to.scheme == "https" else None

    @property
    def forwarder(self) -> Proxy | None:
        """The proxy that reads the request and makes it again."""
        return self.proxy if self.to.scheme == "http" else None

    @property
    def asked(self) -> str:
        """What the request line names: the whole URL for a forwarder. RFC 9112, 3.2.2."""
        if self.forwarder is None:
            return self.to.path
        host = f"[{self.to.host}]" if ":" in self.to.host else self.to.host
        port = "" if self.to.port == 80 else f":{self.to.port}"
        return f"http://{host}{port}{self.to.path}"

    @property
    def headers(self) -> Mapping[str, str]:
        """What a forwarder gets with each request; a tunnel's proxy gets it with CONNECT."""
        return self.forwarder.headers if self.forwarder else {}


@dataclass(frozen=True, slots=True)
class Proxies:
    """The operator's proxies, and what goes without: HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""

    http: Proxy | None = None
    https: Proxy | None = None
    spared: tuple[str, ...] = ()

    @classmethod
    def read(cls, *, http: str = "", https: str = "", no_proxy: str = "") -> Self:
        """From the texts of the three settings; ConfigurationError names the one that is wrong."""
        spared = tuple(filter(None, re.split(r"[,\s]+", no_proxy.lower())))
        return cls(_proxy("HTTP_PROXY", http), _proxy("HTTPS_PROXY", https), spared)

    def route(self, to: Target) -> Route:
        """The way to a target: through the proxy for its scheme, unless NO_PROXY spares it."""
        if any(_spares(entry, to) for entry in self.spared):
            return Route(to)
        return Route(to, self.https if to.scheme == "https" else self.http)


def _proxy(setting: str, url: str) -> Proxy | None:
    """None where there is no text. An error must not repeat the text: it may hold a password."""
    if not url:
        return None
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise _unusable(setting) from None
    # curl and requests take `proxy.example:3128` for http as well.
    if parts.scheme not in ("http", None) or not parts.host or parts.port == 0:
        raise _unusable(setting)
    return Proxy(parts.host.strip("[]"), parts.port or 80, _basic(parts.auth))


def _basic(auth: str | None) -> str:
    """RFC 7617; percent-encoding is how a password gets an @ or a / into a URL."""
    if auth is None:
        return ""
    user, _, password = auth.partition(":")
    return "Basic " + b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


def _unusable(setting: str) -> ConfigurationError:
    return ConfigurationError(
        f"{setting}: write http://proxy.example:3128, or http://user:password@proxy.example:3128; "
        "proxies spoken to by https or SOCKS are not supported"
    )


def _spares(entry: str, to: Target) -> bool:
    """Whether an entry of NO_PROXY names a target, read as curl and requests read it.

    A name stands for itself and all below it, with or without a dot before; an address or a
    network for addresses that are written as such: no name is looked up for this.
    """
    if entry == "*":
        return True
    host, port = _parted(entry)
    if not host or port not in ("", str(to.port)):
        return False
    if (address := literal(to.host)) is None:
        return f".{to.host.removesuffix('.')}".endswith(f".{host.strip('.')}")
    try:
        return address in ip_network(host, strict=False)
    except ValueError:
        return False


def _parted(entry: str) -> tuple[str, str]:
    """Host (or network) and port; IPv6 has a port only behind brackets."""
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = entry.removeprefix("*").partition(":")
    return (entry, "") if ":" in port else (host, port)
