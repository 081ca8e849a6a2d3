"""What became of an event is told, with why; and who it was is not."""

import json

import pytest
from sqlalchemy import update

from skan_receiver.delivery.explain import UNDECIDED, UnknownEvent, explain
from skan_receiver.delivery.registry import UnknownDestination
from skan_receiver.mmp.event import Att, Signals
from skan_receiver.storage import Store
from tests.delivery.eventing import EVENT, PERSON, Intake, destination, purchase
from tests.sink import sink

URL = "https://acme.example/pb?event={event}"


def test_each_destination_has_its_reason(store: Store) -> None:
    """And each field that is kept back; of what is owed, where its delivery is."""
    with sink() as open_:
        intake = Intake(store)
        intake.define(
            destination(open_.url, "bare", takes_bare=True), destination(open_.url, "network")
        )
        (id_,) = intake.take(purchase(signals=Signals(att=Att.DENIED)))
        intake.deliver()
    intake.define(destination(URL, "later"))
    with store.read() as connection:
        bare, later, network = explain(connection, id_).decisions
    why = "App Tracking Transparency: the status is denied, not authorized"
    assert (bare.outcome, bare.reason, bare.state) == ("owed", "", "done")
    assert bare.withheld["idfa"] == why
    assert (network.outcome, network.withheld, network.delivery) == ("held", {}, None)
    assert network.reason == f"{why}; and the partner takes no event that tells of nobody"
    assert (later.outcome, later.at) == (UNDECIDED, None)
    assert "it came before this destination" in later.reason


def test_an_explanation_tells_of_nobody(store: Store) -> None:
    """It is for whoever looks after deliveries."""
    intake = Intake(store)
    intake.define(destination(URL))
    (id_,) = intake.take(purchase())
    with store.read() as connection:
        story = explain(connection, id_, "acme")
    told = json.dumps([dict(story.event), [one.as_dict() for one in story.decisions]], default=str)
    assert not [value for value in PERSON.named().values() if value in told]


def test_what_was_taken_back_at_once_says_by_what(store: Store) -> None:
    """It was decided of for nobody."""
    intake = Intake(store)
    (id_,) = intake.take(purchase())
    intake.define(destination(URL))
    back = update(EVENT).where(EVENT.c.id == id_).values(withdrawn_by=7)
    store.write(lambda connection: connection.execute(back))
    with store.read() as connection:
        (one,) = explain(connection, id_).decisions
    assert one.reason == "it was taken back by event 7 before it was decided of"


def test_what_there_is_not_is_named(store: Store) -> None:
    """With where to look."""
    intake = Intake(store)
    (id_,) = intake.take(purchase())
    with store.read() as connection:
        with pytest.raises(UnknownEvent, match="see `events list`"):
            explain(connection, id_ + 1)
        with pytest.raises(UnknownDestination, match="see `destinations list`"):
            explain(connection, id_, "nowhere")
