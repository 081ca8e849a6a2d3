"""What an MMP is, to us: what it calls things, and the address to paste into it.

One table says both. A name in it is a parameter of a GET, a member of a JSON body (members within
members with points between them: `user_data.idfa`) and a column of a CSV; the macro beside it is
what stands behind that name in the address that we print.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from skan_receiver.errors import Malformed
from skan_receiver.mmp.event import (
    Attribution,
    Device,
    Event,
    Kind,
    Person,
    Platform,
    Signals,
)
from skan_receiver.mmp.providers.made import made_id
from skan_receiver.mmp.providers.members import Members, Query, members_of
from skan_receiver.mmp.providers.odd import STAND_INS
from skan_receiver.mmp.providers.values import READERS, said, text

PARTS = {"person": Person, "attribution": Attribution, "signals": Signals, "device": Device}
_NAMES = {part: tuple(field.name for field in fields(kind)) for part, kind in PARTS.items()}

_WHO = frozenset(_NAMES["person"]) - {"ip", "user_agent"}

REJECTED = Kind.REJECTED.value
INSTALLS = {Kind.INSTALL, Kind.REINSTALL}

# What kinds are called in an address, in JSON and in our API.
KINDS = {kind: kind.value.replace(" ", "_").replace("-", "_") for kind in Kind}
_KINDS = {word: kind for kind, word in KINDS.items()} | {
    "rejected": Kind.REJECTED,
    "reengagement": Kind.REENGAGEMENT,
}


@dataclass(frozen=True, slots=True)
class Says:
    """A name, the field of an event that is read from it, and the macro in the address.

    Without a macro a name is read and not printed. Of several names for a field, the first that
    says something is believed.
    """

    name: str
    field: str
    macro: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """One address to paste: `when` the MMP calls it, and what it says besides the macros.

    `instead` are names and macros that stand in for those of the table.
    """

    when: str
    fixed: Mapping[str, str]
    instead: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Url:
    """An address as it is pasted: macros are not escaped, since the MMP replaces them."""

    when: str
    url: str


# What a provider makes of what it said, beyond its table: field by field, to be changed.
Finish = Callable[[dict[str, Any]], None]


def _as_said(_told: dict[str, Any]) -> None:
    """The table says it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One MMP."""

    name: str
    title: str
    table: tuple[Says, ...]
    callbacks: tuple[Callback, ...]
    finish: Finish = _as_said
    # Members whose text is JSON in its turn.
    opened: tuple[str, ...] = ()
    # What to do at the MMP, and what of it we could not find in public.
    notes: str = ""
    # Whoever tells is answered what is wrong, and can put it right: no value is passed over.
    is_strict: bool = False

    def read(self, query: Query, body: bytes) -> list[Event]:
        """The events of a request; Malformed names the member at fault of the first that is."""
        return [self.event(each) for each in members_of(query, body, self.opened)]

    def event(self, members: Members) -> Event:
        """The event that these members tell; Malformed if they tell none."""
        told: dict[str, Any] = {}
        for says in self.table:
            if told.get(says.field) is None and says.name in members:
                told[says.field] = self._value(says, members[says.name])
        self.finish(told)
        return self._event({field: value for field, value in told.items() if value is not None})

    def nameless(self, members: Members) -> dict[str, Any]:
        """Members without those that tell who it was, under the MMP's names or under ours. The
        address and the user agent are `personal.Sieve`'s to hold back."""
        who = _WHO | {says.name for says in self.table if says.field in _WHO}
        return {name: value for name, value in members.items() if name not in who}

    def urls(self, base: str, token: str) -> list[Url]:
        """The addresses to paste at this MMP."""
        path = f"{base.rstrip('/')}/mmp/{self.name}/{quote(token, safe='')}"
        return [Url(each.when, path + self._query(each)) for each in self.callbacks]

    def _query(self, callback: Callback) -> str:
        macros = callback.instead
        if macros is None:
            macros = {says.name: says.macro for says in self.table if says.macro}
        fixed = [f"{name}={quote(value, safe='')}" for name, value in callback.fixed.items()]
        live = [f"{name}={macro}" for name, macro in macros.items() if name not in callback.fixed]
        return "?" + "&".join(fixed + live) if fixed or live else ""

    def _value(self, says: Says, value: object) -> Any:
        try:
            found = said(value)
            return None if found is None else READERS.get(says.field, text)(found)
        except ValueError as fault:
            if says.field in STAND_INS and not self.is_strict:
                return STAND_INS[says.field]
            raise Malformed(str(fault), says.name) from None

    def _event(self, told: dict[str, Any]) -> Event:
        _settle_app(told)
        _settle_kind(told)
        if told["kind"] in INSTALLS:
            told.setdefault("at", told.get("installed_at"))
            told.setdefault("installed_at", told["at"])
        if told.get("at") is None:
            raise Malformed("missing, or nothing: when did it happen?", self._name("at"))
        if told["kind"] is Kind.EVENT and "name" not in told:
            raise Malformed("missing, or nothing: what happened?", self._name("name"))
        told.setdefault("name", told["kind"].value)
        _settle_revenue(told)
        if "platform" not in told:
            told["platform"] = _platform(told)
        if told.pop("rejection", None) and "name" in told and told["name"] != REJECTED:
            told.setdefault("withdraws", made_id({**told, "kind": Kind.EVENT}))
        told.setdefault("event_id", made_id(told))
        parts = {
            part: kind(**{name: told[name] for name in _NAMES[part] if name in told})
            for part, kind in PARTS.items()
        }
        own = {name: told[name] for name in _OWN if name in told}
        return Event(provider=self.name, **own, **parts)

    def _name(self, field: str) -> str:
        return next((says.name for says in self.table if says.field == field), field)


