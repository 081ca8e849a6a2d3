"""What to set up for events, in order: to do with a command, or done."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from skan_receiver.config import Settings
from skan_receiver.doctor import State, look_at_ourselves
from skan_receiver.doctor.events import Step, steps
from skan_receiver.storage import Delivery, Store, apikeys, connections, consent, networks
from skan_receiver.storage.columns import table
from skan_receiver.storage.sources import map_source
from tests.delivery.eventing import Intake, destination, purchase
from tests.receiving import NOON

URL = "https://acme.example/?id={idfa}"


def found(store: Store, settings: Settings | None = None) -> list[Step]:
    with store.read() as connection:
        return steps(connection, settings or Settings())


def done(store: Store) -> list[bool]:
    return [step.is_done for step in found(store)]


def test_each_step_is_done_in_its_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not before; each that is to do says by what it is done."""
    assert done(store) == [False] * 9
    assert all(step.command and step.said for step in found(store))

    networks.connect(store, "acme", "acme_int", ["1"], NOON)
    assert not done(store)[0]  # it tells of touches, and of no events
    connections.connect(store, "appsflyer", "appsflyer", NOON)
    assert done(store)[:2] == [True, False]

    intake = Intake(store)
    intake.take(purchase("before"))
    assert done(store)[:3] == [True, True, False]

    intake.define(destination(URL, events=["other=Other"]))
    assert done(store)[2:5] == [True, False, True]
    assert "acme is told nothing of what came: af_purchase" in found(store)[3].said
    intake.define(destination(URL))
    assert done(store)[2:6] == [True, True, True, False]
    assert found(store)[5].command == "skan-receiver destinations test acme --send"

    intake.take(purchase())
    store.write(lambda connection: connection.execute(update(table(Delivery)).values(state="done")))
    assert done(store)[5:] == [True, False, False, False]
    consent.record(store, allows=False, author="Mia", reason="nobody asks on Android")
    map_source(store, "acme_int", ["example123.skadnetwork"])
    assert done(store) == [True] * 7 + [False, True]
    monkeypatch.setenv("SKAN_PERSON_DAYS", "30")
    assert done(store) == [True] * 9


def test_a_key_for_events_is_somebody_who_tells(store: Store) -> None:
    """An app's server needs no MMP. A key that is revoked opens nothing."""
    apikeys.create_key(store, "shop", ["read"], datetime.now(UTC))
    assert not done(store)[0]
    apikeys.create_key(store, "shop", ["events"], datetime.now(UTC))
    assert done(store)[0]


def test_what_the_mmp_sends_is_not_waited_for(store: Store) -> None:
    """A destination that sends nothing, since the MMP does, takes no delivery, and says so."""
    Intake(store).define(destination(URL, already_sent_by_mmp=True))
    assert "acme: the MMP sends them" in found(store)[4].said
    assert done(store)[4:6] == [True, True]


def test_the_doctor_is_silent_where_nobody_uses_events(store: Store, store_url: str) -> None:
    """Most have none. Who has begun is told what is left."""
    settings = Settings(database_url=store_url)
    assert not [one for one in look_at_ourselves(settings, NOON) if one.what == "events"]
    connections.connect(store, "appsflyer", "appsflyer", NOON)
    told = [one for one in look_at_ourselves(settings, NOON) if one.what == "events"]
    assert len(told) == 8
    assert {one.state for one in told} == {State.WARNING}
    assert told[-1].said.endswith('events sources map "Facebook Ads" v9wttpbfk9.skadnetwork')
