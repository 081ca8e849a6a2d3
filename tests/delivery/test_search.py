"""The ledger is looked into page by page, in a bounded time for each."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from skan_receiver.delivery.search import DELIVERY, Query, find
from skan_receiver.storage import Store
from tests.delivery.owing import Books, relay

HOURS = 40


@pytest.fixture
def ledger(store: Store) -> Store:
    """One thing an hour to each of two, and a third that got one alone, long ago."""
    books = Books(store)
    books.owe([relay("https://a.example/", "a"), relay("https://b.example/", "b")], HOURS)
    with store.read() as connection:
        rows = find(connection, Query(), limit=1000).rows
    begun = rows[-1].created_at - timedelta(days=9)

    def spread(connection: Connection) -> None:
        for row in rows:
            at = begun + timedelta(hours=(row.id - 1) // 2)
            rare = {"destination": "rare"} if row.id == 4 else {}
            change = update(DELIVERY).where(DELIVERY.c.id == row.id)
            connection.execute(change.values(created_at=at, **rare))

    store.write(spread)
    return store


def all_of(store: Store, query: Query, limit: int, seconds: float, width: int) -> list[list[int]]:
    pages: list[list[int]] = []
    before: int | None = None
    with store.read() as connection:
        while not pages or before is not None:
            page = find(connection, query, before=before, limit=limit, seconds=seconds, width=width)
            before = page.before
            pages.append([row.id for row in page.rows])
    return pages


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    destination=st.sampled_from([None, "a", "rare", "nobody"]),
    state=st.sampled_from([None, "owed", "dead"]),
    span=st.tuples(st.none() | st.integers(-5, 45), st.none() | st.integers(-5, 45)),
    limit=st.integers(1, 60),
    seconds=st.sampled_from([0, 60]),
    width=st.sampled_from([1, 7, 1000]),
)
def test_each_is_on_one_page(
    ledger: Store,
    destination: str | None,
    state: str | None,
    span: tuple[int | None, int | None],
    limit: int,
    seconds: float,
    width: int,
) -> None:
    """Whatever is asked, and however short the time for a page is."""
    with ledger.read() as connection:
        every = find(connection, Query(), limit=1000).rows
    since, until = (_at(every[-1].created_at, hours) for hours in span)
    wanted = [
        row.id
        for row in every
        if destination in (None, row.destination)
        and state in (None, row.state)
        and (since is None or row.created_at >= since)
        and (until is None or row.created_at < until)
    ]
    asked = Query(destination, state, None, since, until)
    pages = all_of(ledger, asked, limit, seconds, width)
    assert [one for page in pages for one in page] == wanted
    assert all(len(page) <= limit for page in pages)


def _at(begun: datetime, hours: int | None) -> datetime | None:
    return None if hours is None else begun + timedelta(hours=hours, minutes=-30)


def test_who_has_no_time_is_told_how_far_it_got(ledger: Store) -> None:
    """A page without a row is no end."""
    with ledger.read() as connection:
        page = find(connection, Query("rare"), seconds=0, width=10)
        (edge,) = (row for row in find(connection, Query(), limit=1000).rows if row.id == 71)
    assert (page.rows, page.before, page.looked_to) == ([], 71, edge.created_at)


def test_a_postbacks_own_are_found_at_once(ledger: Store) -> None:
    """By its number: an index finds them."""
    with ledger.read() as connection:
        (row,) = find(connection, Query("rare")).rows
        found = find(connection, Query(stored_id=row.stored_id), seconds=0)
    assert {one.destination for one in found.rows} == {"a", "rare"}
    assert found.before is None


def test_an_empty_ledger_has_no_page(store: Store) -> None:
    """And says so, whatever is asked."""
    with store.read() as connection:
        assert find(connection, Query("a"), seconds=0).rows == []
        assert find(connection, Query()).rows == []
