"""What a stored value means, asked of a store in which schemas have changed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from skan_receiver.storage import SchemaVersion, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.meanings import Arrived, Readings, meanings, share
from skan_receiver.storage.schemas import Publication, publish
from tests.conversion.schemas import rules, text

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOCKING = rules("value: 20, lock: true, when: [{event: purchase}]", "value: 0")


def read(store: Store, hours: float, fine_value: int | None = 20) -> Readings:
    """A value that arrived so many hours after the schema changed, at noon."""
    value = Arrived(42, "4.0", 0, "download", fine_value, None, NOON)
    with store.read() as connection:
        return meanings(connection, value, NOON + timedelta(hours=hours))


def changed(store: Store, new: str) -> None:
    publish(store, Publication(text(LOCKING)), NOON)
    publish(store, Publication(text(new), NOON), NOON)


def numbers(readings: Readings) -> list[int]:
    return [reading.version.number for reading in readings]


def test_a_value_that_locks_its_window_is_certain_sooner(store: Store) -> None:
    """It was set 24 to 48 hours before, and not up to 96: the delay alone is in between."""
    changed(store, LOCKING.replace("purchase", "session"))

    assert [numbers(read(store, hours)) for hours in (22, 36, 60)] == [[1], [1, 2], [2]]
    assert [numbers(read(store, hours, 0)) for hours in (22, 36, 60, 96)] == [
        [1],
        [1, 2],
        [1, 2],
        [2],
    ]


def test_a_lock_has_to_be_sure(store: Store) -> None:
    """By the new schema the value locks nothing, so it can have been set long before."""
    changed(store, LOCKING.replace("lock: true, ", "").replace("purchase", "session"))

    assert numbers(read(store, 60)) == [1, 2]


def test_a_missing_value_has_a_reason_by_each_version(store: Store) -> None:
    """Absent is absent, whichever schema was in force."""
    changed(store, LOCKING.replace("purchase", "session"))

    assert [str(one.decoded) for one in read(store, 60, None)] == ["no value", "no value"]


def test_a_version_that_no_longer_reads_says_so(store: Store) -> None:
    """A later release may refuse what an earlier one took; pages and reports go on."""
    publish(store, Publication(text(LOCKING)), NOON)
    spoilt = update(table(SchemaVersion)).values(text="app: [")
    store.write(lambda connection: connection.execute(spoilt))

    (reading,) = read(store, 0)

    assert str(reading.decoded) == "this release cannot read the schema"
    assert (reading.decoded.value, reading.decoded.meaning) == (20, None)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(0.0001, "under 1%"), (0.4932, "49%"), (0.9999, "over 99%")],
)
def test_what_is_uncertain_is_never_0_or_100_percent(weight: float, expected: str) -> None:
    """Rounded, it would read like a fact."""
    assert share(weight) == expected
