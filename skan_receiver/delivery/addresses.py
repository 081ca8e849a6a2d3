"""Where a request may go: which addresses may be connected to, and which URLs are plain enough.

A destination's address is somebody's text. Left alone it could name the machine itself, the network
around it, or a cloud's metadata service, and the name could change its mind between look and use.
So every address is checked, and the checked address is the one connected to (`transport`).
"""

import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from skan_receiver.delivery.names import Resolver, look_up, until
from skan_receiver.errors import DeliveryFailed

Address = IPv4Address | IPv6Address

# How long somebody who saves a destination waits for a name server.
LOOK_UP_SECONDS = 5.0


def _networks(*networks: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, networks))


# Refused whatever the settings say. `ipaddress.is_global` calls some of them global.
# https://www.iana.org/assignments/iana-ipv4-special-registry
# https://www.iana.org/assignments/iana-ipv6-special-registry
NEVER = _networks(
    "0.0.0.0/8",  # "this host": Linux connects it to loopback. RFC 1122, 3.2.1.3
    "169.254.0.0/16",  # link-local, where clouds keep their metadata services. RFC 3927
    "168.63.129.16/32",  # Azure's host
    "100.100.100.200/32",  # Alibaba Cloud's metadata service
    "192.0.0.0/24",  # protocol assignments (RFC 6890); .192 is Oracle Cloud's metadata service
    "192.0.2.0/24",  # documentation, with the next two. RFC 5737
    "198.51.100.0/24",
    "203.0.113.0/24",
    "192.88.99.0/24",  # 6to4 relays. RFC 7526
    "198.18.0.0/15",  # benchmarks. RFC 2544
    "224.0.0.0/4",  # multicast. RFC 5771
    "240.0.0.0/4",  # reserved, and broadcast. RFC 1112
    "fd00:ec2::/32",  # AWS's metadata service
    "fd20:ce::254/128",  # Google Cloud's metadata service
    "2001::/23",  # protocol assignments, Teredo among them. RFC 2928, RFC 4380
    "2001:db8::/32",  # documentation, with the next. RFC 3849
    "3fff::/20",  # RFC 9637
    "2002::/16",  # 6to4: carries an IPv4 address. RFC 3056
)

# Refused unless the operator says that destinations are on a network of his own.
PRIVATE = _networks(
    "127.0.0.0/8",
    "10.0.0.0/8",  # with the next two. RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",  # carriers' own. RFC 6598
    "::1/128",
    "fc00::/7",  # RFC 4193
)

# All that is given out. Outside it are IPv4 in disguise (::ffff:0:0/96, ::ffff:0:0:0/96, ::/96,
# NAT64's 64:ff9b::/96 and 64:ff9b:1::/48), link-local, site-local, segment routing and multicast.
GIVEN_OUT = IPv6Network("2000::/3")

# What the web uses, and the ports nobody needs privileges for; not mail, not shells.
WEB_PORTS = {80, 443}
FIRST_UNPRIVILEGED = 1024

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_ESCAPED_HOST = re.compile(r"[^/?#]*//[^/?#]*%")
# A name as DNS can hold it (RFC 1035, 2.3.4), or an IPv6 address.
_LABEL = r"[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"(?=.{{1,254}}$){_LABEL}(\.{_LABEL})*\.?|\[[0-9a-f:.]+\]")

