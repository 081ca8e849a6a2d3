"""What forwarders add that is the device's or its owner's, under whatever name.

The address and the user agent are dropped unless a setting says to keep them. Identifiers have
no business beside a postback that exists to do without them: they are always dropped.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

# `adjust_client_ip`, `clientIP` and `client-ipv4` have the part `ip`; `zip` and `Trip` have not.
_PARTS = re.compile("IPv(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_ADDRESS = re.compile(r"ipv?|ips|ua|uas|(?:client|user|device|remote|source|real|public)ip")
_IDENTIFIER = re.compile(r".*idf[av].*|gaid.*|aaid.*|oaid.*|maid|adid|ifa|ifv|udid|imei|rdid")

# Words of more than one part, written as one: `User-Agent`, `user_agent`, `useragent`.
_ADDRESS_WORDS = re.compile("useragent|ipaddr")
_IDENTIFIER_WORDS = re.compile("deviceid|androidid|advertisingid|identifierfor|macaddr|userid")

# An address as headers and logs have it: `[2001:db8::1]`, with a port, one of several.
_WITH_PORT = re.compile(r"\[([^]]+)](?::[0-9]+)?|([0-9.]+):[0-9]+")

# Where an advertisement was shown on the web, which Apple has signed: no device is a host there.
_SIGNED = {"source-domain", "source_domain"}


@dataclass(frozen=True, slots=True)
class Sieve:
    """Holds back what is personal, in a query or a body."""

    store_ip: bool

    def keeps(self, name: str, value: object) -> bool:
        """Whether a member may be kept; what is inside its value is for `sifted`."""
        if names_identifier(name):
            return False
        if self.store_ip or name in _SIGNED:
            return True
        return not (names_address(name) or is_address(name) or is_address(value))

    def sifted(self, value: Any) -> Any:
        """`value` without what is personal, however deep the forwarder has put it."""
        if type(value) is dict:
            return {
                name: self.sifted(inner) for name, inner in value.items() if self.keeps(name, inner)
            }
        if type(value) is list:
            return [self.sifted(one) for one in value if self.store_ip or not is_address(one)]
        return value


def masked(identifier: str) -> str:
    """Enough to tell two apart on a page, too little to find anybody by."""
    return f"{identifier[:4]}…" if len(identifier) >= 12 else "…"


def names_address(name: str) -> bool:
    """Whether a member so named has the device's address, or its user agent."""
    return _names(name, _ADDRESS, _ADDRESS_WORDS)


def names_identifier(name: str) -> bool:
    """Whether a member so named tells one device, or its owner, from all others."""
    return _names(name, _IDENTIFIER, _IDENTIFIER_WORDS)


def is_address(value: object) -> bool:
    """Whether `value` is the text of an address, or of several with commas between them."""
    return type(value) is str and any(map(_is_one_address, value.split(",")))


def _names(name: str, part: re.Pattern[str], word: re.Pattern[str]) -> bool:
    parts = [found.lower() for found in _PARTS.findall(name)]
    return any(map(part.fullmatch, parts)) or word.search("".join(parts)) is not None


def _is_one_address(text: str) -> bool:
    plain = text.strip()
    if found := _WITH_PORT.fullmatch(plain):
        plain = found[1] or found[2]
    try:
        ip_address(plain)
    except ValueError:
        return False
    return True
