"""A touch as a tracking link or a network's server tells it: one list of names for both.

No name is an address or a user agent: nothing here could keep one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from skan_receiver.errors import Malformed
from skan_receiver.mmp.event import Att
from skan_receiver.mmp.providers.values import att, flag, key, moment, person, said, text
from skan_receiver.mmp.stores import App
from skan_receiver.mmp.touches import AD, TouchKind

# Clocks differ.
AHEAD = timedelta(minutes=5)


def _kind(found: str) -> TouchKind:
    try:
        return TouchKind(found.lower())
    except ValueError:
        raise ValueError("neither click nor view") from None


READERS: Mapping[str, Callable[[str], Any]] = {
    "app": App.of,
    "partner_click_id": key,
    **dict.fromkeys(AD, text),
    # Who it was, and what was said of it.
    "idfa": person,
    "att": att,
    "gaid": person,
    "limit_ad_tracking": flag,
    # Of a network's server alone: a link is clicked, and now.
    "kind": _kind,
    "at": moment,
}


@dataclass(frozen=True, slots=True)
class Read:
    """What was said: the columns of a touch, and what of it could not be read."""

    app: App | None
    columns: Mapping[str, Any]
    faults: tuple[Malformed, ...] = field(default=())


def read(members: Mapping[str, object]) -> Read:
    """Read what a network says of a touch.

    Unknown consent is a no: an IDFA is kept where `att` is said to be authorized, a Google
    advertising id where `limit_ad_tracking` is said to be false.
    """
    found: dict[str, Any] = {}
    faults = [Malformed("no such name", name) for name in members if name not in READERS]
    for name in members.keys() & READERS.keys():
        try:
            value = said(members[name])
            found[name] = None if value is None else READERS[name](value)
        except ValueError as fault:
            faults.append(Malformed(str(fault), name))
    allows = found.get("att") is Att.AUTHORIZED, found.get("limit_ad_tracking") is False
    for name, allowed, cased in (("idfa", allows[0], str.upper), ("gaid", allows[1], str.lower)):
        value = found.get(name)
        found[name] = cased(value) if value and allowed else None
    app = found.get("app")
    names = ("partner_click_id", "idfa", "gaid", *AD)
    return Read(app, {name: found.get(name) for name in names} | _timed(found), tuple(faults))


def told(members: Mapping[str, object], now: datetime, oldest: timedelta) -> Read:
    """The same, of what a network's server tells; Malformed names the member at fault."""
    read_ = read(members)
    if read_.faults:
        raise read_.faults[0]
    if read_.app is None:
        raise Malformed("missing, or nothing: of which app?", "app")
    at = read_.columns["at"] or now
    if not now - oldest <= at <= now + AHEAD:
        raise Malformed("not within the time for which touches are kept", "at")
    return Read(read_.app, {**read_.columns, "at": min(at, now)})


def _timed(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": found.get("kind") or TouchKind.CLICK, "at": found.get("at")}
