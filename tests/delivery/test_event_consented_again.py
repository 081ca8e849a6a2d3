"""What is owed of a user goes by the rules of the moment it is sent at, too: only ever less."""

from typing import Any

import pytest

from skan_receiver.delivery import registry
from skan_receiver.mmp.event import Att, Platform, Signals
from skan_receiver.storage import Store, consent
from tests.delivery.eventing import ANDROID, Intake, destination, purchase
from tests.delivery.owing import Books
from tests.sink import sink

QUERY = "?e={event}&idfa={idfa}&campaign={campaign_id}&c={click_id}"
BARE = Signals(att=Att.DENIED)


@pytest.mark.parametrize(
    ("before", "after", "signals", "reason"),
    [
        (
            {"takes_bare": True},
            {"takes_bare": False},
            BARE,
            "App Tracking Transparency: the status is denied, not authorized; "
            "and the partner takes no event that tells of nobody",
        ),
        (
            {},
            {"media_sources": ["rival_int"]},
            Signals(att=Att.AUTHORIZED),
            "it is not given to an ad of the partner's, and `attributed` is `only`",
        ),
        ({}, {"apps": [7]}, Signals(att=Att.AUTHORIZED), "it is of another app"),
    ],
)
def test_what_may_not_go_any_more_is_a_dead_letter_with_the_reason(
    store: Store, before: Any, after: Any, signals: Signals, reason: str
) -> None:
    """A destination was changed after it was owed, and before it was sent."""
    intake = Intake(store)
    with sink() as open_:
        intake.define(destination(open_.url + QUERY, **before))
        intake.take(purchase(signals=signals))
        registry.change(store, destination(open_.url + QUERY, **{**before, **after}))
        intake.deliver(until=("dead",))
        assert open_.received == []
    (attempt,) = intake.books.attempts()
    assert (attempt.error_class, attempt.error) == ("gone", reason)


def test_what_either_moment_withholds_is_not_sent(store: Store) -> None:
    """Whose ad it was, once the partner's names are others."""
    intake = Intake(store)
    with sink() as open_:
        to: dict[str, Any] = {"attributed": "all", "takes_bare": True}
        intake.define(destination(open_.url + QUERY, **to))
        intake.take(purchase(), purchase("bare", signals=BARE))
        others: dict[str, Any] = {**to, "media_sources": ["rival_int"]}
        registry.change(store, destination(open_.url + QUERY, **others))
        intake.deliver()
        sent = sorted(one.path.partition("?")[2] for one in open_.received)
    assert sent == ["e=Purchase", f"e=Purchase&idfa={purchase().person.idfa}"]


def test_a_policy_that_denies_stops_what_is_still_owed(store: Store) -> None:
    """And one that allows lets nothing out that was held."""
    intake = Intake(store)
    told = {"author": "a", "reason": "r"}
    android: dict[str, Any] = {
        "person": ANDROID,
        "platform": Platform.ANDROID,
        "signals": Signals(),
    }
    with sink() as open_:
        intake.define(destination(open_.url + QUERY))
        intake.take(purchase("before", **android))
        consent.record(store, allows=True, **told)
        intake.take(purchase(**android))
        consent.record(store, allows=False, **told)
        intake.deliver(until=("dead",))
        assert open_.received == []
    (attempt,) = Books(store).attempts()
    assert attempt.error == "the owner's policy denies it: see `events policy show`"
