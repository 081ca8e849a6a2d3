"""What of an event may go to whom, and why the rest may not. All of it is in this file.

An unknown consent is a no. Rules are tried in the order of the tables, and the first reason is the
one that is told:

    HOLDS      nothing goes out
    WITHHOLDS  what tells of the user stays here; what is left goes to whom `VENDORS` says takes it

What this rests on is in docs/consent.md, rule by rule.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from skan_receiver.mmp.event import Att, Attribution, Device, Event, Person, Platform, Signals

# Where the GDPR holds, or a law made after it: the EEA and its outermost regions, the United
# Kingdom with its islands and Gibraltar, Switzerland. EL and UK are what the Union, and some MMPs,
# call Greece and the United Kingdom.
_GDPR = """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
    IS LI NO GB CH EL UK
    AX GF GI GG GP IM JE MF MQ RE SJ YT
"""
GDPR_COUNTRIES = frozenset(_GDPR.split())
# ISO 3166-1's two letters, without those that it leaves to users (XX, ZZ, …; XK is Kosovo), and
# without EU and AP, by which look-up tables of addresses mean a continent.
_COUNTRY = re.compile("(?!AA|AP|EU|Q[M-Z]|X(?!K)|ZZ)[A-Z]{2}")

# Each of these tells users apart, by itself or with others, or says what ad somebody saw.
PERSONAL = (
    *(each.name for each in fields(Person)),
    *(each.name for each in fields(Attribution)),
    *(each.name for each in fields(Device)),
    "installed_at",
    "order_id",
)
# What may go without a consent to track: what happened, when, what it was worth, in which app; and
# what was said of consent, which partners have to be told.
PLAIN = (
    *("kind", "name", "at", "revenue", "currency", "app_id", "bundle_id", "platform"),
    *(each.name for each in fields(Signals)),
)


class Vendor(StrEnum):
    """Whose rules a destination goes by."""

    GOOGLE = "google"
    META = "meta"
    TIKTOK = "tiktok"
    SNAP = "snap"
    NETWORK = "network"  # anybody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a vendor takes, and what it can be told."""

    title: str
    # Takes an event that tells of nobody, by its own documents.
    takes_bare: bool
    # Can be told of an opt-out by the law of a US state: LDU, limited_data_use.
    hears_limited_use: bool
    # Can be told that ads may not be personalised: ad_personalization=0.
    hears_no_personalization: bool


