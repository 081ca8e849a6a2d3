"""An install or in-app event of one user, whoever told us of it.

This is user-level, so nothing of it leaves without consent (`mmp.consent`). What was not said is
None: never 0, never an empty text, never an id of zeros.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Any

IDENTITY_BYTES = 16

# Before an id that we made: it is a hash of what was said, of who it was among it, and whoever has
# it could try guesses.
MADE = "made:"


class Kind(StrEnum):
    """What happened."""

    INSTALL = "install"
    REINSTALL = "reinstall"
    REENGAGEMENT = "re-engagement"
    EVENT = "event"
    # What takes back what was told before.
    REJECTED = "rejected install"
    REFUND = "refund"


class Platform(StrEnum):
    IOS = "ios"
    ANDROID = "android"


class Att(StrEnum):
    """What the user of an iPhone answered to "Allow … to track your activity?".

    https://developer.apple.com/documentation/apptrackingtransparency/attrackingmanager/authorizationstatus
    """

    NOT_DETERMINED = "not_determined"
    RESTRICTED = "restricted"
    DENIED = "denied"
    AUTHORIZED = "authorized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who it was: every one of these tells one user or device from all others."""

    idfa: str | None = None
    idfv: str | None = None
    gaid: str | None = None
    android_id: str | None = None
    customer_user_id: str | None = None  # the app's own name for its user
    mmp_user_id: str | None = None  # the MMP's name for the device
    click_id: str | None = None  # the ad network's name for the click
    ip: str | None = None
    user_agent: str | None = None

    def named(self) -> dict[str, str]:
        """The identifiers there are."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """To what ad the teller gives it. `is_attributed` None: it does not say."""

    is_attributed: bool | None = None  # False: organic
    media_source: str | None = None
    agency: str | None = None
    channel: str | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None
    adset_id: str | None = None
    adset_name: str | None = None
    ad_id: str | None = None
    ad_name: str | None = None
    site_id: str | None = None
    touch_type: str | None = None  # click or view
    touched_at: datetime | None = None
    match_type: str | None = None
    is_retargeting: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What was said of consent. None is: nothing was said, which is not a yes."""

    att: Att | None = None
    limit_ad_tracking: bool | None = None  # LAT, or Android's opt-out
    gdpr_applies: bool | None = None
    ad_user_data: bool | None = None  # Google's names for the two consents of the DMA
    ad_personalization: bool | None = None
    limited_data_use: bool | None = None  # an opt-out by the law of a US state
    child_directed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What it ran on: together these tell users apart, so they are held back as identifiers are."""

    country: str | None = None  # two letters, upper case
    region: str | None = None
    os_version: str | None = None
    app_version: str | None = None
    model: str | None = None
    language: str | None = None
    sdk_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one user of an app."""

    provider: str  # who told us: appsflyer, …; own: the app's own server
    event_id: str  # the teller's id of it, or one made of what it says: a copy has the same
    kind: Kind
    name: str  # the event's name at the teller; an install is called install
    at: datetime  # when it happened

    app_id: int | None = None  # the App Store id, on iOS
    bundle_id: str | None = None  # the package's name, on Android
    platform: Platform | None = None
    installed_at: datetime | None = None

    # Negative in a refund.
    revenue: Decimal | None = None
    currency: str | None = None
    order_id: str | None = None

    person: Person = field(default_factory=Person)
    attribution: Attribution = field(default_factory=Attribution)
    signals: Signals = field(default_factory=Signals)
    device: Device = field(default_factory=Device)
    # The media source lets its data go to nobody else.
    is_restricted: bool = False
    # Of which event this takes back what it told; None where the teller does not say.
    withdraws: str | None = None

    @property
    def identity(self) -> bytes:
        """16 bytes: the same for every copy of it."""
        return identity_of(self.provider, self.event_id)

    @property
    def is_id_made(self) -> bool:
        """Whether its id is of our making, since the teller gave none."""
        return self.event_id.startswith(MADE)

    def without(self, names: Collection[str]) -> "Event":
        """The same, and nothing in the fields of these names, its own or its parts'."""
        parts = {part: getattr(self, part) for part in ("person", "attribution", "device")}
        less = {part: _emptied(of, names) for part, of in parts.items()}
        emptied: Event = _emptied(replace(self, **less), names)
        return emptied


def identity_of(provider: str, event_id: str) -> bytes:
    """The identity of the event that a provider calls so."""
    said = f"{provider}\0{event_id}".encode()
    return blake2b(said, digest_size=IDENTITY_BYTES).digest()


def _emptied(of: Any, names: Collection[str]) -> Any:
    return replace(of, **{each.name: None for each in fields(of) if each.name in names})
