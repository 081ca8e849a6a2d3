"""Which events are owed to which destinations, and why the others are not."""

import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from skan_receiver.config import Settings
from skan_receiver.delivery import documents, registry
from skan_receiver.delivery.events import owe_events
from skan_receiver.delivery.save import Mistakes, checked
from skan_receiver.mmp.event import Att, Attribution, Event, Kind, Person, Platform, Signals
from skan_receiver.storage import Store
from skan_receiver.storage.consent import record
from skan_receiver.storage.rates import Quote, import_rates
from tests.delivery.eventing import (
    ANDROID,
    ATTRIBUTION,
    Intake,
    destination,
    purchase,
)

URL = "https://acme.example/pb?event={event}"
ORGANIC = Attribution(is_attributed=False, media_source="organic")
OTHERS = replace(ATTRIBUTION, media_source="other_int")


def decided(store: Store, event: Event, **fields: Any) -> tuple[str, str, Any]:
    """What was decided of an event for a destination: outcome, reason, withheld."""
    intake = Intake(store)
    intake.define(destination(URL, **fields))
    intake.take(event)
    return intake.decisions()[event.event_id, "acme"]


REFUSED: list[tuple[Event, dict[str, Any], str]] = [
    (purchase(), {"already_sent_by_mmp": True}, "it would count twice"),
    (purchase(), {"apps": [1]}, "it is of another app"),
    (purchase(), {"bundle_ids": ["com.other"]}, "it is of another app"),
    (purchase(), {"platform": "android"}, "it is not of android"),
    (purchase(attribution=ORGANIC), {}, "`attributed` is `only`"),
    (purchase(attribution=OTHERS), {}, "`attributed` is `only`"),
    (purchase(attribution=Attribution()), {}, "`attributed` is `only`"),
    (
        purchase(attribution=OTHERS, is_restricted=True),
        {"attributed": "all"},
        "its media source lets its data go to nobody else",
    ),
    (purchase(name="af_login"), {}, "'af_login' (event) is not in the mapping"),
    (purchase(kind=Kind.INSTALL, name="install"), {}, "'install' (install) is not in the mapping"),
    (purchase(signals=Signals(att=Att.DENIED)), {}, "takes no event that tells of nobody"),
    (
        purchase(platform=Platform.ANDROID, person=ANDROID, signals=Signals()),
        {},
        "no policy of the owner's is recorded",
    ),
]


@pytest.mark.parametrize(("event", "fields", "reason"), REFUSED)
def test_an_event_that_is_not_sent_has_a_reason(
    store: Store, event: Event, fields: dict[str, Any], reason: str
) -> None:
    """In words, beside the event; and nothing is owed."""
    outcome, why, _ = decided(store, event, **fields)
    assert (outcome, reason in why) == ("held", True), why
    assert Intake(store).books.deliveries() == []


OWED: list[tuple[Event, dict[str, Any]]] = [
    (purchase(), {"apps": [525463029]}),
    (purchase(), {"bundle_ids": ["com.example.game"], "apps": [1]}),
    (purchase(), {"media_sources": ["Other", "ACME_INT"]}),
    (purchase(attribution=ORGANIC), {"attributed": "all"}),
    (purchase(is_restricted=True), {}),
    (purchase(name="af_login"), {"events": ["*"]}),
    (purchase(kind=Kind.INSTALL, name="install"), {"installs": "install"}),
    (purchase(kind=Kind.REINSTALL, name="reinstall"), {"reinstalls": "reinstall"}),
    (purchase(kind=Kind.REENGAGEMENT, name="re"), {"reengagements": "back"}),
]


@pytest.mark.parametrize(("event", "fields"), OWED)
def test_an_event_that_is_mapped_is_owed(
    store: Store, event: Event, fields: dict[str, Any]
) -> None:
    """Once, under the number of its row."""
    outcome, reason, _ = decided(store, event, **fields)
    assert (outcome, reason) == ("owed", "")
    (owed,) = Intake(store).books.deliveries()
    assert (owed.identity, owed.stored_id, owed.state) == (event.identity, 1, "owed")


def test_nobody_hears_of_anothers_ad(store: Store) -> None:
    """Who is sent everybody's events is not told which other network won, nor its click id."""
    event = purchase(attribution=OTHERS)
    _, _, withheld = decided(store, event, attributed="all")
    assert set(withheld.values()) == {"it is given to no ad of the partner's"}
    assert {"click_id", "media_source", "campaign_id", "site_id"} <= withheld.keys()
    assert not {"idfa", "is_attributed"} & withheld.keys()


