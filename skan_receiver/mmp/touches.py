"""To which ad an install of our own is given: the last touch, by identifiers that exist.

Nothing is guessed: no address, no user agent, no likeness of devices. On iOS that leaves few
installs to find; whatever else ads have brought, SKAdNetwork and AdAttributionKit tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from skan_receiver.mmp.consent import unlinkable
from skan_receiver.mmp.event import Att, Attribution, Event

# How Apple's own answer is marked, in place of an identifier (`mmp.apple_ads`).
APPLE_ADS = "apple_ads"
APPLE = 0  # no touch of ours has this number

# What a touch and an event call alike.
AD = ("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name", "site_id")


class TouchKind(StrEnum):
    CLICK = "click"
    VIEW = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A click on an ad, or a view of it."""

    id: int
    # None: Apple tells the time of a tap only of who lets the app track.
    at: datetime | None
    kind: TouchKind
    media_source: str
    app_id: int | None = None
    bundle_id: str | None = None

    click_id: str | None = None  # ours
    idfa: str | None = None  # in capitals
    gaid: str | None = None  # in small letters
    partner_click_id: str | None = None

    campaign_id: str | None = None
    campaign_name: str | None = None
    adset_id: str | None = None
    adset_name: str | None = None
    ad_id: str | None = None
    ad_name: str | None = None
    site_id: str | None = None

    given_to: int | None = None  # the install that it was given before


@dataclass(frozen=True, slots=True)
class Windows:
    """How long before an install a touch still counts."""

    click: timedelta = timedelta(days=7)
    view: timedelta = timedelta(days=1)

    def of(self, kind: TouchKind) -> timedelta:
        return self.click if kind is TouchKind.CLICK else self.view


@dataclass(frozen=True, slots=True)
class Loser:
    """A touch that the install was not given to."""

    touch: Touch
    why: str


@dataclass(frozen=True, slots=True)
class Attributed:
    """To whom an install is given, if to anybody, and why."""

    winner: Touch | None
    reason: str
    losers: tuple[Loser, ...] = ()
    by: str = ""  # the identifier that the winner was found by


def attribute(install: Event, touches: Sequence[Touch], windows: Windows) -> Attributed:
    """Give an install to the last touch of those that tell the same identifier.

    1. What the app's server says itself stands.
    2. Touches count that are of the app, within their window before the install, found by an
       identifier that may be used, and not given to another install.
    3. A click outweighs a view, and what is known to be later what is earlier or without a time;
       of two at once the one with the higher number.
    """
    # 1.
    if told := _told(install):
        return Attributed(None, told)

    # 2.
    claim = _apples(install)
    known = usable(install)
    candidates = [*(touches if known else ()), *([claim] if claim else ())]
    refused = {touch.id: _refuses(install, touch, known, windows) for touch in candidates}

    # 3.
    ranked = sorted(candidates, key=_rank, reverse=True)
    winner = next((touch for touch in ranked if not refused[touch.id]), None)
    losers = tuple(
        Loser(touch, refused[touch.id] or _outweighed(touch, winner))
        for touch in ranked
        if touch is not winner
    )
    if winner is None:
        return Attributed(None, _nobody(install, known, losers), losers)
    by = APPLE_ADS if winner.id == APPLE else _same(winner, known)
    return Attributed(winner, _won(winner, by, windows), losers, by)


def usable(install: Event) -> Mapping[str, str]:
    """The identifiers by which a touch may be looked for, as touches have them."""
    if unlinkable(install):
        return {}
    said, person = install.signals, install.person
    found = {
        # Our own, which the app's server or Play's install referrer brought back.
        "click_id": person.click_id,
        "idfa": person.idfa and person.idfa.upper() if said.att is Att.AUTHORIZED else None,
        "gaid": person.gaid and person.gaid.lower() if said.limit_ad_tracking is False else None,
    }
    return {name: value for name, value in found.items() if value}


