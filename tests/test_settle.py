"""Counts are what a recount finds, whoever wrote when."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from skan_receiver.config import Settings
from skan_receiver.errors import StoreUnavailable
from skan_receiver.ingest import Incoming
from skan_receiver.reread import reread
from skan_receiver.reverify import reverify
from skan_receiver.settle import recount
from skan_receiver.storage import (
    CountDay,
    CountMonth,
    CountVolume,
    Fresh,
    Quarantined,
    Registered,
    Store,
    StoredPostback,
)
from skan_receiver.storage.columns import table
from skan_receiver.storage.counts import ABSENT, MEMBERS, NOTHING
from skan_receiver.storage.place import Candidate, place
from skan_receiver.testing import Signer, encode
from tests.receiving import Receiver


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def counted(receiver: Receiver) -> int:
    return sum(row.n for row in receiver.counts() if row.counted)


def total(receiver: Receiver) -> int:
    return sum(row.n for row in receiver.counts())


def check(receiver: Receiver) -> None:
    """What stands in the counts is what counting the rows again would give."""
    before = receiver.hours(), receiver.days()
    add_up(receiver)
    recount(receiver.store, receiver.settings)
    assert (receiver.hours(), receiver.days()) == before
    add_up(receiver)


def add_up(receiver: Receiver) -> None:
    """Days are the sums of their hours, months of their days, volumes of all values, and places
    of all places."""
    days: Counter[tuple[Any, ...]] = Counter()
    for (*cell, hour), n in receiver.hours().items():
        days[(*cell, hour.date())] += n
    months, volumes, told = (Counter[tuple[Any, ...]]() for _ in range(3))
    for (*cell, day), n in days.items():
        months[(*cell, day.replace(day=1))] += n
        volumes[(*cell[:-2], ABSENT, NOTHING, day)] += n
    for key, n in receiver.days().items():
        told[key[: len(MEMBERS) + 1]] += n
    assert told == days
    for model, sums in ((CountDay, days), (CountMonth, months), (CountVolume, volumes)):
        assert {tuple(row)[:-1]: row.n for row in receiver.counts(model) if row.n} == {
            key: n for key, n in sums.items() if n
        }


def test_a_postback_is_counted_once(receiver: Receiver) -> None:
    """However often it arrives, and however often the worker looks."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20)
    receiver.receive(body, body)
    assert receiver.settle() == 1
    receiver.receive(body)
    assert receiver.settle() == 0
    (cell,) = receiver.counts()
    assert (cell.n, cell.fine_value, cell.coarse_value, cell.counted) == (1, 20, "", True)
    assert cell.hour == receiver.now.replace(minute=0)
    check(receiver)


def test_only_what_counts_is_counted(receiver: Receiver) -> None:
    """Forgeries, collisions and development postbacks are there, and never count."""
    genuine = receiver.signer.skadnetwork("3.0")
    other = receiver.signer.skadnetwork("2.2", transaction_id=genuine["transaction-id"])
    forged = {**receiver.signer.skadnetwork("4.0"), "app-id": 1}
    receiver.receive(genuine, other, forged)
    receiver.settle()
    assert (counted(receiver), total(receiver)) == (1, 3)


def test_the_longest_texts_that_are_read_can_be_counted(receiver: Receiver) -> None:
    """What anybody may send must not stop the counting of what others send: an index row of
    PostgreSQL's has 2,704 bytes, and the wide counts have every one of these in their key."""
    random = Random(3)

    def text() -> str:
        return "".join(chr(random.randrange(0x20000, 0x2A000)) for _ in range(63))

    skan = receiver.signer.skadnetwork(
        "4.0", ad_network_id=text(), source_identifier=text(), source_domain=text()
    )
    aak = receiver.signer.adattributionkit(
        ad_network_identifier=text(), source_identifier=text(), conversion_type=text()
    )
    receiver.receive(skan, aak, receiver.signer.skadnetwork("4.0"))
    receiver.settle()
    assert total(receiver) == 3


@pytest.mark.parametrize("sandbox", [True, False])
def test_development_postbacks_count_in_a_sandbox_only(store: Store, *, sandbox: bool) -> None:
    """A test key never makes an install."""
    receiver = Receiver(store, Settings(sandbox=sandbox), trusted=False)
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    receiver.settle()
    assert counted(receiver) == int(sandbox)


