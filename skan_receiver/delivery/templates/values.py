"""What macros stand for when something is sent."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from skan_receiver.errors import DeliveryFailed

# str, int, float, bool, list or dict; None, or no member at all, where it is absent.
Values = Mapping[str, Any]
Secrets = Mapping[str, str]


def value_of(name: str, values: Values) -> Any:
    """A macro's value, None where it is absent.

    Whatever is sent can be written as JSON in UTF-8: a number is finite, and a text has no half
    of a character in it, which Apple's JSON can smuggle in as an escape.
    """
    value = values.get(name)
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise never(f"the value of {{{name}}} cannot be written as JSON") from None
    return value


def secret_of(name: str, secrets: Secrets) -> str:
    """A secret, which is never left out in silence."""
    if name not in secrets:
        raise never(f"there is no secret {name!r}")
    return str(value_of(name, secrets))


def spelled(value: Any) -> str:
    """A value where only text fits."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        # Few who read numbers from a URL know 1e-05.
        return format(Decimal(float.__repr__(value)), "f")
    return json.dumps(value, separators=(",", ":"))  # in ASCII, so that it fits in headers


def never(reason: str) -> DeliveryFailed:
    """The same values would fail again, so no retry helps. The reason holds none of them."""
    return DeliveryFailed(reason, permanent=True)
