"""What is sent of an event, and what is written down of it."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from skan_receiver.delivery.destinations import EventDestination
from skan_receiver.delivery.event_facts import WHO as WHO_IT_WAS
from skan_receiver.delivery.event_facts import identifying, of_event
from skan_receiver.delivery.registry import find
from skan_receiver.delivery.templates import Values
from skan_receiver.delivery.templates.macros import HASHED, KINDS, SENDING
from skan_receiver.delivery.templates.url import without_empty
from skan_receiver.delivery.trial import subject, trial
from skan_receiver.delivery.trial_events import NothingToSend, made_up
from skan_receiver.mmp.consent import PERSONAL
from skan_receiver.mmp.event import Att, Event, Kind, Platform, Signals
from skan_receiver.storage import Store
from skan_receiver.storage.event_rows import row_of
from skan_receiver.storage.rates import Quote, Rates, import_rates
from tests.delivery.eventing import (
    ANDROID,
    EVENT,
    PURCHASE,
    Intake,
    destination,
    purchase,
    work,
)
from tests.delivery.eventing import (
    PERSON as WHO,
)
from tests.delivery.owing import sender
from tests.sink import Received, sink

NAMED = ("idfa", "idfv", "customer_user_id", "mmp_user_id", "click_id", "ip", "order_id")


def query(got: Received) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(got.path).query).items()}


def row(event: Event, withheld: Any = ()) -> Any:
    said = {"withdrawn_by": None, "withheld": json.dumps(dict.fromkeys(withheld, "a reason"))}
    return type("Row", (), {**row_of(event), **said})


def values(event: Event, withheld: Any = (), **fields: Any) -> Values:
    to = destination("https://a.example/", **fields)
    return of_event(row(event, withheld), to, lambda _: Rates(()), event.identity)


def test_every_macro_has_a_value_and_no_value_is_without_a_macro() -> None:
    """Of an event that says everything."""
    told = Signals(
        att=Att.AUTHORIZED, limit_ad_tracking=False, gdpr_applies=False, ad_user_data=True,
        ad_personalization=True, limited_data_use=True,
    )  # fmt: skip
    full = replace(
        PURCHASE,
        signals=told,
        person=replace(WHO, gaid=ANDROID.gaid, android_id="9774d56d682e549c"),
        attribution=replace(PURCHASE.attribution, agency="a", channel="c", adset_name="n",
                            ad_name="n"),
    )  # fmt: skip
    found = {name for name, value in values(full).items() if value is not None}
    offered = {name for table in KINDS["event"] for name in table} - SENDING.keys()
    assert found - {"touched_at_ms"} == offered


@given(withheld=st.sets(st.sampled_from(PERSONAL)))
def test_what_is_withheld_is_in_no_value(withheld: set[str]) -> None:
    """Neither itself, nor a hash, nor a part of a list: whatever a template names."""
    for event in (PURCHASE, replace(PURCHASE, person=ANDROID, platform=Platform.ANDROID)):
        told = json.dumps(values(event, withheld))
        parts = (event, event.person, event.attribution, event.device)
        for name in withheld - {"is_attributed", "is_retargeting", "country", "region"}:
            secret = next((getattr(part, name) for part in parts if hasattr(part, name)), None)
            if isinstance(secret, str) and secret not in ("click", "acme_int"):
                assert secret not in told
        for key, value in identifying(row(event), WHO_IT_WAS).items():
            name = key.partition(" ")[0]
            if name.rpartition("_")[0] in withheld and name in HASHED:
                assert value not in told


def test_times_are_told_in_each_form() -> None:
    """Seconds, thousandths, and Google's six decimals."""
    told = values(PURCHASE)
    assert told["event_time"] == "2026-11-23T12:04:05.250000Z"
    assert told["event_time_s"] == 1795435445
    assert told["event_time_ms"] == 1795435445250
    assert told["event_time_us"] == "1795435445.250000"


