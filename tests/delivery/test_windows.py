"""Each window of a report is made once, whatever workers, outages and late postbacks do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, update

from skan_receiver.delivery.facts import of_window
from skan_receiver.delivery.registry import change, pause, remove
from skan_receiver.delivery.window_spans import Length, Span, containing, over
from skan_receiver.delivery.windows import MOST, Looks, make_windows
from skan_receiver.storage import CountCell, Fresh, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.retention import retain
from tests.delivery.reporting import (
    DAY,
    DELIVERY,
    HOUR,
    all_windows,
    define,
    owed,
    receive,
    report,
    this_hour,
    windows,
)
from tests.receiving import Receiver

T = TypeVar("T")


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def test_a_window_is_made_once_its_time_is_over(receiver: Receiver) -> None:
    """And what has waited a little; the first is the one in which the destination began."""
    define(receiver.store, report(length="hour"), ago=2.5 * HOUR)
    begun = containing("hour", datetime.now(UTC) - 2.5 * HOUR)

    made = all_windows(receiver)

    assert [(row.start, row.end, row.revision) for row in made] == [
        (span.start, span.end, 0) for span in over("hour", begun.start, this_hour())
    ]
    assert len(made) in (2, 3)
    assert [(row.stored_id, row.identity) for row in owed(receiver.store)] == [
        (row.id, row.identity) for row in made
    ]


def test_a_window_waits_as_long_as_the_destination_says(receiver: Receiver) -> None:
    """Counted by the database's clock."""
    define(receiver.store, report(length="hour", wait_minutes=24 * 60), ago=20 * HOUR)

    assert all_windows(receiver) == []


def test_a_window_waits_for_what_is_not_counted_yet(receiver: Receiver) -> None:
    """What came before its end must be in it."""
    define(receiver.store, report(length="hour"), ago=3 * HOUR)
    receiver.now = this_hour() - 0.5 * HOUR
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    _came(receiver, receiver.now)

    before = all_windows(receiver)
    receiver.settle()
    after = all_windows(receiver)

    assert this_hour() not in {row.end for row in before}
    assert of_window(after[-1])["rows"][0][3] == 1


def test_of_many_workers_one_makes_a_window(receiver: Receiver) -> None:
    """Whoever comes second finds it made, and what is owed of it owed."""
    names = ("one", "two", "three")
    define(receiver.store, *(report(name, length="hour") for name in names), ago=10 * HOUR)
    receive(receiver, datetime.now(UTC) - 5 * HOUR, 20)

    def work(_: int) -> int:
        return sum(iter(lambda: make_windows(receiver.store, receiver.settings), 0))

    with ThreadPoolExecutor(4) as workers:
        made = sum(workers.map(work, range(4)))

    rows, deliveries = windows(receiver.store), owed(receiver.store)
    assert made == len(rows) == len(deliveries) >= 30 - 3
    assert len({(row.destination, row.start, row.revision) for row in rows}) == made
    assert {(row.identity, row.stored_id) for row in deliveries} == {
        (row.identity, row.id) for row in rows
    }
    assert all_windows(receiver) == rows


class Killed(BaseException):
    """As if the process had ended here."""


class Dying(Store):
    """Writes everything, and is killed before it is kept."""

    def write(self, work: Callable[[Connection], T]) -> T:
        def die(connection: Connection) -> T:
            work(connection)
            raise Killed

        return super().write(die)


def test_a_worker_that_is_killed_leaves_nothing_half_made(
    receiver: Receiver, store_url: str
) -> None:
    """Neither a window that nobody is owed, nor one that is owed and not there."""
    define(receiver.store, report(length="hour"), ago=3 * HOUR)
    dying = Dying(store_url)

    with pytest.raises(Killed):
        make_windows(dying, receiver.settings)
    dying.close()

    assert (windows(receiver.store), owed(receiver.store)) == ([], [])
    assert len(all_windows(receiver)) == len(owed(receiver.store)) >= 2


def test_after_an_outage_every_window_is_made_in_order(receiver: Receiver) -> None:
    """36 hours: none is left out, none is made twice, and they are owed oldest first."""
    define(receiver.store, report(length="hour"), report("days"), ago=36 * HOUR)

    made = all_windows(receiver)

    hours = [row for row in made if row.destination == "numbers"]
    assert len(hours) in (35, 36, 37)
    assert all(one.end == other.start for one, other in pairwise(hours))
    assert len(made) - len(hours) in (1, 2)
    order = {row.identity: row.id for row in owed(receiver.store)}
    assert sorted(hours, key=lambda row: order[row.identity]) == hours


