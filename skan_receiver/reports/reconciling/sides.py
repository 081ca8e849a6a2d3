"""Both sides, and by which terms each dates what it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from skan_receiver.conversion.timing import HOUR, installed, usual_install
from skan_receiver.mmp.statements.format import ARRIVAL, INSTALLED
from skan_receiver.reports.reconciling.reasons import Reason
from skan_receiver.storage.columns import hour_of

Key = tuple[object, ...]
Stratum = tuple[int, str | None]  # an app, and a network where the statement names them


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A line of the statement."""

    day: date
    app_id: int
    ad_network_id: str | None = None
    postback_id: str | None = None
    window: int | None = None
    kind: str = "install"
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A postback of ours."""

    postback_id: str
    received_at: datetime
    app_id: int
    ad_network_id: str
    version: str = ""
    window: int = 0
    standing: Reason | None = None  # why it is no install; None where it is one
    forwarded: bool = False  # delivered to a destination of theirs


@dataclass(frozen=True, slots=True)
class Frame:
    """How something is dated: in which time zone, and by its arrival or its usual install."""

    zone: tzinfo = UTC
    basis: str = ARRIVAL

    def day(self, received_at: datetime, version: str, window: int) -> date:
        """The day of what arrived then."""
        if self.basis == INSTALLED:
            received_at -= usual_install(version, window)
        return received_at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the statement says of itself."""

    frame: Frame = field(default_factory=Frame)
    first: date
    last: date
    # Apps and networks it has lines of, and those of them where each line has an id.
    strata: frozenset[Stratum]
    by_id: frozenset[Stratum] = frozenset()
    names_networks: bool = True
    # Of a network with several ids the one its lines have.
    aliases: Mapping[str, str] = field(default_factory=dict)
    has_destinations: bool = False

    def covers(self, day: date) -> bool:
        """Whether it speaks of that day."""
        return self.first <= day <= self.last

    def network(self, ad_network_id: str | None) -> str | None:
        """As its lines name that network."""
        if not self.names_networks or ad_network_id is None:
            return None
        return self.aliases.get(ad_network_id, ad_network_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is looked at, and how we date it. Only what the statement has lines of is compared."""

    terms: Terms
    frame: Frame = field(default_factory=Frame)
    first: date
    last: date
    by: tuple[str, ...] = ()
    apps: frozenset[int] | None = None
    networks: frozenset[str] | None = None

    def key(self, day: date, app_id: int, ad_network_id: str | None) -> Key | None:
        """The group of what is dated and named so; None where it is out of sight."""
        if not self.first <= day <= self.last or not self.sees((app_id, ad_network_id)):
            return None
        named = {"day": day, "app_id": app_id, "ad_network_id": ad_network_id}
        return tuple(named[name] for name in self.by)

    def sees(self, stratum: Stratum) -> bool:
        """Whether an app and network are compared."""
        app_id, network = stratum
        return (
            stratum in self.terms.strata
            and (self.apps is None or app_id in self.apps)
            and (self.networks is None or network is None or network in self.networks)
        )

    def claimed(self, claim: Claim) -> Key | None:
        """The group of a line of theirs."""
        return self.key(claim.day, claim.app_id, claim.ad_network_id)

    def held(self, held: Held) -> Key | None:
        """The group of a postback of ours that is compared by its id."""
        network = self.terms.network(held.ad_network_id)
        if (held.app_id, network) not in self.terms.by_id:
            return None
        return self.key(self.day(held), held.app_id, network)

    def day(self, held: Held) -> date:
        """The day we count it on."""
        return self.frame.day(held.received_at, held.version, held.window)

    def why_dated(self, claim: Claim, held: Held) -> Reason:
        """Why a line has another day than our postback of the same id."""
        theirs = self.terms.frame
        arrived = Frame(theirs.zone).day(held.received_at, held.version, held.window)
        if claim.day == arrived:
            return Reason.TIME_ZONE
        if theirs.basis == INSTALLED and claim.day in _installed(held, theirs.zone):
            return Reason.DATE_BASIS
        return Reason.OTHER_DATES

    def why_missing(self, held: Held) -> Reason:
        """Why the statement has no line of what we count."""
        theirs = self.terms.frame
        arrived = held.received_at, held.version, held.window
        if not self.terms.covers(theirs.day(*arrived)):
            if theirs.basis == INSTALLED and self.terms.covers(Frame(theirs.zone).day(*arrived)):
                return Reason.DATE_BASIS
            return Reason.TIME_ZONE if self.terms.covers(self.day(held)) else Reason.OUTSIDE
        if not self.terms.has_destinations:
            return Reason.MISSING
        return Reason.FORWARDED if held.forwarded else Reason.NEVER_FORWARDED


def _installed(held: Held, zone: tzinfo) -> "_Days":
    """The days on which it can have been installed; a retry may have made it late."""
    when = installed(held.version, held.window, hour_of(held.received_at), retries=True)
    last = (when.end - HOUR).astimezone(zone).date()
    return _Days(when.start.astimezone(zone).date(), last)


@dataclass(frozen=True, slots=True)
class _Days:
    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def frames(terms: Terms, own: Frame) -> Sequence[Frame]:
    """How theirs may be dated: as they say, and in case that is not so, by parts of it."""
    theirs = terms.frame
    each = (theirs, Frame(theirs.zone), Frame(own.zone, theirs.basis), own)
    return tuple(dict.fromkeys(each))
