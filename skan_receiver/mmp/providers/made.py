"""An id for an event that the MMP gave none: made of what it says, so that a copy has the same."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from skan_receiver.mmp.event import MADE

# How a device is called: case means nothing.
_DEVICE = ("idfa", "idfv", "gaid", "android_id", "mmp_user_id")
_WHO = (*_DEVICE, "customer_user_id")

# Together they tell one event from all others. Neither what may differ between two copies is among
# them (an address), nor to whom it is attributed: what AppsFlyer tells of two media sources
# happened once.
_CORE = (
    *("kind", "name", "at", "app_id", "bundle_id", "revenue", "currency", "order_id"),
    *_WHO,
)
# Where nothing says who it was: two users' events are two, and a copy from elsewhere is the
# smaller mistake.
_NEAREST = ("click_id", "ip", "user_agent")

MILLION = 1_000_000


def made_id(told: Mapping[str, Any]) -> str:
    """An id made of what is said of it, by the fields of an event."""
    names = _CORE if any(told.get(name) for name in _WHO) else (*_CORE, *_NEAREST)
    core = json.dumps([_plainly(name, told.get(name)) for name in names])
    return MADE + blake2b(core.encode(), digest_size=16).hexdigest()


def _plainly(name: str, value: Any) -> str | None:
    """The same for what is the same: 5 and 5.00, a time with and without its milliseconds (its
    export has none), an id in either case."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return str(int((value * MILLION).to_integral_value()))
    if isinstance(value, datetime):
        return value.replace(microsecond=0).isoformat()
    return str(value).casefold() if name in _DEVICE else str(value)