def test_a_call_makes_a_bounded_number(receiver: Receiver) -> None:
    """And begins nothing when its time is over, so that the worker can stop soon. The next call
    goes on."""
    define(receiver.store, report(length="hour"), ago=150 * HOUR)
    looks = Looks()

    assert make_windows(receiver.store, receiver.settings) == MOST
    assert make_windows(receiver.store, receiver.settings, looks, seconds=60) == MOST
    assert make_windows(receiver.store, receiver.settings, looks, seconds=0) == 1
    assert make_windows(receiver.store, receiver.settings, looks, seconds=0) == 1
    assert len(windows(receiver.store)) == 2 * MOST + 2


def test_a_late_postback_makes_a_revision(receiver: Receiver) -> None:
    """Of its window alone; where nothing is new, nothing is made."""
    define(receiver.store, report(length="hour"), ago=6 * HOUR)
    at = this_hour() - 3.5 * HOUR
    receive(receiver, at)
    first = all_windows(receiver)
    assert all_windows(receiver) == first

    receive(receiver, at + timedelta(minutes=1))
    revised = all_windows(receiver)

    (row,) = revised[len(first) :]
    assert (row.start, row.revision) == (containing("hour", at).start, 1)
    assert len(owed(receiver.store)) == len(revised)
    assert (of_window(row)["revision"], of_window(row)["rows"][0][3]) == (2, 2)
    assert all_windows(receiver) == revised


def test_each_window_is_looked_at_again_once_an_hour_or_day(receiver: Receiver) -> None:
    """By a worker that goes on; one that has just begun looks at all of them."""
    define(receiver.store, report(length="hour"), ago=6 * HOUR)
    looks = Looks()
    while make_windows(receiver.store, receiver.settings, looks):
        pass
    receive(receiver, this_hour() - 3.5 * HOUR)

    assert make_windows(receiver.store, receiver.settings, looks, seconds=60) == 0
    assert make_windows(receiver.store, receiver.settings, Looks(), seconds=60) == 1


def test_no_window_is_too_many_to_be_looked_at(receiver: Receiver) -> None:
    """However many destinations and windows come before it, by a worker of either kind."""
    define(receiver.store, *(report(name, length="hour") for name in "ab"), ago=30 * HOUR)
    all_windows(receiver)
    for hour, looks, calls in ((1.5, None, 1), (2.5, Looks(), 60)):
        receive(receiver, this_hour() - hour * HOUR)
        made = [
            make_windows(receiver.store, receiver.settings, looks, seconds=0) for _ in range(calls)
        ]
        assert sum(made) == 2


@pytest.mark.parametrize(("days", "made"), [(0, 0), (1, 0), (3, 1), (None, 1)])
def test_a_window_is_revised_for_some_days_only(
    receiver: Receiver, days: int | None, made: int
) -> None:
    """By arrival three, unless the destination says otherwise; 0 is never."""
    define(receiver.store, report(revise_days=days), ago=3.5 * DAY)
    before = all_windows(receiver)
    receive(receiver, containing("day", datetime.now(UTC)).start - 1.5 * DAY)

    assert len(all_windows(receiver)) - len(before) == made


def test_another_definition_restates_what_may_be_revised(receiver: Receiver) -> None:
    """At once, by a worker that goes on as well: a receiver never adds up two kinds of rows."""
    define(receiver.store, report(length="hour"), ago=3 * HOUR)
    receive(receiver, this_hour() - 1.5 * HOUR)
    looks = Looks()
    make_windows(receiver.store, receiver.settings, looks, seconds=60)
    before = windows(receiver.store)

    change(receiver.store, report(length="hour", by=("version",)))
    make_windows(receiver.store, receiver.settings, looks, seconds=60)

    after = windows(receiver.store)[len(before) :]
    assert [row.start for row in after] == [row.start for row in before]
    assert all(of_window(row)["columns"][0] == "version" for row in after)