# Names that lead to a network of somebody's own wherever they are looked up: RFC 6761, RFC 6762,
# RFC 8375, and ICANN's resolution 2024.07.29.06 (clouds' metadata services have names in it).
_PRIVATE_NAMES = {"localhost", "local", "internal", "arpa"}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart once, so that no second parser can read it differently."""

    scheme: str
    host: str  # lower case; without brackets
    port: int
    path: str  # with the query

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a connection leads to."""
        return self.scheme, self.host, self.port

    @property
    def masked(self) -> str:
        """The URL as it may be logged: a query carries keys."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path.partition('?')[0]}"


@lru_cache(maxsize=1024)  # most destinations have one URL for all they get
def target(url: str) -> Target:
    """Take a URL apart; DeliveryFailed (permanent) says why one is refused."""
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        raise _refused("the URL may hold visible ASCII only, and no backslash")
    if _ESCAPED_HOST.match(url):
        raise _refused("the URL's host may not be percent-encoded")
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise _refused("the URL cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _refused("the URL must begin with https:// or http://")
    if parts.auth is not None:
        raise _refused("the URL may not carry a user name or password")
    if not parts.host or not _HOST.fullmatch(parts.host):
        raise _refused("the URL must name a host (an international one in its xn-- form)")
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
    if not 0 < port < 65536:
        raise _refused(f"{port} is no port")
    return Target(parts.scheme, parts.host.strip("[]"), port, parts.request_uri)


def check_url(
    url: str,
    *,
    allow_private: bool,
    resolve: Resolver = look_up,
    seconds: float = LOOK_UP_SECONDS,
) -> None:
    """Say all that can be said of a URL without connecting: DeliveryFailed (permanent) refuses it.

    For whoever saves a destination. A name nobody knows passes: it may be known to the worker's
    name server or to a proxy, and every delivery checks again.
    """
    timed = until(time.monotonic() + seconds, resolve)
    try:
        check_as_known(target(url), timed, allow_private=allow_private)
    except DeliveryFailed as failure:
        raise DeliveryFailed(str(failure), permanent=True, kind=failure.kind) from None


def check_as_known(to: Target, resolve: Resolver, *, allow_private: bool) -> None:
    """As `checked`, for who leaves the connecting to another: a name nobody knows here may pass.

    Not where the name itself says that it is private: whoever looks it up will find one.
    """
    try:
        checked(to, resolve, allow_private=allow_private)
    except DeliveryFailed as failure:
        if failure.kind != "resolve":
            raise
        if not allow_private and _private(to.host):
            said = f"{to.host} is a private name: SKAN_PRIVATE_DESTINATIONS=1 allows it"
            raise DeliveryFailed(said, kind="address") from None


def checked(to: Target, resolve: Resolver, *, allow_private: bool) -> list[Address]:
    """The addresses of a target, every one of them allowed; DeliveryFailed otherwise.

    One forbidden address among many is enough to refuse: such an answer is no accident.
    """
    if not allow_private and to.port not in WEB_PORTS and to.port < FIRST_UNPRIVILEGED:
        raise _refused(f"port {to.port} is not for the web: use 80, 443, or 1024 and above")
    found = addresses(to.host, to.port, resolve)
    for address in found:
        if reason := forbidden(address, allow_private=allow_private):
            # A name may point elsewhere tomorrow; a written address will not.
            said = f"{to.host} is {address}, {reason}"
            raise DeliveryFailed(said, permanent=literal(to.host) is not None, kind="address")
    return found


def addresses(host: str, port: int, resolve: Resolver) -> list[Address]:
    """What a host is, or is known by: one address at least."""
    if written := literal(host):
        return [written]
    try:
        found = list(map(ip_address, resolve(host, port)))
    except (OSError, UnicodeError, ValueError) as error:
        raise DeliveryFailed(f"{host} cannot be resolved: {error}", kind="resolve") from None
    if not found:
        raise DeliveryFailed(f"{host} has no address", kind="resolve")
    return found


def forbidden(address: Address, *, allow_private: bool = False) -> str:
    """Why an address may not be connected to; empty where it may."""
    if _within(address, NEVER):
        return "which no destination may be"
    if _within(address, PRIVATE):
        return "" if allow_private else "a private address: SKAN_PRIVATE_DESTINATIONS=1 allows it"
    if isinstance(address, IPv6Address) and address not in GIVEN_OUT:
        return "which no destination may be"
    return "" if address.is_global and not address.is_multicast else "which is not public"


def literal(host: str) -> Address | None:
    """The address a host is written as; None where it is a name."""
    with suppress(ValueError):
        return ip_address(host)
    # 127.1, 0x7f000001 and 2130706433 are addresses to every resolver, and to every proxy.
    with suppress(OSError):
        return IPv4Address(socket.inet_aton(host.removesuffix(".")))
    return None


def _private(name: str) -> bool:
    """Whether a name is nobody's on the internet; one without a dot is looked up next door."""
    _, dot, last = name.removesuffix(".").rpartition(".")
    return not dot or last in _PRIVATE_NAMES


def _within(address: Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _refused(reason: str) -> DeliveryFailed:
    return DeliveryFailed(reason, permanent=True, kind="url")
