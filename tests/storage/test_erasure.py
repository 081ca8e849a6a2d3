"""A person who is erased is in nothing that is stored; everybody else is."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert, update

from skan_receiver import events as intake
from skan_receiver.config import Settings
from skan_receiver.errors import Malformed, StoreUnavailable
from skan_receiver.events import Told
from skan_receiver.mmp.event import Event, Person
from skan_receiver.mmp.traces import spellings
from skan_receiver.storage import (
    Arrival,
    Attempt,
    Attributed,
    Delivery,
    EventDecision,
    Quarantined,
    Store,
    StoredEvent,
    Tombstone,
    Touch,
    Usage,
)
from skan_receiver.storage.columns import table
from skan_receiver.storage.erasure import ERASED, Erased, erase
from skan_receiver.storage.persons import MOST_DEVICES, Asked, find
from tests.delivery.eventing import PERSON, Intake, destination, purchase, work
from tests.delivery.owing import Books
from tests.sink import sink

IDFA, IDFV = str(PERSON.idfa), str(PERSON.idfv)
TABLET = "5F1F0C52-8E0D-4A2B-9C7E-33D1A0B94E11"  # the same user's other device
OTHER = Person(
    idfa="77777777-1111-4222-8333-944444444444",
    customer_user_id="customer-other",
    ip=PERSON.ip,
    user_agent=PERSON.user_agent,
)
CLICK = "our-click-0a1b2c3d4e5f"


class World:
    """A store with two people in everything that can hold one, and the settings it has."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        key = Fernet.generate_key().decode()
        self.settings = Settings(var=folder, secret_keys=(key,))
        self.events = Intake(store)
        self.books = Books(store)

    def rows(self, model: Any) -> Sequence[Any]:
        return self.books.receiver.rows(model)

    def tell(self, *events: Event) -> list[str]:
        told = [Told(datetime.now(UTC), "mmp", event) for event in events]
        results = intake.Intake(self.store, self.settings)(told)
        return [result.outcome.value for result in results]

    def quarantine(self, *bodies: bytes) -> None:
        fault = Malformed("no time", member="event_time")
        kept = [intake.unreadable(datetime.now(UTC), "x", "mmp", body, fault) for body in bodies]
        intake.Intake(self.store, self.settings)(kept)

    def add(self, model: Any, **columns: Any) -> None:
        self.store.write(lambda connection: connection.execute(insert(table(model)), columns))

    def touch(self, click_id: str, event: int | None = None, **columns: Any) -> None:
        at = datetime.now(UTC)
        row = {"click_id": click_id, "at": at, "kind": "click", "media_source": "acme_int"}
        self.add(Touch, **row, **columns)
        if event is not None:
            touch = next(one.id for one in self.rows(Touch) if one.click_id == click_id)
            self.add(
                Attributed, event_id=event, touch_id=touch, reason="click id", losers="[]", at=at
            )

    def erase(self, name: str = "device_id", value: str = IDFA) -> Erased:
        return erase(self.store, self.settings, Asked(name, value))


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path)


def everything(world: World) -> Erased:
    """Fill the world with both people, and erase the one."""
    with sink() as good:
        world.events.define(destination(f"{good.url}?id={{idfa}}", "good"))
        world.books.define(destination(f"{good.url}/bad"), paused=True)
        other = purchase("other", person=OTHER)
        ids = world.events.take(
            purchase(), purchase("tablet", person=replace(PERSON, idfa=TABLET)), other
        )
        work(world.store, lambda: world.books.states().get("done") == 3)
    assert world.books.states() == {"done": 3, "owed": 3}
    dead = update(table(Delivery)).where(table(Delivery).c.state == "owed")
    world.store.write(lambda connection: connection.execute(dead.values(state="dead")))
    world.touch(CLICK, ids[0], idfa=IDFA, partner_click_id="partner-click-77aa88bb")
    world.touch("another-click", ids[2], idfa=OTHER.idfa)
    named = json.dumps({"idfa": IDFA, "x": 1}).encode()
    world.quarantine(
        named,
        named.lower(),
        b"a=" + quote(quote(IDFA.replace("-", "%2D"))).encode(),
        b"data=" + b64encode(b"??" + named),
        IDFA.encode("utf-16-le"),
        f"user={PERSON.customer_user_id}&b=2".encode(),
        json.dumps({"idfa": OTHER.idfa}).encode(),
    )
    other_delivery = next(one.id for one in world.rows(Delivery) if one.stored_id == ids[2])
    for said in (f"unknown device {IDFA}", b64encode(b"x" + IDFA.lower().encode()).decode(), "ok"):
        world.add(
            Attempt, delivery_id=other_delivery, at=datetime.now(UTC), duration_ms=1, url="u",
            answer=said, error="", error_class="", status=400,
        )  # fmt: skip
    for stored_id, (value, body) in enumerate(
        ((IDFA, None), (None, named), (None, None), ("campaign-7", b'{"version": "4.0"}'))
    ):
        world.add(
            Arrival, identity=bytes(16), stored_id=stored_id, received_at=datetime.now(UTC),
            endpoint="forwarded:x", kind="standing", body=body,
            claims=json.dumps({"ref": value}) if value else None,
        )  # fmt: skip
    return world.erase()