@pytest.mark.parametrize("other", ["hour", "day", "week"])
@pytest.mark.parametrize("length", ["hour", "day", "week"])
def test_another_length_goes_on_where_the_last_window_ended(
    receiver: Receiver, length: Length, other: Length
) -> None:
    """Without a gap, and with whole windows: the first of them may begin earlier."""
    define(receiver.store, report(length=length, revise_days=0), ago=18 * DAY)
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    _came(receiver, datetime.now(UTC) - 9 * DAY)
    before = all_windows(receiver)
    receiver.settle()
    change(receiver.store, report(length=other, revise_days=0))

    made = all_windows(receiver)[len(before) :]

    assert [Span(row.start, row.end) for row in made] == list(
        over(other, before[-1].end, datetime.now(UTC))
    )
    assert len(made) >= 1
    assert all_windows(receiver)[len(before) :] == made


def test_a_paused_destination_gets_its_windows(receiver: Receiver) -> None:
    """They wait for it."""
    define(receiver.store, report(length="hour"), ago=2 * HOUR)
    pause(receiver.store, "numbers")

    assert len(all_windows(receiver)) == len(owed(receiver.store)) >= 1


def test_nothing_is_made_of_a_destination_that_is_no_more(receiver: Receiver) -> None:
    """Nor is anything owed to it."""
    define(receiver.store, report(length="hour"), ago=2 * HOUR)
    remove(receiver.store, "numbers")

    assert all_windows(receiver) == owed(receiver.store) == []


class Overtaken(Store):
    """Somebody changes a destination just before anything is written."""

    def write(self, work: Callable[[Connection], T]) -> T:
        other = Store(self.url.render_as_string(hide_password=False))
        change(other, report(length="day"))
        other.close()
        return super().write(work)


def test_what_was_made_by_an_old_definition_is_not_kept(receiver: Receiver, store_url: str) -> None:
    """It may have been changed so that this is nobody's business any more."""
    define(receiver.store, report(length="hour"), ago=3 * HOUR)
    overtaken = Overtaken(store_url)

    assert make_windows(overtaken, receiver.settings) == 0
    overtaken.close()

    assert windows(receiver.store) == owed(receiver.store) == []


def test_one_report_that_breaks_keeps_no_other_from_its_windows(receiver: Receiver) -> None:
    """Here by a count of a window that Apple does not have: a later release's, say."""
    both = (report(name, length="hour", apps=apps) for name, apps in APPS.items())
    define(receiver.store, *both, ago=3 * HOUR)
    receive(receiver, this_hour() - 2.5 * HOUR, app_id=13)
    unheard = update(table(CountCell)).values(window=9)
    receiver.store.write(lambda connection: connection.execute(unheard))

    made = all_windows(receiver)

    assert {row.destination for row in made} == {"numbers"}


APPS = {"broken": (13,), "numbers": (42,)}


def test_a_name_is_of_the_window_and_not_of_the_database(
    receiver: Receiver, sqlite_template: Path, tmp_path: Path
) -> None:
    """Made again elsewhere, it is the same delivery to whoever remembers."""
    path = tmp_path / "other.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    other = Receiver(Store(f"sqlite:///{path}"))
    for one in (receiver, other):
        define(one.store, report(length="hour"), ago=2 * HOUR)

    names = [{row.identity for row in all_windows(one)} for one in (receiver, other)]

    assert names[0] == names[1]
    other.store.close()


def _came(receiver: Receiver, at: datetime) -> None:
    """As if what is fresh had come then, by the database's clock."""
    receiver.store.write(lambda connection: connection.execute(update(table(Fresh)).values(at=at)))


def test_windows_go_after_400_days(receiver: Receiver) -> None:
    """But for those that are still owed: a paused destination may have been so for long."""
    define(receiver.store, report(length="hour"), ago=5 * HOUR)
    made = all_windows(receiver)
    done = update(DELIVERY).where(DELIVERY.c.stored_id != made[0].id).values(state="done")
    receiver.store.write(lambda connection: connection.execute(done))

    def retained(days: int) -> int:
        return retain(receiver.store, receiver.settings, made[-1].end + days * DAY)

    assert retained(400) == len(made) - 2  # the last one has not been over for so long
    assert retained(401) == 1
    assert windows(receiver.store) == made[:1]
    assert retained(401) == 0
