"""What no production key vouches for, and why."""

from datetime import date, timedelta
from typing import Any

import pytest

from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable
from skan_receiver.reports.invalid import GONE, Doubtful, rows
from skan_receiver.reports.period import zone_named
from skan_receiver.reverify import reverify
from skan_receiver.storage import Store
from skan_receiver.storage.retention import drop_unvouched
from skan_receiver.testing import Signer, encode
from tests.receiving import NOON, Receiver
from tests.reports.plans import plan
from tests.reports.test_results import MONTH

WRONG = "signature does not match"


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """Five that are valid; two forgeries, a key nobody knows, and a test key's."""
    receiver = Receiver(store)
    sign = receiver.signer.skadnetwork
    receiver.receive(*(sign("4.0") for _ in range(5)))
    receiver.receive({**sign("4.0"), "app-id": 1}, endpoint="developer")
    receiver.later(days=1)
    receiver.receive({**sign("3.0"), "app-id": 1}, endpoint="forwarded:mmp")
    receiver.receive(Signer(seed=2, kids=["stranger/0"]).adattributionkit())
    tester = Signer(seed=3)
    ingest = Ingest(store, receiver.settings, tester.keys())
    ingest([Incoming(receiver.now, "network", encode(tester.skadnetwork("4.0")))])
    receiver.settle()
    return receiver


def invalid(receiver: Receiver, *by: str, period: Period = MONTH, **filters: Any) -> list[Doubtful]:
    with receiver.store.read() as connection:
        return rows(connection, Question(period=period, by=by, filters=Filters(**filters)))


def test_each_reason_is_told_with_its_share_of_all(receiver: Receiver) -> None:
    """Of nine postbacks; what was signed by a development key needs no reason."""
    found = invalid(receiver, "verdict", "reason")

    assert [(row.verdict, row.postbacks, row.share) for row in found] == [
        ("development", 1, 0.111111),
        ("invalid", 2, 0.222222),
        ("unverifiable", 1, 0.111111),
    ]
    assert [row.reason for row in found] == ["", WRONG, "no key named stranger/0"]
    assert [len(row.examples) for row in found] == [1, 2, 1]
    (whole,) = invalid(receiver)
    assert (whole.postbacks, whole.share, len(whole.examples)) == (4, 0.444444, 2)


def test_a_share_is_of_the_same_day_network_and_version(receiver: Receiver) -> None:
    """As far as counts know: of endpoints, keys and reasons they do not."""
    by_day = invalid(receiver, "day", "endpoint")

    assert [(row.day, row.endpoint, row.postbacks, row.share) for row in by_day] == [
        (date(2026, 11, 23), "developer", 1, 0.166667),
        (date(2026, 11, 24), "forwarded:mmp", 1, 0.333333),
        (date(2026, 11, 24), "network", 2, 0.666667),
    ]
    by_version = invalid(receiver, "version", "key_id", verdict="invalid")
    assert [(row.version, row.key_id, row.share) for row in by_version] == [
        ("3.0", "test/P-256", 1),
        ("4.0", "test/P-256", 0.142857),
    ]


def test_what_is_no_longer_kept_is_still_told(receiver: Receiver) -> None:
    """By what counts know of it; days are those that `volumes` has, in any zone."""
    drop_unvouched(receiver.store, NOON + timedelta(hours=1))

    found = invalid(receiver, "day", "reason")

    assert [(row.day.day if row.day else 0, row.reason, row.postbacks) for row in found] == [
        (23, GONE, 1),
        (24, "", 1),
        (24, "no key named stranger/0", 1),
        (24, WRONG, 1),
    ]
    assert found[0].examples == ()
    assert [row.postbacks for row in invalid(receiver)] == [4]
    berlin = Period.of("2026-11-01", "2026-11-30", NOON, zone_named("Europe/Berlin"))
    for period in (MONTH, berlin):
        asked = Question(period=period, by=("day", "verdict"))
        with receiver.store.read() as connection:
            volumes = REPORTS["volumes"].table(connection, asked)
        told = invalid(receiver, "day", "verdict", period=period)
        assert [(row.day, row.verdict, row.postbacks) for row in told] == [
            (row["day"], row["verdict"], row["postbacks"])
            for row in volumes
            if row["verdict"] != "valid"
        ]


def test_what_is_not_counted_yet_is_told(store: Store) -> None:
    """A second after it came, and no share is more than all."""
    receiver = Receiver(store)
    receiver.receive({**receiver.signer.skadnetwork("4.0"), "app-id": 1})

    assert [(row.postbacks, row.share) for row in invalid(receiver)] == [(1, 1)]


def test_what_was_judged_anew_is_told_once(store: Store) -> None:
    """After a key was added, what it vouches for is gone from here."""
    receiver = Receiver(store)
    other = Signer(seed=9)
    receiver.receive(other.skadnetwork("4.0"), {**other.skadnetwork("4.0"), "app-id": 1})
    receiver.settle()
    assert [row.postbacks for row in invalid(receiver)] == [2]

    reverify(store, other.keys(production=True))
    receiver.settle()

    assert [(row.postbacks, row.share) for row in invalid(receiver)] == [(1, 0.5)]


def test_filters_leave_the_rest_out(receiver: Receiver) -> None:
    """All but whether it counts: nothing here does."""
    assert [row.postbacks for row in invalid(receiver, app_id=1)] == [2]
    assert [row.postbacks for row in invalid(receiver, framework="adattributionkit")] == [1]
    assert [row.postbacks for row in invalid(receiver, ad_network_id="EXAMPLE123.skadnetwork")] == [
        3
    ]
    assert invalid(receiver, verdict="valid") == []
    with pytest.raises(Unanswerable, match="counted: it looks at rows"):
        invalid(receiver, counted=False)


@pytest.mark.parametrize("dimension", REPORTS["invalid"].dimensions)
def test_the_parts_are_the_whole(receiver: Receiver, dimension: str) -> None:
    """However it is split; and the chart has it all."""
    report, by = REPORTS["invalid"], (dimension,)

    with receiver.store.read() as connection:
        table = report.table(connection, Question(period=MONTH, by=by))

    assert sum(row["postbacks"] for row in table) == 4
    assert sum(one["n"] for one in report.chart(table, by)["data"]["values"]) == 4


def test_rows_are_found_by_their_indexes(receiver: Receiver) -> None:
    """However many valid ones there are beside them; each month on PostgreSQL has its own."""
    found = plan(receiver.store, "invalid", Question(period=MONTH))

    if receiver.store.is_sqlite:
        assert "ix_postback_unvouched" in found
        assert "ix_postback_development" in found
    assert "Seq Scan on postback" not in found
