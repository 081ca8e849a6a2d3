"""Each rule tells of what it is for, and of nothing else."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from skan_receiver.alerting.proportions import surely_more
from skan_receiver.config import Settings
from skan_receiver.delivery import registry
from skan_receiver.storage import Delivery, Fresh, Store, StoredDestination, Usage
from skan_receiver.storage.alerts import CRITICAL, WARNING
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, publish
from tests.alerting.planted import DAY, HOUR, MIDNIGHT, NOW, cell, daily, found, plant
from tests.conversion.schemas import rules, text
from tests.delivery.owing import relay

LATELY, BEFORE = range(1, 4), range(4, 18)


def test_a_null_rate_that_jumps_is_told_with_what_is_usual(store: Store) -> None:
    """Half are without a value where a tenth was; another network is as ever."""
    plant(store, *daily(BEFORE, 90), *daily(BEFORE, 10, None))
    plant(store, *daily(LATELY, 50), *daily(LATELY, 50, None))
    for days in (BEFORE, LATELY):
        plant(store, *daily(days, 40, ad_network_id="b.example"))
        plant(store, *daily(days, 60, None, ad_network_id="b.example"))
    [one] = found(store, "null_rate")
    assert (one.subject, one.severity) == ("42 a.example", WARNING)
    assert one.value == pytest.approx(50)
    assert "50%" in one.message
    assert "150 of 300" in one.message
    assert "10%" in one.message
    assert not found(store, "null_rate", points=45)


def test_a_null_rate_of_few_or_of_losers_is_no_news(store: Store) -> None:
    """Nor is one of today, which is not over; nor one that chance explains."""
    plant(store, *daily(BEFORE, 5), *daily(LATELY, 5, None))
    plant(store, *daily(BEFORE, 90, ad_network_id="b"), *daily(LATELY, 90, ad_network_id="b"))
    plant(store, *daily(LATELY, 900, None, ad_network_id="b", did_win=False, counted=False))
    plant(store, cell(NOW, 5000, None, ad_network_id="b"))
    assert not found(store, "null_rate")
    assert not surely_more(12, 100, 5, 100)
    assert surely_more(40, 100, 5, 100)


@pytest.mark.parametrize(("refused", "severity"), [(40, WARNING), (900, CRITICAL)])
def test_many_invalid_postbacks_are_told(store: Store, refused: int, severity: str) -> None:
    """With the network that most of them name."""
    plant(store, *daily(range(1, 15), 1000), cell(NOW - 3 * HOUR, 100))
    plant(store, cell(NOW - HOUR, refused, verdict="invalid", counted=False, ad_network_id="x"))
    [one] = found(store, "invalid_share")
    assert one.severity == severity
    assert f"network x ({refused})" in one.message
    assert "usual is 0.0%" in one.message


def test_invalid_postbacks_as_ever_or_few_are_not_told(store: Store) -> None:
    """Who always gets so many knows; a handful is nobody."""
    plant(store, cell(NOW - HOUR, 30, verdict="unverifiable", counted=False))
    assert not found(store, "invalid_share")
    refused: Any = {"verdict": "invalid", "counted": False}
    plant(store, *daily(range(2, 15), 60), *daily(range(2, 15), 40, **refused))
    plant(store, cell(NOW - HOUR, 60), cell(NOW - HOUR, 10, **refused))
    assert not found(store, "invalid_share")


def test_a_network_that_stops_is_told_for_a_month(store: Store) -> None:
    """After three times its longest gap, here a day: not sooner, and not for ever."""
    plant(store, *daily(range(3, 30), 5))
    plant(store, *daily(range(3, 30, 4), 5, ad_network_id="now-and-then"))
    plant(store, *daily(range(30), 5, ad_network_id="steady"))
    assert not found(store, "silent_network")
    [one] = found(store, "silent_network", NOW + DAY)
    assert (one.subject, one.severity) == ("a.example", CRITICAL)
    assert "since 20 Nov, 12:00 UTC" in one.message
    assert "longest silence was 24 h" in one.message
    assert found(store, "silent_network", NOW + 20 * DAY)[0].subject == "a.example"
    assert not found(store, "silent_network", NOW + 50 * DAY)


def test_a_destination_that_takes_nothing_is_told(store: Store) -> None:
    """Where it has failed for an hour, was paused by us, or has new dead letters."""
    for name in ("failing", "shut", "dead", "well", "paused"):
        registry.add(store, relay("https://203.0.114.1/in", name))
    registry.pause(store, "shut", "it answers 410")
    registry.pause(store, "paused")
    destination = table(StoredDestination)
    since = update(destination).where(destination.c.name == "failing")
    store.write(lambda c: c.execute(since.values(failing_since=NOW - 2 * HOUR)))
    for number, (name, ago) in enumerate((("dead", HOUR), ("well", 3 * DAY), ("gone", HOUR))):
        row = {"identity": bytes(16), "stored_id": number, "destination": name, "state": "dead"}
        times = {"next_at": NOW, "created_at": NOW, "settled_at": NOW - ago}
        values = {**row, **times, "attempts": 1, "refusals": 0, "replays": 0}
        store.write(lambda c, v=values: c.execute(insert(table(Delivery)).values(v)))  # type: ignore[misc]
    told = {one.subject: one for one in found(store, "delivery_failing")}
    assert set(told) == {"failing", "shut", "dead"}
    assert "2.0 hours ago" in told["failing"].message
    assert "it answers 410" in told["shut"].message
    assert "1 delivery was given up" in told["dead"].message


def test_values_of_two_versions_are_told_while_they_are_many(store: Store) -> None:
    """A schema was changed yesterday at noon; until then all was certain."""
    changed = MIDNIGHT - DAY + 12 * HOUR
    schema = rules("value: 20, when: [{event: purchase}]", "value: 0")
    publish(store, Publication(text(schema)), changed - 100 * DAY)
    plant(store, *daily(range(7), 100), *daily(range(7), 900, None))
    assert not found(store, "ambiguity")
    other = text(schema.replace("purchase", "session"))
    publish(store, Publication(other, changed), changed)
    [one] = found(store, "ambiguity")
    assert one.subject == "42"
    assert "of 700" in one.message
    assert not found(store, "ambiguity", NOW + 60 * DAY)


def test_test_keys_are_told_outside_of_a_sandbox_only(store: Store, tmp_path: Path) -> None:
    """And a sandbox where it has a public address."""
    keys = {"test_keys": tmp_path / "test-keys.json"}
    public = "https://skan.example"
    cases = {
        "": {},
        "SKAN_TEST_KEYS": {**keys, "public_url": public},
        "SKAN_SANDBOX": {**keys, "sandbox": True, "public_url": public},
    }
    for subject, said in cases.items():
        told = found(store, "test_keys", settings=Settings(**said))  # type: ignore[arg-type]
        assert [one.subject for one in told] == [subject] * bool(subject)
    at_home = Settings(sandbox=True, public_url="http://localhost:8000", **keys)  # type: ignore[arg-type]
    assert not found(store, "test_keys", settings=at_home)


def test_a_cap_that_is_nearly_reached_is_told(store: Store) -> None:
    """By rows or by bytes."""
    usage = insert(table(Usage))
    rows = [
        {"kind": "invalid", "rows": 95_000, "bytes": 1},
        {"kind": "quarantine", "rows": 1, "bytes": 64 * 1024 * 1024},
        {"kind": "quarantine-mmp", "rows": 10, "bytes": 10},
    ]
    store.write(lambda c: c.execute(usage, rows))
    told = [(one.subject, one.severity) for one in found(store, "caps")]
    assert told == [("invalid", WARNING), ("quarantine", CRITICAL)]


def test_postbacks_that_wait_are_told(store: Store) -> None:
    """Nothing, or what came a moment ago, is not."""
    assert not found(store, "backlog")
    row = {"identity": bytes(16), "stored_id": 1, "delta": 1}
    store.write(lambda c: c.execute(insert(table(Fresh)).values(row)))
    time.sleep(0.01)
    with store.read() as connection:
        at = connection.scalar(table(Fresh).select().with_only_columns(table(Fresh).c.at))
    assert at is not None
    assert not found(store, "backlog", at + timedelta(minutes=1))
    [one] = found(store, "backlog", at + timedelta(minutes=7))
    assert "7 minutes" in one.message
