"""Apple's members as forwarders spell them, put back as Apple writes them.

Devices are strict by type and so is the parser. Forwarders fill templates: `"42"` for 42, `1` or
`"True"` for true, `"LOW"` for `"low"`, an empty text where there is nothing. What cannot be put
right stays as it is, for the parser to name.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from skan_receiver.protocol.skadnetwork import SIGNED_MEMBERS, TYPES
from skan_receiver.protocol.unsigned import UNSIGNED_MEMBERS

# Nineteen digits hold every 63-bit number. No plus sign, no space, no leading zero: "007" is
# the text of no integer that Apple signed.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")

_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}


def _integer(value: object) -> object:
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    # Through a parser that knows only doubles: 5.25463029E8.
    if type(value) is float and value.is_integer():
        return int(value)
    return value


def _boolean(value: object) -> object:
    return _BOOLEANS.get(str(value).lower(), value)


def _text(value: object) -> object:
    return str(value) if type(value) is int else value


def _word(value: object) -> object:
    return value.lower() if type(value) is str else value


def _version(value: object) -> object:
    return f"{value:.1f}" if type(value) in (int, float) else value


def _base64(value: object) -> object:
    # In a query a plus sign that was not escaped arrives as a space.
    return value.replace(" ", "+") if type(value) is str else value


_BY_TYPE: dict[type, Callable[[object], object]] = {int: _integer, bool: _boolean, str: _text}

# Every member of Apple's outside a JWS, and how it is put right.
MEMBERS: Mapping[str, Callable[[object], object]] = {
    **{name: _BY_TYPE[kind] for name, kind in TYPES.items()},
    **{name: _BY_TYPE[kind] for name, (_, kind, _) in UNSIGNED_MEMBERS.items()},
    "version": _version,
    "coarse-conversion-value": _word,
    "ad-interaction-type": _word,
    "attribution-signature": _base64,
    "jws-string": lambda value: value,
}


def canonical(name: str) -> str:
    """The name as Apple would write it: `Campaign_ID` is `campaign-id`."""
    return name.lower().replace("_", "-")


def normal(members: Mapping[str, Any]) -> dict[str, Any]:
    """`members` with Apple's own put right, and absent where a forwarder wrote nothing."""
    normalised = {}
    for name, value in members.items():
        put_right = MEMBERS.get(name)
        if put_right is None:
            normalised[name] = value
        elif value not in (None, ""):
            normalised[name] = put_right(value)
    return normalised


def is_of_a_known_version(members: Mapping[str, Any]) -> bool:
    """Whether all of Apple's members are known to us: in a later version some are not."""
    version = members.get("version", "1.0")
    return "jws-string" in members or (type(version) is str and version in SIGNED_MEMBERS)