VENDORS: Mapping[Vendor, Rules] = {
    # Requires rdid, a User-Agent and the device's address of every request.
    # https://developers.google.com/app-conversion-tracking/api/request-response-specs
    Vendor.GOOGLE: Rules(
        title="Google", takes_bare=False, hears_limited_use=False, hears_no_personalization=True
    ),
    # https://developers.facebook.com/docs/marketing-api/conversions-api/app-events
    Vendor.META: Rules(
        title="Meta", takes_bare=True, hears_limited_use=True, hears_no_personalization=False
    ),
    # att_status DENIED is one of its values, and no identifier is required.
    Vendor.TIKTOK: Rules(
        title="TikTok", takes_bare=True, hears_limited_use=True, hears_no_personalization=False
    ),
    # Wants an advertising id, or an address and a user agent, where there is no e-mail address.
    Vendor.SNAP: Rules(
        title="Snap", takes_bare=False, hears_limited_use=True, hears_no_personalization=False
    ),
    Vendor.NETWORK: Rules(
        title="the partner",
        takes_bare=False,
        hears_limited_use=False,
        hears_no_personalization=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an event goes to a destination, and what of it stays here: field -> reason."""

    sends: bool
    reason: str = ""  # why it is held
    withheld: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules look at."""

    event: Event
    vendor: Rules
    policy: bool | None  # the owner's, where no law and no platform decides; None: none recorded
    takes_bare: bool

    @property
    def said(self) -> Signals:
        return self.event.signals

    @property
    def gdpr(self) -> bool | None:
        return under_gdpr(self.event)

    @property
    def by_att(self) -> bool:
        """Whether Apple's question decides: but on Android, for all that is known."""
        return self.event.platform is not Platform.ANDROID

    @property
    def by_policy(self) -> bool:
        """Whether nobody but the owner decides; where the platform is not known, he as well."""
        asked = self.event.platform is Platform.IOS or self.said.att is not None
        return self.gdpr is False and not (asked and self.by_att)


Reason = Callable[[Case], str]


def decide(
    event: Event, vendor: Vendor, *, policy: bool | None, takes_bare: bool = False
) -> Decision:
    """What may become of an event. `takes_bare`: the contract with the partner lets events go to it
    that tell of nobody; where its documents do, it need not be said."""
    rules = VENDORS[vendor]
    case = Case(event, rules, policy, rules.takes_bare or takes_bare)
    if held := _first(HOLDS, case):
        return Decision(sends=False, reason=held)
    why = _first(WITHHOLDS, case)
    if not why:
        return Decision(sends=True)
    if not case.takes_bare:
        held = f"{why}; and {rules.title} takes no event that tells of nobody"
        return Decision(sends=False, reason=held)
    return Decision(sends=True, withheld=dict.fromkeys(_there(event), why))


def unlinkable(event: Event) -> str:
    """Why an ad that somebody touched may not be linked with what he did; empty where it may.

    Inside this house, so that neither a vendor nor the owner's policy, which are about what goes
    out, has a say.
    """
    return _first(LINKS, Case(event, VENDORS[Vendor.NETWORK], policy=None, takes_bare=False))


def under_gdpr(event: Event) -> bool | None:
    """Whether the GDPR or its like holds for the user; None where nothing tells.

    Where the country says that it holds, it does, whatever else is said.
    """
    country = (event.device.country or "").strip().upper()
    if event.signals.gdpr_applies or country in GDPR_COUNTRIES:
        return True
    known = event.signals.gdpr_applies is False or _COUNTRY.fullmatch(country)
    return False if known else None


def _child(case: Case) -> str:
    # COPPA, 16 CFR 312; Apple's and Google's rules for apps for children.
    return (
        "the app is for children: nothing goes to ad networks" if case.said.child_directed else ""
    )


def _no_consent(case: Case) -> str:
    """GDPR, Articles 6 and 7, and the ePrivacy Directive, Article 5(3)."""
    if case.gdpr is False or case.said.ad_user_data:
        return ""
    law = "where the user is is not known, so the GDPR holds" if case.gdpr is None else "GDPR"
    denied = case.said.ad_user_data is False
    return f"{law}: consent to use data for ads {'was denied' if denied else 'is not known'}"


def _opted_out(case: Case) -> str:
    if not case.said.limited_data_use or case.vendor.hears_limited_use:
        return ""
    return f"opted out by the law of a US state, and {case.vendor.title} cannot be told so"


def _no_policy(case: Case) -> str:
    if not case.by_policy or case.policy:
        return ""
    if case.policy is False:
        return "the owner's policy denies it: see `events policy show`"
    return (
        "neither a law nor the platform decides, and no policy of the owner's is recorded: "
        "`events policy allow --reason … --author …`, or `deny`"
    )


def _not_authorized(case: Case) -> str:
    """https://developer.apple.com/app-store/user-privacy-and-data-use/: without permission, no
    identifier and nothing derived from a device goes to other companies."""
    if not case.by_att or case.said.att is Att.AUTHORIZED:
        return ""
    status = case.said.att.replace("_", " ") if case.said.att else "not known"
    return f"App Tracking Transparency: the status is {status}, not authorized"


def _limited(case: Case) -> str:
    return "the user limits ad tracking on the device" if case.said.limit_ad_tracking else ""


def _not_personalized(case: Case) -> str:
    if case.gdpr is False or case.said.ad_personalization or case.vendor.hears_no_personalization:
        return ""
    denied = case.said.ad_personalization is False
    return (
        f"GDPR: consent to personalised ads {'was denied' if denied else 'is not known'}, and "
        f"{case.vendor.title} cannot be told so"
    )


# The tables of contents: a rule is a function and a line.
HOLDS: tuple[Reason, ...] = (_child, _no_consent, _opted_out, _no_policy)
WITHHOLDS: tuple[Reason, ...] = (_not_authorized, _limited, _not_personalized)
LINKS: tuple[Reason, ...] = (_child, _no_consent, _not_authorized)


def _first(rules: tuple[Reason, ...], case: Case) -> str:
    return next(filter(None, (rule(case) for rule in rules)), "")


def _there(event: Event) -> list[str]:
    """The personal fields that the event has."""
    parts = (event, event.person, event.attribution, event.device)
    return [
        name for name in PERSONAL if any(getattr(part, name, None) is not None for part in parts)
    ]
