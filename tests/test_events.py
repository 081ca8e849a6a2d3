"""What becomes of an event that somebody tells us of: kept once, taken back, dropped."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from skan_receiver.config import Settings
from skan_receiver.errors import Malformed, StoreUnavailable
from skan_receiver.events import IMPORTED, PIECE, Intake, Told, unreadable
from skan_receiver.mmp.event import Attribution, Event, Kind, Person
from skan_receiver.storage import (
    Connected,
    Delivery,
    Quarantined,
    Store,
    StoredEvent,
    Tombstone,
    connections,
    tombstones,
)
from skan_receiver.storage.columns import table
from tests.delivery.eventing import destination, purchase
from tests.delivery.owing import Books

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECRET = "a key of the vault"

INSTALL = Event(
    provider="adjust",
    event_id="install",
    kind=Kind.INSTALL,
    name="install",
    at=NOON,
    installed_at=NOON,
    app_id=7,
    person=Person(idfa="AAAA-1", ip="203.0.113.7"),
    attribution=Attribution(media_source="Net"),
)
REJECTED = replace(INSTALL, event_id="rejected", kind=Kind.REJECTED, name="rejected install")
PURCHASE = replace(
    INSTALL,
    event_id="purchase",
    kind=Kind.EVENT,
    name="buy",
    revenue=Decimal("9.99"),
    currency="EUR",
    order_id="T-1",
)
REFUND = replace(PURCHASE, event_id="refund", kind=Kind.REFUND, revenue=Decimal("-9.99"))


@pytest.fixture
def intake(store: Store, tmp_path: Path) -> Intake:
    return Intake(store, Settings(var=tmp_path, secret_keys=(SECRET,)))


def told(event: Event, name: str = "mmp") -> Told:
    return Told(NOON, name, event)


def rows(store: Store, model: Any = StoredEvent) -> Sequence[Any]:
    found = table(model)
    with store.read() as connection:
        return connection.execute(select(found).order_by(*found.primary_key)).all()


def outcomes(results: Sequence[Any]) -> list[str]:
    return [result.outcome.value for result in results]


@pytest.mark.parametrize("together", [True, False])
def test_a_copy_of_an_event_counts_once(store: Store, intake: Intake, *, together: bool) -> None:
    """MMPs repeat themselves; whether in one batch or later, we keep one, and say which."""
    first = told(INSTALL)
    copy = told(replace(INSTALL, attribution=Attribution(media_source="Other")))
    results = intake([first, copy]) if together else [*intake([first]), *intake([copy])]
    (row,) = rows(store)
    assert outcomes(results) == ["stored", "duplicate"]
    assert [result.stored_id for result in results] == [row.id, row.id]
    assert (row.connection, row.received_at, row.media_source) == ("mmp", NOON, "Net")


def test_the_same_id_from_another_is_another_event(store: Store, intake: Intake) -> None:
    """Ids are each MMP's own."""
    results = intake([told(INSTALL), told(replace(INSTALL, provider="branch"))])
    assert outcomes(results) == ["stored", "stored"]
    assert len(rows(store)) == 2


