"""Touches and installs that come at once, and how long touches are kept."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skan_receiver.config import Settings, load
from skan_receiver.errors import ConfigurationError
from skan_receiver.events import Intake
from skan_receiver.events import Told as ToldEvent
from skan_receiver.mmp.event import Att, Event, Kind, Person, Signals
from skan_receiver.mmp.touch_reading import told
from skan_receiver.storage import Attributed, Connected, Store, Touch, networks, retention
from skan_receiver.storage.erasure import erase
from skan_receiver.storage.persons import Asked
from skan_receiver.touches import Told, Touches, new_click_id
from tests.test_events import rows

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INSTALL = Event(
    provider="own",
    event_id="i",
    kind=Kind.INSTALL,
    name="install",
    at=NOON,
    app_id=7,
    signals=Signals(att=Att.AUTHORIZED, gdpr_applies=False),
)


def click(network: networks.Network, click_id: str, at: datetime = NOON) -> Told:
    return Told(network, told({"app": "7"}, at, timedelta(days=1)), at, click_id)


@pytest.fixture
def acme(store: Store) -> networks.Network:
    networks.connect(store, "acme", "acme_int", ["7"], NOON)
    with store.read() as connection:
        (network,) = networks.networks(connection)
    return network


def test_two_workers_give_no_click_to_two_installs(
    store: Store, acme: networks.Network, tmp_path: Path
) -> None:
    """Each has an intake of its own, as two processes have; and no install is lost."""
    ids = [new_click_id() for _ in range(20)]
    Touches(store, Settings())([click(acme, one) for one in ids])

    def work(name: str) -> None:
        intake = Intake(store, Settings(var=tmp_path))
        for at in range(0, len(ids), 4):
            some = ids[at : at + 4] if name == "a" else ids[at : at + 4][::-1]
            people = [Person(click_id=one) for one in some]
            intake(
                [
                    ToldEvent(
                        NOON, "api", replace(INSTALL, event_id=f"{name}{one.click_id}", person=one)
                    )
                    for one in people
                ]
            )

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = Counter(row.media_source for row in rows(store, Attributed))
    assert given == {"acme_int": 20, None: 20}


def test_a_network_is_known_to_be_alive(store: Store, acme: networks.Network) -> None:
    """To the minute, however many touches it tells of."""
    touches = Touches(store, Settings())
    for seconds in (0, 30, 90):
        touches([click(acme, new_click_id(), NOON + timedelta(seconds=seconds))])
    (row,) = rows(store, Connected)
    assert row.last_event_at == NOON + timedelta(seconds=90)


def test_touches_end_and_what_they_decided_stays(
    store: Store, acme: networks.Network, tmp_path: Path
) -> None:
    """After SKAN_TOUCH_DAYS."""
    settings = Settings(var=tmp_path, touch_days=10)
    Touches(store, Settings())([click(acme, "old"), click(acme, "new", NOON + timedelta(days=2))])
    Intake(store, settings)(
        [ToldEvent(NOON, "api", replace(INSTALL, person=Person(click_id="old")))]
    )
    assert retention.retain(store, settings, NOON + timedelta(days=10, seconds=1)) == 1
    assert [row.click_id for row in rows(store, Touch)] == ["new"]
    assert [row.media_source for row in rows(store, Attributed)] == ["acme_int"]


def test_touches_are_kept_while_they_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a window would be shorter than it says."""
    monkeypatch.setenv("SKAN_CLICK_DAYS", "14")
    monkeypatch.setenv("SKAN_TOUCH_DAYS", "10")
    with pytest.raises(ConfigurationError, match=r"SKAN_TOUCH_DAYS: .*14 at least"):
        load()


def test_a_touch_of_somebody_erased_does_not_come_back(
    store: Store, acme: networks.Network, tmp_path: Path
) -> None:
    """A network tells again of the time before; what he does afterwards is another's."""
    settings = Settings(var=tmp_path)
    touches = Touches(store, settings)
    now = datetime.now(UTC)
    idfa = "9F3C1B7E-52D4-4A60-8C11-0D5E7A42B693"

    def of(click_id: str, at: datetime, **said: str) -> Told:
        return Told(acme, told({"app": "7", "att": "authorized", **said}, at, DAY), at, click_id)

    before = of("before", now - timedelta(hours=1), idfa=idfa, partner_click_id="theirs-1")
    touches([before])
    erase(store, settings, Asked("idfa", idfa.lower()))
    assert rows(store, Touch) == []
    again = replace(before, click_id="again")
    by_click = of("click", now - timedelta(hours=1), partner_click_id="theirs-1")
    touches([again, by_click, of("other", now), of("new", now + timedelta(minutes=1), idfa=idfa)])
    assert {row.click_id for row in rows(store, Touch)} == {"other", "new"}
