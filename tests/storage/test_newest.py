"""What is rare among very many is found page by page, in a bounded time for each."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skan_receiver.storage import Store, search
from skan_receiver.storage.newest import Place
from skan_receiver.storage.search import Query
from tests.receiving import Receiver

GAPS = [0, 0.5, 1, 1, 26, 3, 48, 30]


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """Postbacks over some days: every second one with the value 7."""
    receiver = Receiver(store)
    for number, gap in enumerate(GAPS):
        receiver.later(hours=gap)
        value = {"conversion-value": 7 if number % 2 else 8}
        receiver.receive({**receiver.signer.skadnetwork("4.0"), **value})
    return receiver


def pages(receiver: Receiver, query: Query, limit: int, seconds: float) -> list[list[int]]:
    found: list[list[int]] = []
    place: Place | None = None
    with receiver.store.read() as connection:
        while not found or place is not None:
            rows, place = search.find(
                connection, receiver.settings, query, after=place, limit=limit, seconds=seconds
            )
            found.append([row.id for row in rows])
    return found


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(limit=st.integers(1, 9), seconds=st.sampled_from([0, 60]))
def test_each_is_on_one_page(receiver: Receiver, limit: int, seconds: float) -> None:
    """However short the time for a page is: the pages go on where the last one stopped."""
    found = pages(receiver, Query(fine_value=7), limit, seconds)
    assert [one for page in found for one in page] == [8, 6, 4, 2]
    assert all(len(page) <= limit for page in found)


def test_who_has_no_time_is_told_how_far_it_got(receiver: Receiver) -> None:
    """A page without a row is no end: it says since when nothing was found."""
    with receiver.store.read() as connection:
        rows, place = search.find(connection, receiver.settings, Query(fine_value=9), seconds=0)
        newest = search.find(connection, receiver.settings, Query(), limit=1)[0][0]
    assert not rows
    assert place
    assert place.is_pause
    assert place.received_at == newest.received_at - timedelta(hours=1)


def test_nothing_older_than_asked_is_looked_at(receiver: Receiver) -> None:
    """Whoever says since when has an answer in one page."""
    with receiver.store.read() as connection:
        newest = search.find(connection, receiver.settings, Query(), limit=1)[0][0]
        since = newest.received_at - timedelta(minutes=30)
        asked = Query(fine_value=9, since=since)
        assert search.find(connection, receiver.settings, asked, seconds=0) == ([], None)


def test_nothing_newer_than_asked_is_looked_at(receiver: Receiver) -> None:
    """Whoever says until when waits for nothing that came later."""
    with receiver.store.read() as connection:
        oldest = search.find(connection, receiver.settings, Query())[0][-1]
        until = oldest.received_at + timedelta(minutes=1)
        asked = Query(fine_value=8, until=until)
        rows, place = search.find(connection, receiver.settings, asked, seconds=0)
    assert ([row.id for row in rows], place) == ([oldest.id], None)