def both_at_once(*work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_workers_that_are_told_the_same_keep_one(store: Store, tmp_path: Path) -> None:
    """Each with an intake of its own, as two processes have: no event is lost, and none doubled."""
    events = [replace(INSTALL, event_id=str(number)) for number in range(40)]
    intakes = [Intake(store, Settings(var=tmp_path)) for _ in range(2)]
    seen: list[str] = []

    def work(intake: Intake, order: Sequence[Event]) -> Callable[[], None]:
        def run() -> None:
            for at in range(0, len(order), 5):
                seen.extend(outcomes(intake([told(event) for event in order[at : at + 5]])))

        return run

    both_at_once(work(intakes[0], events), work(intakes[1], events[::-1]))
    assert sorted(row.event_id for row in rows(store)) == sorted(e.event_id for e in events)
    assert (seen.count("stored"), seen.count("duplicate")) == (40, 40)


@pytest.mark.parametrize(("what", "of"), [(REJECTED, INSTALL), (REFUND, PURCHASE)])
@pytest.mark.parametrize("order", ["after", "before", "together", "together, before"])
def test_what_is_taken_back_says_by_what(
    store: Store, intake: Intake, what: Event, of: Event, order: str
) -> None:
    """Whichever comes first: MMPs promise no order."""
    others = [told(replace(INSTALL, event_id="other", person=Person(idfa="BBBB-2")))]
    both = [told(of), told(what)] if "before" not in order else [told(what), told(of)]
    if "together" in order:
        intake([*others, *both])
    else:
        for one in (*others, *both):
            intake([one])
    found = {row.event_id: row for row in rows(store)}
    assert found[of.event_id].withdrawn_by == found[what.event_id].id
    assert found[what.event_id].withdraws == of.event_id
    assert found["other"].withdrawn_by is None


def test_what_takes_back_by_id_needs_nothing_else(store: Store, intake: Intake) -> None:
    """Nor device, nor order."""
    bare = replace(REFUND, withdraws="purchase", order_id=None, person=Person())
    intake([told(bare)])
    intake([told(PURCHASE)])
    (refund, purchase) = rows(store)
    assert purchase.withdrawn_by == refund.id


def test_a_part_of_the_price_takes_nothing_back(store: Store, intake: Intake) -> None:
    """The purchase stands beside an amount below nothing: sums come out right."""
    intake([told(PURCHASE), told(replace(REFUND, revenue=Decimal("-3")))])
    assert [row.withdrawn_by for row in rows(store)] == [None, None]


def test_one_rejection_takes_back_one_install(store: Store, intake: Intake) -> None:
    """The nearest, of a device that installed twice and does not say when."""
    then = NOON + timedelta(days=9)
    again = replace(INSTALL, event_id="again", at=then, installed_at=then)
    intake([told(INSTALL), told(again)])
    intake([told(replace(REJECTED, installed_at=None, at=NOON + timedelta(days=8)))])
    found = {row.event_id: row.withdrawn_by for row in rows(store)}
    assert found["install"] is None
    assert found["again"] is not None


def test_who_takes_back_and_who_tells_at_once_find_each_other(store: Store, tmp_path: Path) -> None:
    """Two workers, one install each and its rejection: neither sees what is not yet committed, so
    one of them waits."""
    people = [Person(idfa=f"PERSON-{number}") for number in range(20)]
    installs = [replace(INSTALL, event_id=f"i{n}", person=who) for n, who in enumerate(people)]
    refusals = [replace(REJECTED, event_id=f"r{n}", person=who) for n, who in enumerate(people)]
    one, other = (Intake(store, Settings(var=tmp_path)) for _ in range(2))

    def tell(intake: Intake, events: Sequence[Event]) -> Callable[[], None]:
        def run() -> None:
            for event in events:
                intake([told(event)])

        return run

    both_at_once(tell(one, installs), tell(other, refusals))
    found = {row.event_id: row for row in rows(store)}
    for number in range(20):
        assert found[f"i{number}"].withdrawn_by == found[f"r{number}"].id


def bury(store: Store, identifier: str, at: datetime) -> None:
    row = {"key": tombstones.tombstone(SECRET, identifier), "erased_at": at}
    store.write(lambda connection: connection.execute(table(Tombstone).insert(), row))


def test_what_is_of_somebody_erased_is_dropped(store: Store, tmp_path: Path) -> None:
    """An MMP that sends again what was before brings nobody back; what is after is new."""
    intake = Intake(store, Settings(var=tmp_path, secret_keys=("a newer key", SECRET)))
    bury(store, "aaaa-1", NOON + timedelta(hours=1))
    later = replace(INSTALL, event_id="later", at=NOON + timedelta(hours=2))
    somebody = replace(INSTALL, event_id="other", person=Person(idfa="BBBB-2", ip="203.0.113.7"))
    results = intake([told(INSTALL), told(later), told(somebody)])
    assert outcomes(results) == ["dropped", "stored", "stored"]
    assert {row.event_id for row in rows(store)} == {"later", "other"}


def test_a_tombstone_gives_nobody_back() -> None:
    """It is made with a key, whatever the case of the id."""
    assert tombstones.tombstone("k", "AAAA-1") == tombstones.tombstone("k", " aaaa-1")
    assert tombstones.tombstone("k", "AAAA-1") != tombstones.tombstone("l", "AAAA-1")


def test_what_cannot_be_read_is_kept_in_the_same_transaction(store: Store, intake: Intake) -> None:
    """With the member at fault, and by which connection it came."""
    fault = Malformed("not an amount, as in 9.99", "event_revenue")
    results = intake(
        [told(INSTALL), unreadable(NOON, "appsflyer", "mmp", b'{"event_revenue":"x"}', fault)]
    )
    assert outcomes(results) == ["stored", "quarantined"]
    (row,) = rows(store, Quarantined)
    assert (row.endpoint, row.member) == ("mmp:appsflyer", "event_revenue")
    assert json.loads(row.claims) == {"connection": "mmp"}


def test_a_connection_knows_when_it_last_told(store: Store, intake: Intake) -> None:
    """To the minute; a copy says that it lives, too."""
    connections.connect(store, "mmp", "adjust", NOON)
    for seconds, known in ((0, 0), (30, 0), (90, 90)):
        intake([Told(NOON + timedelta(seconds=seconds), "mmp", INSTALL)])
        (row,) = rows(store, Connected)
        assert row.last_event_at == NOON + timedelta(seconds=known)


def owed(store: Store) -> list[str]:
    """The events that a delivery is about, by what their teller calls them."""
    names = {row.id: row.event_id for row in rows(store)}
    return [names[row.stored_id] for row in rows(store, Delivery)]


class Failing(Store):
    """A disk that is full for one of its transactions."""

    writes, fails_at = 0, 2

    def write(self, work: Callable[[Connection], Any]) -> Any:
        self.writes += 1
        if self.writes == self.fails_at:
            raise StoreUnavailable("the disk is full")
        return super().write(work)


def test_a_long_batch_is_kept_in_pieces_and_told_again_it_is_copies(sqlite_url: str) -> None:
    """Nobody else writes to SQLite meanwhile, so that no transaction may be as long as a body."""
    store = Failing(sqlite_url)
    intake = Intake(store, Settings())
    batch = [told(replace(PURCHASE, event_id=str(at), order_id=f"T-{at}")) for at in range(PIECE)]
    batch += [told(replace(REFUND, order_id="T-7"))]
    with pytest.raises(StoreUnavailable):
        intake(batch)
    assert len(rows(store)) == PIECE
    assert outcomes(intake(batch)) == ["duplicate"] * PIECE + ["stored"]
    found = {row.event_id: row for row in rows(store)}
    assert found["7"].withdrawn_by == found["refund"].id
    assert store.writes == 4
    store.close()


def test_what_is_told_is_owed_at_once_and_a_copy_is_not_owed_again(
    store: Store, intake: Intake
) -> None:
    """In the transaction that keeps it: no worker has to find it."""
    Books(store).define(destination("https://partner.example/in"))
    for _ in range(2):
        intake([told(purchase("e-1")), told(purchase("e-2"))])
    assert owed(store) == ["e-1", "e-2"]


def test_what_was_taken_back_before_it_came_is_not_owed(store: Store, intake: Intake) -> None:
    """Nor is the refund of what nobody was sent."""
    Books(store).define(destination("https://partner.example/in"))
    back = {"kind": Kind.REFUND, "revenue": Decimal("-9.99"), "order_id": "T-9"}
    intake([told(purchase("refund", **back))])
    intake([told(purchase("late", order_id="T-9")), told(purchase("other", order_id="T-8"))])
    assert owed(store) == ["other"]


def test_history_is_owed_to_nobody(store: Store, intake: Intake) -> None:
    """An export tells of what was; whoever was to hear of it has heard."""
    Books(store).define(destination("https://partner.example/in"))
    intake([told(purchase("old"), IMPORTED), told(purchase("new"))])
    assert owed(store) == ["new"]
