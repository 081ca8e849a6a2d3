"""What the macros of events stand for. What consent withholds has no value here, so no template
can send it: every value is of the event without it."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from hashlib import new
from typing import Any

from sqlalchemy import Row

from skan_receiver.delivery.destinations import EventDestination
from skan_receiver.delivery.events import worth
from skan_receiver.delivery.facts import Values, iso
from skan_receiver.delivery.templates.macros import HASHED, PERSON
from skan_receiver.errors import DeliveryFailed
from skan_receiver.mmp.consent import under_gdpr
from skan_receiver.mmp.event import Att, Event, Person, Platform, Signals
from skan_receiver.storage.event_rows import event_of
from skan_receiver.storage.rates import NoRate, Rates

# https://developer.apple.com/documentation/apptrackingtransparency/attrackingmanager/authorizationstatus
ATT_NUMBERS = {Att.NOT_DETERMINED: 0, Att.RESTRICTED: 1, Att.DENIED: 2, Att.AUTHORIZED: 3}

LDU = "LDU"

# Of `extinfo`'s sixteen those that an event may have; the version in front is the platform's.
# https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/app-data
EXTINFO = {1: "bundle_id", 2: "app_version", 4: "os_version", 5: "model", 6: "language"}
EXTINFO_LENGTH = 16

# The macros that tell who it was.
WHO = frozenset({*Person.__dataclass_fields__, *HASHED, "advertising_id", "order_id"})


RatesOf = Callable[[Event], Rates]


def of_event(
    row: Row[Any],
    destination: EventDestination,
    rates: RatesOf,
    identity: bytes,
    also: Collection[str] = (),
) -> Values:
    """The values of a row of `event` with its decision (`withheld`), under the identity that
    receivers are told. What is `also` withheld has no value either.

    DeliveryFailed where it was taken back, or where its currency cannot be told.
    """
    whole = event_of(row)
    if row.withdrawn_by is not None and not destination.withdrawals:
        raise DeliveryFailed("it was taken back before it was sent", permanent=True, kind="gone")
    withheld = {*json.loads(row.withheld), *also}
    event = whole.without(withheld)
    told = {**_plain(event, identity), **_said(event), **_of_person(event)}
    told |= _named(event, destination, rates)
    if "is_attributed" not in withheld and whole.attribution.is_attributed is not None:
        told["is_attributed"] = destination.is_theirs(whole)
    return {**told, "tracking_enabled": int(_tracked(whole)), "lat": int(not _tracked(whole))}


def identifying(row: Row[Any], macros: Collection[str]) -> Mapping[str, str]:
    """What a receiver could repeat of who it was, and nobody may read in what is written down: in
    small letters and in capitals too, since they write identifiers as they like."""
    event = event_of(row)
    told = _of_person(event)
    return {
        f"{name} {how}": each
        for name in WHO.intersection(macros)
        if (value := told.get(name))
        for how, each in (("", value), ("small", value.lower()), ("capitals", value.upper()))
    }


def _named(event: Event, destination: EventDestination, rates: RatesOf) -> Values:
    """How the partner is told of it, and what it was worth."""
    mapped = destination.told_as(event)
    if mapped is None:
        why = f"{event.name!r} is not in the mapping any more"
        raise DeliveryFailed(why, permanent=True, kind="gone")
    told = {"event": mapped.to}
    if not mapped.revenue:
        return told
    try:
        value = worth(event, mapped.currency, rates(event) if mapped.currency else Rates(()))
    except NoRate as missing:
        raise DeliveryFailed(f"{missing}: see `rates import`", kind="rate") from None
    if value is None:
        return told
    return {**told, "revenue": float(value), "currency": mapped.currency or event.currency}


def _plain(event: Event, identity: bytes) -> Values:
    seconds = event.at.timestamp()
    return {
        "event_name": event.name,
        "event_kind": event.kind.value,
        "event_id": identity.hex(),
        "event_time": iso(event.at),
        "event_time_s": int(seconds),
        "event_time_ms": int(seconds * 1000),
        "event_time_us": f"{seconds:.6f}",
        "platform": event.platform,
        "app_id": event.app_id,
        "bundle_id": event.bundle_id,
        "store_id": _store_id(event),
        "extinfo": _extinfo(event),
    }


def _store_id(event: Event) -> str | None:
    if event.platform is Platform.ANDROID or event.app_id is None:
        return event.bundle_id
    return str(event.app_id)


def _said(event: Event) -> Values:
    """What was said of consent, in the words of those who are to be told. What was not said is
    absent, and not a no: Google knows three answers."""
    signals = event.signals
    opted_out = bool(signals.limited_data_use)
    told: dict[str, Any] = {
        "att": signals.att,
        "att_status": None if signals.att is None else ATT_NUMBERS[signals.att],
        "att_word": _att_word(event),
        "limit_ad_tracking": signals.limit_ad_tracking,
        "gdpr_applies": signals.gdpr_applies,
        "eea": int(under_gdpr(event) is not False),
        "limited_data_use": opted_out,
    }
    for name in ("ad_user_data", "ad_personalization"):
        said = getattr(signals, name)
        told[name] = None if said is None else int(said)
    if opted_out:
        options = "data_processing_options"
        told |= {options: [LDU], f"{options}_country": 0, f"{options}_state": 0}
    return told


def _att_word(event: Event) -> str | None:
    if event.platform is Platform.ANDROID:
        return "NOT_APPLICABLE"
    return None if event.signals.att is None else event.signals.att.upper()


def _tracked(event: Event) -> bool:
    """Whether the platform lets the user be told apart, as far as is known. On Android an
    advertising id says so: who opts out has one of zeros.
    https://support.google.com/googleplay/android-developer/answer/6048248
    """
    signals: Signals = event.signals
    if signals.limit_ad_tracking:
        return False
    if event.platform is Platform.ANDROID:
        return signals.limit_ad_tracking is False or event.person.gaid is not None
    return signals.att is Att.AUTHORIZED


def _of_person(event: Event) -> Values:
    parts = (event.person, event.attribution, event.device)
    told: dict[str, Any] = {
        name: next((getattr(part, name) for part in parts if hasattr(part, name)), None)
        for name in PERSON
    }
    told |= {"order_id": event.order_id, "is_attributed": None}
    told |= {"advertising_id": event.person.idfa or event.person.gaid}
    if told["advertising_id"]:
        told["advertising_id_type"] = "idfa" if event.person.idfa else "advertisingid"
    told |= _moment("installed_at", event.installed_at)
    told |= _moment("touched_at", event.attribution.touched_at)
    return {**told, **_hashed(event.person)}


def _moment(name: str, moment: datetime | None) -> Values:
    if moment is None:
        return {name: None}
    seconds = moment.timestamp()
    return {name: iso(moment), f"{name}_s": int(seconds), f"{name}_ms": int(seconds * 1000)}


def _hashed(person: Person) -> dict[str, str]:
    found = {}
    for macro in HASHED:
        name, _, how = macro.rpartition("_")
        if (value := getattr(person, name)) is not None:
            found[macro] = new(how, value.encode(), usedforsecurity=False).hexdigest()
    return found


def _extinfo(event: Event) -> list[str] | None:
    if event.platform is None:
        return None
    texts = [""] * EXTINFO_LENGTH
    texts[0] = "i2" if event.platform is Platform.IOS else "a2"
    for place, name in EXTINFO.items():
        texts[place] = getattr(event, name, None) or getattr(event.device, name, None) or ""
    return texts
