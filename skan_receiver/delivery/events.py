"""Events to destinations: which are owed which, what of each stays here, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, and_, select

from skan_receiver.delivery.destinations import EventDestination
from skan_receiver.delivery.destinations.mapping import Mapped
from skan_receiver.delivery.firsts import DECISION, EVENT, HELD, IS_ITS_OWN, OWED, Firsts
from skan_receiver.delivery.owing import Owed, owe
from skan_receiver.delivery.registry import DESTINATION, hold_still, readable
from skan_receiver.errors import DeliveryFailed
from skan_receiver.mmp.consent import Decision, decide
from skan_receiver.mmp.event import Attribution, Event, Kind, identity_of
from skan_receiver.mmp.withdrawals import WITHDRAWALS
from skan_receiver.storage.clock import clock
from skan_receiver.storage.consent import standing
from skan_receiver.storage.rates import NoRate, Rates, load_rates
from skan_receiver.storage.upsert import insert_new

Batch = Sequence[tuple[int, Event]]

# What tells of an ad: no partner hears of another's. Whether it is this partner's, it may know.
OF_AN_AD = ("click_id", *(one.name for one in fields(Attribution) if one.name != "is_attributed"))
NOT_THEIRS = "it is given to no ad of the partner's"


def owe_events(connection: Connection, events: Batch) -> None:
    """Decide of each event, by its row's number, for each destination of events, and owe what may
    go; in the transaction that stored them. Once decided it stays so, whoever asks again.

    Begin that transaction with `registry.hold_still`: who changes a destination waits for it, and
    must not be waited for in the middle.
    """
    hold_still(connection)
    destinations, unreadable = _destinations(connection)
    if not events:
        return
    now = clock(connection)
    deciding = Deciding(connection, destinations, events)
    rows = [
        _row(id_, name, Decision(sends=False, reason=why), now)
        for name, why in unreadable.items()
        for id_, _ in events
    ]
    owed = []
    for id_, event in events:
        for destination in destinations:
            decision = deciding(destination, id_, event)
            rows.append(_row(id_, destination.name, decision, now))
            if decision.sends:
                owed.append(Owed(event.identity, id_, destination.name))
    insert_new(connection, DECISION, rows)
    owe(connection, owed, now)


def _destinations(connection: Connection) -> tuple[list[EventDestination], dict[str, str]]:
    """Those of events, and of those that this release cannot read the reason: an event that is
    told to us must be kept all the same."""
    entries, unreadable = readable(connection)
    known = (entry.destination for entry in entries)
    of_events = [one for one in known if isinstance(one, EventDestination)]
    theirs = select(DESTINATION.c.name).where(DESTINATION.c.kind == "event")
    names = set(connection.scalars(theirs)) if unreadable else set()
    return of_events, {name: why for name, why in unreadable.items() if name in names}


class Deciding:
    """Decides of a batch, the earlier of which the later ones know."""

    def __init__(
        self, connection: Connection, destinations: Sequence[EventDestination], events: Batch
    ) -> None:
        self._connection = connection
        self._policy = standing(connection)
        told = [
            (destination, told)
            for destination in destinations
            for _, event in events
            if (told := destination.told_as(event)) is not None
        ]
        self._firsts = Firsts(connection, {to.name for to, told in told if told.first_only})
        ranged = any(one.has_range for _, one in told)
        self._rates = _rates(connection, events) if ranged else Rates(())
        self._owed: list[tuple[str, Event]] = []

    def __call__(self, destination: EventDestination, id_: int, event: Event) -> Decision:
        """Whether it goes there, and what of it."""
        decision = self._decide(destination, id_, event)
        if decision.sends:
            self._owed.append((destination.name, event))
            self._firsts.note(destination.name, event)
        return decision

    def _decide(self, destination: EventDestination, id_: int, event: Event) -> Decision:
        refused = destination.refuses(event) or self._withdraws_nothing(destination, event)
        if refused:
            return Decision(sends=False, reason=refused)
        mapped = destination.told_as(event)
        assert mapped is not None
        if refused := self._out_of_range(mapped, event):
            return Decision(sends=False, reason=refused)
        consented = consent(destination, event, policy=self._policy)
        if not consented.sends:
            return consented
        if mapped.first_only and (refused := self._firsts.refuses(destination.name, id_, event)):
            return Decision(sends=False, reason=refused)
        return consented

    def _out_of_range(self, mapped: Mapped, event: Event) -> str:
        if not mapped.has_range:
            return ""
        try:
            value = worth(event, mapped.currency, self._rates)
        except NoRate as missing:
            return f"what it is worth decides, and {missing}: see `rates import`"
        if value is None:
            return "what it is worth decides, and it has no value"
        return "" if mapped.takes(value) else "its value is not in the mapping's range"

    def _withdraws_nothing(self, destination: EventDestination, event: Event) -> str:
        """Why it need not hear that something is taken back; empty where it has to."""
        if event.kind not in WITHDRAWALS:
            return ""
        if (which := _taken_back(event)) is None:
            return "nothing tells what this takes back"
        before = (
            select(EVENT.c.id)
            .join(DECISION, DECISION.c.event_id == EVENT.c.id)
            .where(which, EVENT.c.kind.not_in(WITHDRAWALS))
            .where(DECISION.c.destination == destination.name, DECISION.c.outcome == OWED)
            .where(IS_ITS_OWN)
        )
        known = any(name == destination.name and _is_of(event, one) for name, one in self._owed)
        if known or self._connection.execute(before).first() is not None:
            return ""
        return "it was never sent what this takes back"


def consent(destination: EventDestination, event: Event, *, policy: bool | None) -> Decision:
    """What may go there of what the mapping lets through."""
    found = decide(event, destination.vendor, policy=policy, takes_bare=destination.takes_bare)
    if not found.sends:
        return found
    return Decision(sends=True, withheld={**_others(destination, event), **found.withheld})


def withheld_now(
    destination: EventDestination, event: Event, *, policy: bool | None
) -> Mapping[str, str]:
    """What of an event that is owed stays here by the rules of now: the destination may have been
    changed since, and a policy recorded. DeliveryFailed where all of it does.
    """
    refused = destination.refuses(event)
    decision = consent(destination, event, policy=policy)
    if refused or not decision.sends:
        raise DeliveryFailed(refused or decision.reason, permanent=True, kind="gone")
    return decision.withheld


def _taken_back(event: Event) -> ColumnElement[bool] | None:
    """Which rows an event takes back, or a part of the money of."""
    if event.withdraws is not None:
        return EVENT.c.identity == identity_of(event.provider, event.withdraws)
    if event.kind is not Kind.REFUND or event.order_id is None:
        return None
    return and_(EVENT.c.order_id == event.order_id, EVENT.c.provider == event.provider)


def _is_of(what: Event, of: Event) -> bool:
    """The same of events that are not stored yet."""
    if of.kind in WITHDRAWALS or what.provider != of.provider:
        return False
    if what.withdraws is not None:
        return what.withdraws == of.event_id
    return what.order_id == of.order_id


def worth(event: Event, currency: str, rates: Rates) -> Decimal | None:
    """What it was worth in a currency, by the rates of its day; None where it says no value.

    Raises NoRate.
    """
    if event.revenue is None or currency in ("", event.currency):
        return event.revenue
    if event.currency is None:
        return None
    factor = rates.factor(event.currency, currency, event.at.date())
    return round(event.revenue * Decimal(repr(factor)), 6)


def _rates(connection: Connection, events: Batch) -> Rates:
    days = [event.at.date() for _, event in events]
    return load_rates(connection, min(days), max(days))


def _others(destination: EventDestination, event: Event) -> Mapping[str, str]:
    """What tells of somebody else's ad."""
    if destination.is_theirs(event):
        return {}
    parts = (event.person, event.attribution)
    there = [
        name for name in OF_AN_AD if any(getattr(part, name, None) is not None for part in parts)
    ]
    return dict.fromkeys(there, NOT_THEIRS)


def _row(id_: int, destination: str, decision: Decision, now: datetime) -> dict[str, object]:
    return {
        "event_id": id_,
        "destination": destination,
        "outcome": OWED if decision.sends else HELD,
        "reason": decision.reason,
        "withheld": json.dumps(decision.withheld),
        "at": now,
    }