def test_the_policy_that_stands_at_the_time_decides(store: Store) -> None:
    """A later one changes nothing of what was decided, and the last one stands."""
    android = {"platform": Platform.ANDROID, "person": ANDROID, "signals": Signals()}
    intake = Intake(store)
    intake.define(destination(URL))
    intake.take(purchase("e-1", **android))
    record(store, allows=True, author="Mia", reason="reviewed")
    intake.take(purchase("e-2", **android))
    record(store, allows=False, author="Mia", reason="changed our mind")
    intake.take(purchase("e-3", **android))
    assert "no policy" in intake.reason("e-1")
    assert intake.reason("e-2") == ""
    assert "policy denies it" in intake.reason("e-3")


def first(event_id: str, **person: Any) -> Event:
    return purchase(event_id, person=Person(**person))


def test_only_a_users_first_is_sent(store: Store) -> None:
    """Whichever of his identifiers an event comes with, in one batch or in several; another user's,
    and the same in another app, are others."""
    intake = Intake(store)
    intake.define(destination(URL, first_only=True))
    intake.take(
        first("a1", idfv="A", customer_user_id="anna"),
        first("a2", customer_user_id="anna"),
        first("b1", idfv="B"),
    )
    intake.take(first("a3", idfv="A"), first("a4", idfa="X", customer_user_id="anna"))
    intake.take(replace(first("c1", idfv="A"), app_id=2))
    sent = {key[0] for key, said in intake.decisions().items() if said[0] == "owed"}
    assert sent == {"a1", "b1", "c1"}
    assert intake.reason("a3") == "only a user's first is sent, and this is not the first"


def test_what_was_held_is_nobodys_first(store: Store) -> None:
    """The first that may be sent is sent."""
    intake = Intake(store)
    intake.define(destination(URL, first_only=True))
    held = replace(first("a1", idfv="A"), signals=Signals(att=Att.DENIED))
    intake.take(held, first("a2", idfv="A"))
    assert intake.reason("a2") == ""


def test_what_tells_of_nobody_may_be_anybodys_second(store: Store) -> None:
    """An address is of many: by it nobody is told."""
    intake = Intake(store)
    intake.define(destination(URL, first_only=True))
    intake.take(first("a1", ip="203.0.113.7"))
    assert "nothing tells whose this is" in intake.reason("a1")


def test_an_mmps_name_of_a_device_is_its_own(store: Store) -> None:
    """The same text at another MMP is of somebody else."""
    intake = Intake(store)
    intake.define(destination(URL, first_only=True))
    intake.take(first("a1", mmp_user_id="7"), replace(first("b1", mmp_user_id="7"), provider="x"))
    assert intake.reason("b1") == ""


def test_of_two_intakes_at_once_one_has_the_first(store: Store) -> None:
    """However they are interleaved."""
    intake = Intake(store)
    intake.define(destination(URL, first_only=True))
    begin = threading.Barrier(4)

    def take(number: int) -> None:
        begin.wait()
        for turn in range(5):
            intake.take(first(f"{number}-{turn}", idfv="A"))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [said[0] for said in intake.decisions().values()]
    assert (outcomes.count("owed"), len(outcomes)) == (1, 20)


RANGE = [{"name": "af_purchase", "currency": "EUR", "min_value": 5, "max_value": 8.5}]


@pytest.mark.parametrize(
    ("revenue", "currency", "reason"),
    [
        ("9.99", "USD", ""),
        ("11", "USD", "its value is not in the mapping's range"),
        ("5", "EUR", ""),
        ("4.99", "EUR", "its value is not in the mapping's range"),
        ("9", "JPY", "there is no rate of JPY for 2026-11-23"),
        (None, None, "it has no value"),
    ],
)
def test_a_value_decides_in_the_currency_it_is_given_in(
    store: Store, revenue: str | None, currency: str | None, reason: str
) -> None:
    """By the rates of the event's day."""
    quotes = [Quote(base="EUR", currency="USD", day=date(2026, 11, 23), rate=1.25)]
    import_rates(store, quotes)
    amount = None if revenue is None else Decimal(revenue)
    _, why, _ = decided(store, purchase(revenue=amount, currency=currency), events=RANGE)
    assert reason in why
    assert bool(why) is bool(reason)


def refund(event_id: str = "r-1", withdraws: str | None = "e-1", **fields: Any) -> Event:
    return purchase(event_id, kind=Kind.REFUND, withdraws=withdraws, **fields)


def test_a_refund_follows_what_it_takes_back(store: Store) -> None:
    """To whom that was sent and nobody else, whoever it is given to by then."""
    intake = Intake(store)
    both = {"withdrawals": "Refund"}
    intake.define(destination(URL, **both), destination(URL, "second", apps=[1], **both))
    intake.take(purchase())
    intake.take(refund(attribution=Attribution()), refund("r-2", "never-told"))
    said = intake.decisions()
    assert said["r-1", "acme"][0] == "owed"
    assert "of another app" in said["r-1", "second"][1]
    assert said["r-2", "acme"][1] == "it was never sent what this takes back"


