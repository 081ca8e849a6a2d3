"""What is stored can be found, page by page."""

import pytest

from skan_receiver.storage import Store, search
from skan_receiver.storage.search import Query
from tests.receiving import Receiver


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def found(receiver: Receiver, **query: object) -> list[int]:
    with receiver.store.read() as connection:
        rows, _ = search.find(connection, receiver.settings, Query(**query))  # type: ignore[arg-type]
    return [row.id for row in rows]


def told(receiver: Receiver, stored_id: int) -> search.Story:
    with receiver.store.read() as connection:
        story = search.story(connection, receiver.settings, stored_id)
    assert story
    return story


def test_an_id_is_found_in_either_case(receiver: Receiver) -> None:
    """Apple writes ids in both cases, and forwarders change them."""
    body = receiver.signer.skadnetwork("4.0")
    receiver.receive(body)
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    for written in (body["transaction-id"], body["transaction-id"].upper()):
        assert found(receiver, id=written) == [1]
    assert found(receiver, id="no such id") == []


def test_an_id_finds_every_window_verdict_and_collision(receiver: Receiver) -> None:
    """Apple's own examples share one transaction id over four versions."""
    first = receiver.signer.skadnetwork("3.0")
    same = {"transaction_id": first["transaction-id"]}
    other = receiver.signer.skadnetwork("2.2", **same)
    later = receiver.signer.skadnetwork("4.0", postback_sequence_index=2, **same)
    receiver.receive(first, other, later, {**first, "app-id": 7})
    assert sorted(found(receiver, id=first["transaction-id"])) == [1, 2, 3, 4]


def test_pages_show_every_postback_once(receiver: Receiver) -> None:
    """Also where many came in the same instant, and while more come in."""
    sign = receiver.signer.skadnetwork
    receiver.receive(*(sign() for _ in range(5)))
    receiver.later(hours=1)
    receiver.receive(*(sign() for _ in range(5)))
    seen, place = [], None
    with receiver.store.read() as connection:
        for _ in range(4):
            rows, place = search.find(connection, receiver.settings, Query(), after=place, limit=3)
            seen += [(row.received_at, row.id) for row in rows]
    assert place is None
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 10


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"verdict": "invalid"}, [2]),
        ({"counted": True}, [3, 1]),
        ({"counted": False}, [2]),
        ({"framework": "adattributionkit"}, [3]),
        ({"version": "4.0", "window": 0}, [2, 1]),
        ({"ad_network_id": "EXAMPLE123.SKADNETWORK"}, [2, 1]),
        ({"app_id": 7}, [2]),
    ],
)
def test_filters_leave_the_rest_out(
    receiver: Receiver, query: dict[str, object], expected: list[int]
) -> None:
    """One postback that counts of each framework, and a forgery between them."""
    sign = receiver.signer
    for body in (sign.skadnetwork(), {**sign.skadnetwork(), "app-id": 7}, sign.adattributionkit()):
        receiver.receive(body)
    assert found(receiver, **query) == expected


def test_a_story_tells_of_every_arrival(receiver: Receiver) -> None:
    """The second copy says another value: both are shown, the first one stands."""
    body = receiver.signer.skadnetwork(conversion_value=20)
    receiver.receive(body, body, {**body, "conversion-value": 21})
    story = told(receiver, 1)
    assert [arrival.kind for arrival in story.arrivals] == ["standing", "duplicate", "conflict"]
    assert (story.row.fine_value, story.arrived, story.row.counted) == (20, 3, True)


def test_a_story_tells_of_collisions_from_both_ends(receiver: Receiver) -> None:
    """Whichever of the two one looks at, the other is there."""
    first = receiver.signer.skadnetwork("3.0")
    other = receiver.signer.skadnetwork("2.2", transaction_id=first["transaction-id"])
    receiver.receive(first, other)
    assert [row.id for row in told(receiver, 1).collisions] == [2]
    assert [row.id for row in told(receiver, 2).collisions] == [1]
    assert not told(receiver, 2).row.counted