@pytest.mark.parametrize(
    ("platform", "signals", "tracking"),
    [
        (Platform.IOS, Signals(att=Att.AUTHORIZED), 1),
        (Platform.IOS, Signals(att=Att.AUTHORIZED, limit_ad_tracking=True), 0),
        (Platform.IOS, Signals(att=Att.DENIED), 0),
        (Platform.IOS, Signals(), 0),
        (Platform.ANDROID, Signals(), 0),
        (Platform.ANDROID, Signals(limit_ad_tracking=False), 1),
        (None, Signals(), 0),
    ],
)
def test_tracking_that_is_not_known_is_none(
    platform: Platform | None, signals: Signals, tracking: int
) -> None:
    """An unknown answer is told as a no."""
    told = values(purchase(platform=platform, signals=signals))
    assert (told["tracking_enabled"], told["lat"]) == (tracking, 1 - tracking)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example/x?a=&b=1&c=", "https://a.example/x?b=1"),
        ("https://a.example/x?a=", "https://a.example/x"),
        ("https://a.example/x?flag&k=YQ==", "https://a.example/x?flag&k=YQ=="),
        ("https://a.example/x", "https://a.example/x"),
    ],
)
def test_an_empty_member_is_left_out(url: str, kept: str) -> None:
    """A member without a sign of equality is one that is there."""
    assert without_empty(url) == kept


def test_a_value_is_told_in_the_mappings_currency(store: Store) -> None:
    """By the rates of its day."""
    import_rates(store, [Quote(base="EUR", currency="USD", day=date(2026, 11, 23), rate=1.25)])
    with sink() as open_:
        intake = Intake(store)
        events = [{"name": "af_purchase", "to": "Purchase", "currency": "EUR"}]
        intake.define(destination(open_.url + "?v={revenue}&c={currency}", events=events))
        intake.take(purchase(revenue=Decimal("10")))
        intake.deliver()
    assert query(open_.received[0]) == {"v": "8.0", "c": "EUR"}


def test_a_rate_that_is_missing_is_waited_for(store: Store) -> None:
    """It will be imported: until then the event is owed, and says why."""
    with sink() as open_:
        intake = Intake(store)
        events = [{"name": "af_purchase", "currency": "EUR"}]
        intake.define(destination(open_.url + "?v={revenue}", events=events))
        intake.take(purchase())
        work(store, lambda: bool(intake.books.attempts()))
        assert {one.error_class for one in intake.books.attempts()} == {"rate"}
        assert "see `rates import`" in intake.books.attempts()[0].error
        import_rates(store, [Quote(base="EUR", currency="USD", day=date(2026, 11, 23), rate=1.25)])
        intake.books.make_due()
        intake.deliver()
    assert query(open_.received[0]) == {"v": "7.992"}


def test_revenue_is_left_out_where_the_mapping_says_so(store: Store) -> None:
    """And the currency with it."""
    with sink() as open_:
        intake = Intake(store)
        url = open_.url + "?e={event}&v={revenue}&c={currency}"
        intake.define(destination(url, revenue=False))
        intake.take(purchase())
        intake.deliver()
    assert query(open_.received[0]) == {"e": "Purchase"}


def test_each_destination_is_sent_its_own_share(store: Store) -> None:
    """What one may be told is not what the other may, of the same event."""
    with sink() as open_:
        intake = Intake(store)
        url = open_.url + "?to={destination}&idfa={idfa}"
        bare = {"attributed": "all", "takes_bare": True, "vendor": "network"}
        intake.define(
            destination(url, "google", vendor="google"), destination(url, "other", **bare)
        )
        signals = Signals(att=Att.AUTHORIZED, gdpr_applies=True, ad_user_data=True)
        intake.take(purchase(signals=signals))
        intake.deliver()
    assert sorted(map(str, map(query, open_.received))) == sorted(
        map(str, [{"to": "google", "idfa": WHO.idfa}, {"to": "other"}])
    )


def test_who_was_erased_is_sent_nothing_more(store: Store) -> None:
    """What was owed is a dead letter, and says why."""
    with sink() as open_:
        intake = Intake(store)
        intake.define(destination(open_.url))
        (id_,) = intake.take(purchase())
        store.write(lambda connection: connection.execute(delete(EVENT).where(EVENT.c.id == id_)))
        intake.deliver(until=("dead",))
    assert open_.received == []
    (tried,) = intake.books.attempts()
    assert (tried.error_class, tried.error) == ("gone", "what it is about is no longer kept")