def test_an_erased_person_is_nowhere(world: World) -> None:
    """Events and what is of them, touches, tries, the quarantine, claims."""
    erased = everything(world)
    assert erased.is_scrubbed
    assert {row.event_id for row in world.rows(StoredEvent)} == {"other"}
    (other,) = world.rows(StoredEvent)
    assert {row.event_id for row in world.rows(EventDecision)} == {other.id}
    assert {row.event_id for row in world.rows(Attributed)} == {other.id}
    assert {row.stored_id for row in world.rows(Delivery)} == {other.id}
    assert {row.click_id for row in world.rows(Touch)} == {"another-click"}
    answers_ = [row.answer for row in world.rows(Attempt)]
    assert (answers_.count(ERASED), answers_[-1]) == (2, "ok")
    (kept,) = world.rows(Quarantined)
    assert json.loads(kept.body) == {"idfa": OTHER.idfa}
    assert {row.rows for row in world.rows(Usage) if row.kind == "quarantine-mmp"} == {1}
    *emptied, kept = world.rows(Arrival)
    assert [(row.claims, row.body) for row in emptied] == [(None, None)] * 3
    assert (kept.claims, kept.body) == ('{"ref": "campaign-7"}', b'{"version": "4.0"}')
    assert dict(erased.rows) == {
        "events": 2, "decisions": 4, "deliveries": 4, "attempts": 2, "attributions": 1,
        "touches": 1, "answers": 2, "quarantined": 6, "claims": 2,
    }  # fmt: skip


def test_no_byte_of_the_id_is_left_in_any_file(sqlite_url: str, tmp_path: Path) -> None:
    """After the checkpoint: not in the database, not in its log, not beside it."""
    store = Store(sqlite_url)
    world = World(store, tmp_path)
    crowd = [
        purchase(
            f"{at}", person=replace(OTHER, idfa=f"{at * 7919:032X}", customer_user_id=f"c{at}")
        )
        for at in range(600)
    ]
    for at in range(0, 600, 100):
        world.events.take(*crowd[at : at + 100])
        world.events.take(purchase(f"mine-{at}"))
    before = everything(world).person
    others = _bytes(tmp_path)
    assert str(OTHER.idfa).encode() in others
    gone = {
        *before.identifiers,
        IDFA,
        IDFV,
        TABLET,
        CLICK,
        "customer-8f3a",
        "partner-click-77aa88bb",
    }
    assert len(before.identifiers) >= 7
    for one in gone:
        for spelt in spellings(one):
            raw = spelt.encode()
            coded = {b64encode(bytes(n) + raw)[2:-4] for n in range(3)}
            forms = {raw, quote(spelt, safe="").encode(), spelt.encode("utf-16-le"), *coded}
            assert not [form for form in forms if form in others], one
    store.close()


def _bytes(folder: Path) -> bytes:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"skan.sqlite3", "skan.sqlite3-wal"}
    return b"\n".join(path.read_bytes() for path in files)


def test_what_was_still_owed_ends_as_gone(world: World) -> None:
    """Nothing is there to be sent; the receiver hears of nobody."""
    with sink() as there:
        world.events.define(destination(f"{there.url}?id={{idfa}}"))
        world.events.take(purchase())
        world.erase()
        work(world.store, lambda: world.books.states() == {"dead": 1})
        assert there.received == []
    assert world.books.states() == {"dead": 1}
    assert [row.error_class for row in world.rows(Attempt)] == ["gone"]