_OWN = tuple(field.name for field in fields(Event) if field.name not in (*PARTS, "provider"))


def kind_of(word: str) -> Kind:
    """A kind by its name, however it is joined: rejected_install, re-engagement. What is none is
    not repeated: an identifier may stand in the wrong place."""
    plain = word.strip().lower().replace(" ", "_").replace("-", "_")
    if plain not in _KINDS:
        raise Malformed(f"none of {', '.join(sorted(_KINDS))}", "kind")
    return _KINDS[plain]


def _settle_kind(told: dict[str, Any]) -> None:
    """What was said, unless it takes something back: a rejection, an amount below nothing.

    An install is called install, and one that was rejected a rejected install; a rejected in-app
    event keeps its name.
    """
    kind = told.get("kind", Kind.EVENT)
    if not isinstance(kind, Kind):
        kind = kind_of(kind)
    if kind not in (Kind.EVENT, Kind.REFUND):
        told["name"] = kind.value
    if "rejection" in told:
        if kind is not Kind.EVENT or "name" not in told:
            told["name"] = REJECTED
        kind = Kind.REJECTED
    elif kind is Kind.EVENT and told.get("revenue", 0) < 0:
        kind = Kind.REFUND
    told["kind"] = kind


def _settle_app(told: dict[str, Any]) -> None:
    found = told.pop("app", None)
    if isinstance(found, int):
        told.setdefault("app_id", found)
    elif found is not None:
        told.setdefault("bundle_id", found)
    if (attributed := told.pop("organic", None)) is not None:
        told.setdefault("is_attributed", attributed)


def _settle_revenue(told: dict[str, Any]) -> None:
    """A refund's amount is below nothing; a currency alone says nothing."""
    revenue: Decimal | None = told.get("revenue")
    if revenue is None:
        told.pop("currency", None)
    elif told["kind"] is Kind.REFUND:
        told["revenue"] = -abs(revenue)


def _platform(told: Mapping[str, Any]) -> Platform | None:
    """Whose identifiers they are."""
    if {"app_id", "idfa", "idfv"} & told.keys():
        return Platform.IOS
    if {"gaid", "android_id"} & told.keys():
        return Platform.ANDROID
    return None


def says(field: str, *names: str, macro: str = "") -> Sequence[Says]:
    """Rows for one field: the first name is printed with the macro, the others are read too."""
    return [Says(name, field, "" if at else macro) for at, name in enumerate(names)]