def test_what_was_taken_back_meanwhile_is_not_sent(store: Store) -> None:
    """But to whom a withdrawal is told as well: he gets both."""
    with sink() as open_:
        intake = Intake(store)
        url = open_.url + "?to={destination}"
        intake.define(destination(url, "one"), destination(url, "both", withdrawals="Refund"))
        (id_,) = intake.take(purchase())
        back = update(EVENT).where(EVENT.c.id == id_).values(withdrawn_by=99)
        store.write(lambda connection: connection.execute(back))
        intake.deliver(until=("dead", "done"))
    assert [query(got) for got in open_.received] == [{"to": "both"}]
    assert [one.error for one in intake.books.attempts() if one.error] == [
        "it was taken back before it was sent"
    ]


def test_what_is_written_down_tells_of_nobody(store: Store) -> None:
    """Though the receiver repeats everything, in either case, and the path has the click id."""

    def echoes(handler: Any) -> None:
        said = f"{handler.path}\n{handler.headers}"
        handler.send(200, f"{said.lower()}\n{said.upper()}".encode())

    with sink(echoes) as open_:
        intake = Intake(store)
        ids = "&".join(f"{name}={{{name}}}" for name in (*NAMED, *HASHED))
        url = f"{open_.url}/{{click_id}}?{ids}"
        intake.define(destination(url, headers={"X-Forwarded-For": "{ip}"}))
        intake.take(purchase())
        intake.deliver()
    (tried,) = intake.books.attempts()
    assert "•••" in tried.answer
    written = str(tried).lower()
    for name, value in identifying(row(PURCHASE), WHO_IT_WAS).items():
        assert value.lower() not in written, name


def test_a_test_is_of_nobody(store: Store) -> None:
    """And counts nothing."""
    with sink() as open_:
        intake = Intake(store)
        intake.define(destination(open_.url + "?e={event}&id={idfa}", apps=[7]))
        with store.read() as connection:
            to = intake_destination(store)
            about = subject(connection, to)
        sending = sender(store)
        tried = trial(sending, to, about, send=True)
        sending.close()
    assert tried.sent is not None
    assert tried.sent.taken
    assert query(open_.received[0]) == {
        "e": "Purchase",
        "id": "FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF",
    }
    assert intake.books.deliveries() == []


def intake_destination(store: Store, name: str = "acme") -> EventDestination:
    with store.read() as connection:
        found = find(connection, name).destination
    assert isinstance(found, EventDestination)
    return found


@pytest.mark.parametrize(
    "fields",
    [{"events": [], "installs": "install"}, {"platform": "android"}, {"events": ["*"]}],
)
def test_a_made_up_event_is_one_that_it_would_get(store: Store, fields: dict[str, Any]) -> None:
    """Whatever the destination is for."""
    to = destination("https://a.example/?e={event}", **fields)
    event = made_up(to)
    assert to.refuses(event) == ""
    assert of_event(row(event), to, lambda _: Rates(()), event.identity)["event"]


def test_a_stored_event_is_tried_as_it_was_decided(store: Store) -> None:
    """Who it was is not shown; one that is held is not sent by a test either."""
    intake = Intake(store)
    intake.define(destination("https://a.example/?e={event}&id={idfa}"))
    (sent, held) = intake.take(purchase(), purchase("e-2", signals=Signals(att=Att.DENIED)))
    to = intake_destination(store)
    sending = sender(store)
    with store.read() as connection:
        request = trial(sending, to, subject(connection, to, sent), send=False).request
        assert request.url == "https://a.example/?e=Purchase&id=•••"
        with pytest.raises(NothingToSend, match="is held: App Tracking Transparency"):
            subject(connection, to, held)
        with pytest.raises(NothingToSend, match="there is no event 99"):
            subject(connection, to, 99)
    sending.close()


def test_an_install_has_no_value() -> None:
    """What was not said is absent."""
    install = replace(PURCHASE, kind=Kind.INSTALL, name="install", revenue=None, currency=None)
    told = values(install, installs="install")
    assert told["event"] == "install"
    assert "revenue" not in told