@pytest.mark.parametrize("settled_between", [True, False])
def test_replaced_values_move_in_the_counts(receiver: Receiver, *, settled_between: bool) -> None:
    """The forwarder's value leaves its cell as Apple's takes its own."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20)
    receiver.receive({**body, "conversion-value": 5}, endpoint="forwarded:x")
    if settled_between:
        receiver.settle()
    receiver.receive(body, endpoint="network")
    receiver.settle()
    assert [(cell.fine_value, cell.n) for cell in receiver.counts()] == [(20, 1)]
    check(receiver)


def test_registering_an_app_adopts_and_disowns(receiver: Receiver) -> None:
    """Until an app is registered all are ours; from then on, the registered ones."""
    receiver.receive(receiver.signer.skadnetwork(app_id=1), receiver.signer.skadnetwork(app_id=2))
    receiver.settle()
    assert counted(receiver) == 2
    row = {"kind": "app", "value": "2", "name": ""}
    receiver.store.write(lambda connection: connection.execute(table(Registered).insert(), row))
    recount(receiver.store, receiver.settings)
    assert {cell.app_id for cell in receiver.counts() if cell.counted and cell.n} == {2}
    assert total(receiver) == 2


def test_recounting_leaves_what_is_not_settled_to_settle(receiver: Receiver) -> None:
    """A recount in the middle of traffic counts nothing twice."""
    receiver.receive(*(receiver.signer.skadnetwork() for _ in range(3)))
    receiver.settle()
    receiver.receive(*(receiver.signer.skadnetwork() for _ in range(2)))
    recount(receiver.store, receiver.settings)
    assert counted(receiver) == 3
    receiver.settle()
    assert counted(receiver) == 5


def test_reverify_adds_a_row_under_the_new_verdict(store: Store) -> None:
    """When a key is added, what was invalid by it becomes valid, and the old row is evidence."""
    receiver = Receiver(store, trusted=False)
    apple_later = Signer(seed=2)
    body = apple_later.skadnetwork("4.0", conversion_value=7)
    receiver.receive(body, {**body, "transaction-id": "x"})
    receiver.settle()
    assert counted(receiver) == 0
    keys = apple_later.keys(production=True)
    assert reverify(store, keys) == {("invalid", "valid"): 1}
    assert reverify(store, keys) == {}
    receiver.settle()
    old, _, new = receiver.rows(StoredPostback)
    assert (new.verdict, new.supersedes) == ("valid", old.id)
    assert (new.received_at, new.body) == (old.received_at, old.body)
    assert (counted(receiver), total(receiver)) == (1, 2)
    check(receiver)


def test_reverify_links_a_copy_that_came_since(store: Store) -> None:
    """A valid copy that arrived after the key was added is the same postback, counted once."""
    receiver = Receiver(store, trusted=False)
    later = Signer(seed=2)
    body = later.skadnetwork("4.0")
    receiver.receive(body)
    again = Receiver(store)
    again._ingest._keys = later.keys(production=True)
    again.receive(body)
    reverify(store, later.keys(production=True))
    receiver.settle()
    assert (counted(receiver), total(receiver)) == (1, 1)


def test_a_withdrawn_key_takes_its_postbacks_out_of_the_counts(receiver: Receiver) -> None:
    """What counted yesterday does not count once its key is no longer believed."""
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    receiver.settle()
    assert counted(receiver) == 1
    reverify(receiver.store, Signer(seed=3).keys())
    receiver.settle()
    assert (counted(receiver), total(receiver)) == (0, 1)
    check(receiver)


def test_a_key_that_goes_and_comes_back_counts_again(receiver: Receiver) -> None:
    """One run with a wrong key file must be mended by the next with the right one."""
    receiver.receive(*(receiver.signer.skadnetwork("4.0", conversion_value=n) for n in range(3)))
    receiver.settle()
    nobody = Signer(seed=3).keys()
    for _ in range(2):
        assert reverify(receiver.store, nobody) == {("valid", "invalid"): 3}
        assert reverify(receiver.store, nobody) == {}
        receiver.settle()
        assert (counted(receiver), total(receiver)) == (0, 3)
        assert reverify(receiver.store, receiver.keys) == {("invalid", "valid"): 3}
        receiver.settle()
        assert (counted(receiver), total(receiver)) == (3, 3)
        check(receiver)


def test_a_full_cap_leaves_the_quarantine_as_it_was(store: Store) -> None:
    """What was acknowledged is kept, even where it can be read now and nobody vouches for it."""
    receiver = Receiver(store, Settings(invalid_rows=0))
    body = encode({**receiver.signer.skadnetwork("4.0"), "app-id": 1})
    row = {
        "received_at": receiver.now, "endpoint": "network", "body": body,
        "reason": "of a time when we could not read it", "member": None,
    }  # fmt: skip
    store.write(lambda connection: connection.execute(table(Quarantined).insert(), row))
    assert reread(store, receiver.settings, receiver.keys) == {"dropped": 1}
    assert [kept.body for kept in receiver.rows(Quarantined)] == [body]


def test_a_month_is_not_remembered_before_it_is_there(store: Store) -> None:
    """A batch that is rolled back must not leave us believing in a partition."""
    receiver = Receiver(store)
    body = receiver.signer.skadnetwork("4.0")
    other = {**receiver.signer.skadnetwork("3.0", transaction_id=body["transaction-id"])}
    candidates = [
        one
        for one in (
            receiver._ingest.read(Incoming(receiver.now, "network", encode(each)))
            for each in (body, other)
        )
        if isinstance(one, Candidate)
    ]

    def fail(connection: Connection) -> None:
        place(connection, candidates)
        raise OSError("the disk is full")

    with pytest.raises(StoreUnavailable):
        store.write(fail)
    assert [one.outcome.value for one in receiver.receive(body, other)] == ["stored", "collision"]


def test_reread_moves_what_can_be_read_now(receiver: Receiver) -> None:
    """After an upgrade the quarantine empties itself into the store, with the old times."""
    body = encode(receiver.signer.skadnetwork("4.0"))
    row = {
        "received_at": receiver.now, "endpoint": "developer", "body": body,
        "reason": "of a time when we could not read it", "member": None,
    }  # fmt: skip
    receiver.store.write(lambda connection: connection.execute(table(Quarantined).insert(), row))
    receiver.receive(b'{"version": "9.0"}')
    receiver.later(days=30)
    assert reread(receiver.store, receiver.settings, receiver.keys) == {
        "stored": 1,
        "unreadable": 1,
    }
    (stored,) = receiver.rows(StoredPostback)
    assert stored.endpoint == "developer"
    assert stored.received_at < receiver.now
    assert len(receiver.rows(Quarantined)) == 1


def test_concurrent_writers_and_workers_count_everything_once(receiver: Receiver) -> None:
    """Eight threads send 400 postbacks, each twice, while three workers settle."""
    bodies = [receiver.signer.skadnetwork("4.0", conversion_value=n % 64) for n in range(400)]
    twice = bodies + bodies
    Random(7).shuffle(twice)
    with ThreadPoolExecutor(11) as pool:
        senders = [
            pool.submit(lambda part: [receiver.receive(body) for body in part], twice[n::8])
            for n in range(8)
        ]
        workers = [pool.submit(_work, receiver, lambda: all(s.done() for s in senders))] * 3
        for sender in senders:
            sender.result()
        for worker in workers:
            worker.result()
    receiver.settle()
    assert receiver.rows(Fresh) == []
    assert counted(receiver) == 400
    check(receiver)


def _work(receiver: Receiver, done: Callable[[], bool]) -> None:
    while not done():
        receiver.settle()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["forwarded:x", "network", "developer", "import", "settle", "recount"]),
            st.integers(0, 2),
            st.integers(0, 2) | st.none(),
        ),
        max_size=12,
    )
)
def test_any_order_of_arrivals_and_settling_counts_the_same(
    sqlite_url: str, steps: list[tuple[str, int, int | None]]
) -> None:
    """Counts are a function of the rows, not of when the worker looked."""
    store = Store(sqlite_url)
    receiver = Receiver(store)
    ids = [receiver.signer.new_id() for _ in range(3)]
    bodies = [receiver.signer.skadnetwork("4.0", transaction_id=id_) for id_ in ids]
    for endpoint, which, value in steps:
        if endpoint == "settle":
            receiver.settle()
        elif endpoint == "recount":
            recount(store, receiver.settings)
        else:
            body = {**bodies[which], **({} if value is None else {"conversion-value": value})}
            receiver.receive(body, endpoint=endpoint)
    receiver.settle()
    check(receiver)
    store.close()