def test_a_copy_of_the_old_time_is_dropped_and_a_new_time_is_another_person(world: World) -> None:
    """Whatever the case of the letters, and by any of what was known of the person."""
    world.events.take(purchase())
    world.erase("customer_user_id", "customer-8f3a")
    assert {
        row.erased_at > datetime.now(UTC) - timedelta(minutes=1) for row in world.rows(Tombstone)
    } == {True}
    past = datetime.now(UTC) - timedelta(days=1)
    later = datetime.now(UTC) + timedelta(minutes=1)
    one = purchase("again", at=past)
    by_device = replace(one, event_id="b", person=Person(idfv=IDFV.lower()))
    assert world.tell(one, by_device) == ["dropped", "dropped"]
    assert world.tell(purchase("new", at=later)) == ["stored"]
    assert world.tell(replace(one, event_id="c", person=OTHER)) == ["stored"]


def test_tombstones_of_an_older_key_hold(world: World) -> None:
    """Keys are rotated, and nobody remembers who was erased."""
    world.erase()
    new = Fernet.generate_key().decode()
    world.settings = Settings(var=world.folder, secret_keys=(new, *world.settings.vault_keys))
    assert world.tell(purchase("again", at=datetime.now(UTC) - timedelta(days=1))) == ["dropped"]


def test_tombstones_name_nobody(world: World) -> None:
    """Without the key nobody can try out identifiers."""
    world.erase()
    (mine,) = world.rows(Tombstone)
    world.settings = Settings(var=world.folder, secret_keys=(Fernet.generate_key().decode(),))
    world.erase()
    assert len({row.key for row in world.rows(Tombstone)}) == 2
    assert len(mine.key) == 16


def test_who_is_not_here_is_buried_all_the_same(world: World) -> None:
    """What comes later of the time before is not wanted either. Twice is as good as once."""
    for _ in range(2):
        erased = world.erase("idfa", "00000000-DEAD-4EEF-8000-000000000001")
        assert not +erased.rows
    assert len(world.rows(Tombstone)) == 1


def test_what_many_share_is_followed_to_nobody(world: World) -> None:
    """`guest` is no user: the others stay."""
    crowd = [
        purchase(f"{at}", person=Person(idfa=f"{at:032X}", customer_user_id="guest"))
        for at in range(MOST_DEVICES + 1)
    ]
    world.events.take(*crowd)
    with world.store.read() as connection:
        person = find(connection, Asked("idfa", f"{3:032x}"))
    assert person.shared == (("customer_user_id", "guest"),)
    world.erase("idfa", f"{3:032x}")
    assert len(world.rows(StoredEvent)) == MOST_DEVICES


def test_it_is_followed_once(world: World) -> None:
    """The tablet's other user is another person."""
    world.events.take(
        purchase("mine", person=Person(idfa=IDFA, customer_user_id="customer-a")),
        purchase("tablet", person=Person(idfa=TABLET, customer_user_id="customer-a")),
        purchase("theirs", person=Person(idfa=TABLET, customer_user_id="customer-b")),
    )
    erased = world.erase()
    assert erased.person.followed == (("customer_user_id", "customer-a"),)
    assert [row.event_id for row in world.rows(StoredEvent)] == ["theirs"]


def test_who_was_stopped_in_the_middle_begins_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each number of transactions: the second time all of it is gone."""
    for stop in range(1, 8):
        world.events.take(
            purchase(f"a{stop}"),
            purchase(f"b{stop}", person=Person(idfa=TABLET, customer_user_id="customer-8f3a")),
        )
        world.quarantine(IDFA.encode())
        world.touch(f"{CLICK}-{stop}", idfa=IDFA)
        store = _Dying(world.store.url.render_as_string(hide_password=False), stop)
        with pytest.raises(StoreUnavailable):
            erase(store, world.settings, Asked("device_id", IDFA))
        store.close()
        world.erase()
        assert not [*world.rows(StoredEvent), *world.rows(Quarantined), *world.rows(Touch)]


class _Dying(Store):
    """Takes so many transactions."""

    def __init__(self, url: str, left: int) -> None:
        super().__init__(url)
        self.left = left

    def write(self, work: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("gone")
        return super().write(work)

    def scrub(self) -> bool:
        raise StoreUnavailable("gone")


def test_a_reader_that_holds_the_log_is_told_of(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the log still has it, and nobody says otherwise."""
    monkeypatch.setattr("skan_receiver.storage.store.BUSY_TIMEOUT_MS", 50)
    store = Store(sqlite_url)
    world = World(store, tmp_path)
    world.events.take(purchase())
    with store.read() as reading:
        reading.execute(table(StoredEvent).select()).all()
        assert not world.erase().is_scrubbed
    assert world.erase().is_scrubbed
    store.close()