def given(install: Event, to: Attributed) -> Event:
    """The install, given to its winner: the click id is then the partner's, which it knows."""
    winner = to.winner
    if winner is None or winner.id == APPLE:
        return install
    attribution = Attribution(
        is_attributed=True,
        media_source=winner.media_source,
        touch_type=winner.kind.value,
        touched_at=winner.at,
        match_type=to.by,
        **{name: getattr(winner, name) for name in AD},
    )
    person = replace(install.person, click_id=winner.partner_click_id)
    return replace(install, attribution=attribution, person=person)


def inherited(event: Event, install: Event) -> Event:
    """An event of the user whose install was given to an ad."""
    person = replace(event.person, click_id=install.person.click_id)
    return replace(event, attribution=install.attribution, person=person)


def says_nothing(event: Event) -> bool:
    """Whether its teller does not say to what ad it is given."""
    said = event.attribution
    return all(getattr(said, each.name) is None for each in fields(Attribution))


def moment_of(install: Event) -> datetime:
    """When it was installed."""
    return install.installed_at or install.at


def _told(install: Event) -> str:
    said = install.attribution
    if said.match_type == APPLE_ADS:
        return ""
    if said.media_source is not None:
        return f"the app's server gives it to {said.media_source} itself"
    return "the app's server says that it is organic" if said.is_attributed is False else ""


def _apples(install: Event) -> Touch | None:
    """What Apple says of its own ads, as a touch among others."""
    said = install.attribution
    if said.match_type != APPLE_ADS or said.media_source is None:
        return None
    # Apple rounds to the minute, which may be past the install.
    at = said.touched_at and min(said.touched_at, moment_of(install))
    return Touch(
        id=APPLE,
        at=at,
        kind=TouchKind(said.touch_type or TouchKind.CLICK),
        media_source=said.media_source,
        app_id=install.app_id,
        **{name: getattr(said, name) for name in AD},
    )


def _refuses(install: Event, touch: Touch, known: Mapping[str, str], windows: Windows) -> str:
    """Why a touch cannot win; empty where it can."""
    if touch.id != APPLE:
        if not _is_of_the_app(install, touch):
            return "it is of another app"
        if not _same(touch, known):
            return "no identifier that may be used is the same"
        if touch.given_to is not None:
            return f"install {touch.given_to} was given to it"
    if touch.at is None:
        return ""
    if touch.at > (installed := moment_of(install)):
        return "it came after the install"
    if installed - touch.at > (window := windows.of(touch.kind)):
        return f"a {touch.kind} counts for {_span(window)}"
    return ""


def _is_of_the_app(install: Event, touch: Touch) -> bool:
    on_ios = touch.app_id is not None and touch.app_id == install.app_id
    return on_ios or (touch.bundle_id is not None and touch.bundle_id == install.bundle_id)


def _same(touch: Touch, known: Mapping[str, str]) -> str:
    """The name of the identifier that both have."""
    return next((name for name, value in known.items() if getattr(touch, name) == value), "")


def _rank(touch: Touch) -> tuple[bool, float, int]:
    at = float("-inf") if touch.at is None else touch.at.timestamp()
    return touch.kind is TouchKind.CLICK, at, touch.id


def _outweighed(touch: Touch, winner: Touch | None) -> str:
    assert winner is not None  # it is not refused, so it or another has won
    if touch.kind is not winner.kind:
        return "a click outweighs a view"
    return "its time is not known" if touch.at is None else "it is not the last"


def _won(winner: Touch, by: str, windows: Windows) -> str:
    if by == APPLE_ADS:
        return f"Apple says that its ad led to the install ({winner.kind})"
    return f"the last {winner.kind} within {_span(windows.of(winner.kind))}, by {by}"


def _nobody(install: Event, known: Mapping[str, str], losers: tuple[Loser, ...]) -> str:
    if losers:
        return "no touch counts"
    if known:
        return f"no touch has its {' or '.join(known)}"
    return unlinkable(install) or "it has no identifier that may be used: click_id, idfa, gaid"


def _span(window: timedelta) -> str:
    days = window / timedelta(days=1)
    return f"{days:g} day" if days == 1 else f"{days:g} days"