def test_a_part_of_the_money_is_known_by_the_order(store: Store) -> None:
    """Who tells neither an event nor an order tells nothing that a partner could use."""
    intake = Intake(store)
    intake.define(destination(URL, withdrawals="Refund"))
    intake.take(purchase())
    part = {"revenue": Decimal(-1)}
    intake.take(refund("r-1", None, **part), refund("r-2", None, order_id="other", **part))
    intake.take(refund("r-3", None, order_id=None, **part))
    assert intake.reason("r-1") == ""
    assert intake.reason("r-2") == "it was never sent what this takes back"
    assert intake.reason("r-3") == "nothing tells what this takes back"


def test_a_refund_in_the_same_batch_is_told_too(store: Store) -> None:
    """As MMPs repeat what they could not deliver."""
    intake = Intake(store)
    intake.define(destination(URL, withdrawals="Refund"))
    intake.take(purchase(), refund())
    assert intake.reason("r-1") == ""


def test_what_was_decided_stays(store: Store) -> None:
    """Deciding again of the same row changes nothing, and owes nothing twice."""
    intake = Intake(store)
    intake.define(destination(URL))
    (id_,) = intake.take(purchase())
    again = purchase(signals=Signals(att=Att.DENIED))
    store.write(lambda connection: owe_events(connection, [(id_, again)]))
    assert intake.reason() == ""
    assert len(intake.books.deliveries()) == 1


def test_a_destination_that_cannot_be_read_stops_no_intake(store: Store) -> None:
    """What an MMP tells is kept; the destination's share is held, with the reason."""
    intake = Intake(store)
    intake.define(destination(URL), destination(URL, "spoilt"))
    spoil = (
        update(registry.DESTINATION)
        .where(registry.DESTINATION.c.name == "spoilt")
        .values(definition='{"name": "spoilt", "kind": "event", "url": 7}')
    )
    store.write(lambda connection: connection.execute(spoil))
    intake.take(purchase())
    assert intake.reason() == ""
    assert "cannot be read" in intake.reason(destination="spoilt")


def check(written: Any) -> None:
    checked(written, Settings(), resolve=lambda *_: ["93.184.215.14"])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"already_sent_by_mmp": None}, "already_sent_by_mmp: does an MMP send these"),
    ({"media_sources": []}, "media_sources: say what the MMP calls the partner"),
    ({"events": []}, "events: nothing would be sent"),
    ({"events": ["a", "a=b"]}, "events: 'a' has two lines"),
    ({"events": [{"name": "a", "min_value": 1}]}, "currency: say in which"),
    ({"events": ["*=x"]}, "to: `*` is sent under each event's own name"),
    ({"endpoints": ["network"]}, "endpoints: events of users have none"),
    ({"frameworks": ["skadnetwork"]}, "frameworks: events of users have none"),
    ({"url": {"skadnetwork": URL}}, "url: events of users have no framework"),
    ({"body": {"a": "{event}"}}, "body: a GET has none"),
    ({"url": "https://a.example/?x={fine_value}"}, "fine_value"),
    ({"vendor": "aol"}, "vendor"),
]


@pytest.mark.parametrize(("fields", "said"), WRONG)
def test_what_is_wrong_is_named(fields: dict[str, Any], said: str) -> None:
    """With the remedy, before anything is saved."""
    good = destination(URL).model_dump(mode="json", exclude_defaults=True)
    with pytest.raises(Mistakes) as raised:
        check({"kind": "event", **good, **fields})
    assert said in str(raised.value)


def test_no_other_kind_can_name_a_user() -> None:
    """A result of SKAdNetwork carries none, whatever a template says."""
    decoded = {"name": "a", "kind": "decoded", "partner": "own"}
    with pytest.raises(Mistakes, match="identifies a device"):
        check({**decoded, "url": "https://a.example/?x={idfa}"})
    with pytest.raises(Mistakes, match="only destinations of the kind event have this macro"):
        check({**decoded, "url": "https://a.example/?x={order_id}"})


def test_a_destination_of_events_goes_into_yaml_and_out(store: Store) -> None:
    """With every line of its mapping."""
    lines = ["af_login=login", {"name": "af_purchase", "currency": "EUR", "min_value": 5.5}, "*"]
    Intake(store).define(destination("https://93.184.215.14/pb", events=lines, vendor="meta"))
    with store.read() as connection:
        (entry,) = registry.entries(connection)
    ((back, _),) = documents.read(documents.write([entry]), Settings())
    assert back == entry.destination
