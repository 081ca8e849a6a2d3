"""When copies arrived, one after the other."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable
from skan_receiver.reports.claimed import claimed_time
from skan_receiver.reports.delays import CLAIM, OTHER, REPEAT, SECOND, Delay, rows
from skan_receiver.reports.lags import BARS, Lags, quantile
from skan_receiver.reports.period import zone_named
from skan_receiver.storage import Store
from skan_receiver.testing import encode
from tests.receiving import NOON, Receiver
from tests.reports.plans import plan
from tests.reports.test_results import MONTH

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def arrive(receiver: Receiver, *copies: tuple[str, timedelta], **members: Any) -> None:
    """One postback: at which endpoints its copies came in, and how long after noon."""
    body = receiver.signer.skadnetwork("4.0", **members)
    for endpoint, after in copies:
        receiver.now = NOON + after
        receiver.receive(body, endpoint=endpoint)
    receiver.now = NOON
    receiver.settle()


def found(receiver: Receiver, *by: str, period: Period = MONTH, **filters: Any) -> list[Delay]:
    with receiver.store.read() as connection:
        return rows(connection, Question(period=period, by=by, filters=Filters(**filters)))


def told(row: Delay) -> tuple[Any, ...]:
    shares = (row.within_1h_share, row.within_24h_share, row.within_9d_share)
    return (row.what, row.first, row.later, row.n, row.median_s, *shares, row.of)


def test_copies_are_told_by_the_endpoints_they_came_in_at(receiver: Receiver) -> None:
    """Of four postbacks three came a second time, one of those by a device that tried again."""
    arrive(receiver, ("network", 0 * HOUR), ("developer", 30 * MINUTE))
    arrive(receiver, ("network", 0 * HOUR), ("developer", 2 * HOUR), ("developer", 26 * HOUR))
    arrive(receiver, ("developer", 0 * HOUR), ("network", 5 * DAY))
    arrive(receiver, ("network", 0 * HOUR))

    assert [told(row) for row in found(receiver)] == [
        (SECOND, None, None, 3, 7200, 0.25, 0.5, 0.75, 4),
        (OTHER, "developer", "network", 1, 432000, 0, 0, 0.25, 4),
        (OTHER, "network", "developer", 2, 1800, 0.25, 0.5, 0.5, 4),
        (REPEAT, "developer", "developer", 1, 86400, 0, 0.25, 0.25, 4),
    ]


def test_several_repeats_of_one_postback_are_one_in_a_share(receiver: Receiver) -> None:
    """A device tries again up to nine times; each of its tries is a lag."""
    arrive(receiver, *(("network", number * DAY) for number in range(4)))
    arrive(receiver, ("network", 0 * HOUR))

    second, repeat = found(receiver)

    assert (second.what, second.n, second.within_24h_share) == (SECOND, 1, 0.5)
    assert (repeat.n, repeat.median_s, repeat.p99_s) == (3, 2 * 86400, 3 * 86400)
    assert (repeat.within_24h_share, repeat.within_9d_share) == (0.5, 0.5)
    assert repeat.histogram == ({"lag": "1 to 3 days", "n": 2}, {"lag": "3 to 9 days", "n": 1})


def test_what_comes_after_nine_days_is_no_copy_of_a_device(receiver: Receiver) -> None:
    """And an import of what came before the first is dated wrongly, or was: counted apart."""
    arrive(receiver, ("network", 0 * HOUR), ("network", 9 * DAY), ("import", 10 * DAY))
    arrive(receiver, ("network", 0 * HOUR), ("import", -HOUR))

    assert [(row.what, row.n, row.negative) for row in found(receiver)] == [
        (SECOND, 1, 1),
        (OTHER, 0, 1),
        (REPEAT, 1, 0),
    ]


def test_whose_values_stand_changes_no_lag(receiver: Receiver) -> None:
    """A forwarder's copy came first, though the network's values replaced its own."""
    arrive(receiver, ("forwarded:mmp", 0 * HOUR), ("network", HOUR), conversion_value=20)

    assert [told(row)[:5] for row in found(receiver)] == [
        (SECOND, None, None, 1, 3600),
        (OTHER, "forwarded:mmp", "network", 1, 3600),
    ]


def claim(receiver: Receiver, *timestamps: Any, **members: Any) -> None:
    ingest = Ingest(receiver.store, receiver.settings, receiver.signer.keys(production=True))
    for said in timestamps:
        body = encode(receiver.signer.skadnetwork("4.0", **members))
        claims = json.dumps({"timestamp": said, "ip": "192.0.2.1"})
        ingest([Incoming(receiver.now, "forwarded:mmp", body, body, claims)])


def test_a_claimed_time_is_compared_with_when_it_was_received(receiver: Receiver) -> None:
    """In seconds or milliseconds; what is said to be of the future is counted apart, and nonsense
    not at all."""
    before = [int((NOON - minutes * MINUTE).timestamp()) for minutes in (1, 2, 30, 120)]
    future = str(int((NOON + HOUR).timestamp() * 1000))
    claim(receiver, before[0], str(before[1] * 1000), f"{before[2]}", before[3], future)
    claim(receiver, None, "yesterday", -1, 0, [1], True, "NaN", 10**30)

    (row,) = found(receiver)

    assert told(row) == (CLAIM, "forwarded:mmp", None, 4, 120, 0.6, 0.8, 0.8, 5)
    assert (row.negative, row.p90_s, row.p99_s) == (1, 7200, 7200)
    assert row.histogram == (
        {"lag": "1 to 10 min", "n": 2},
        {"lag": "10 to 60 min", "n": 1},
        {"lag": "1 to 6 h", "n": 1},
    )


def test_lags_are_of_the_day_of_the_first_copy(receiver: Receiver) -> None:
    """In any zone, also where the second came in another month; filters leave the rest out."""
    late = datetime(2026, 11, 30, 22, 30, tzinfo=UTC) - NOON
    arrive(receiver, ("network", late), ("developer", late + 8 * DAY), app_id=7)
    arrive(receiver, ("network", late + DAY), ("developer", late + 2 * DAY))

    for zone, day in (("UTC", date(2026, 11, 30)), ("Europe/Berlin", date(2026, 11, 30))):
        period = Period.of("2026-11-01", "2026-11-30", NOON, zone_named(zone))
        assert {(row.day, row.n, row.of) for row in found(receiver, "day", period=period)} == {
            (day, 1, 1)
        }
    moscow = Period.of("2026-11-01", "2026-11-30", NOON, zone_named("Europe/Moscow"))
    assert found(receiver, period=moscow) == []
    whole = Period(MONTH.start, MONTH.end + 5 * DAY)
    assert {row.app_id for row in found(receiver, "app_id", period=whole)} == {7, 525463029}
    assert {row.n for row in found(receiver, period=whole, app_id=7)} == {1}
    with pytest.raises(Unanswerable, match="counted: it looks at rows"):
        found(receiver, counted=True)


def test_of_very_many_every_so_manieth_postback_is_looked_at(receiver: Receiver) -> None:
    """Shares are of all, and the row says so."""
    for _ in range(40):
        arrive(receiver, ("network", 0 * HOUR), ("developer", 30 * MINUTE))
        arrive(receiver, ("network", 0 * HOUR))
    claim(receiver, *([NOON.timestamp()] * 20))

    with receiver.store.read() as connection:
        second, other, claimed = rows(connection, Question(period=MONTH), most=10)

    assert (second.every, second.of) == (4, 80)
    assert 0 < second.n == other.n < 20
    assert second.within_1h_share == second.n * 4 / 80
    assert claimed.every == 2
    assert 0 < claimed.of == claimed.n < 20


@pytest.mark.parametrize("dimension", REPORTS["delays"].dimensions)
def test_the_parts_are_the_whole(receiver: Receiver, dimension: str) -> None:
    """However lags are split; and the chart has each once."""
    for number in range(4):
        arrive(receiver, ("network", number * DAY), ("developer", number * DAY + HOUR))
    report, by = REPORTS["delays"], (dimension,)

    with receiver.store.read() as connection:
        table = report.table(connection, Question(period=MONTH, by=by))

    assert sum(row["n"] for row in table if row["what"] == SECOND) == 4
    assert sum(row["of"] for row in table if row["what"] == SECOND) == 4
    assert sum(one["n"] for one in report.chart(table, by)["data"]["values"]) == 4


def test_the_chart_names_what_came_after_what(receiver: Receiver) -> None:
    """Claims are drawn where there are no copies: they are none."""
    arrive(receiver, ("network", 0 * HOUR), ("developer", HOUR), ("network", DAY))
    report = REPORTS["delays"]

    def groups() -> set[str]:
        with receiver.store.read() as connection:
            table = report.table(connection, Question(period=MONTH))
        values = report.chart(table, ())["data"]["values"]
        assert list(dict.fromkeys(one["x"] for one in values)) == list(BARS)
        return {one["group"] for one in values}

    assert groups() == {"network → developer", "network again"}


def test_copies_are_found_by_their_index(receiver: Receiver) -> None:
    """However many postbacks came only once."""
    arrive(receiver, ("network", 0 * HOUR))

    found_by = plan(receiver.store, "delays", Question(period=MONTH))

    assert "ix_arrival_again" in found_by
    assert "ix_arrival_claims" in found_by


lags = st.lists(st.timedeltas(timedelta(), 20 * DAY), min_size=1)


@given(lags, st.floats(0.01, 1))
def test_a_quantile_is_the_shortest_that_enough_do_not_exceed(
    some: list[timedelta], share: float
) -> None:
    """It is one of them; with anything shorter too few would be left."""
    found = quantile(some, share)

    assert found in some
    assert sum(lag <= found for lag in some) >= share * len(some)
    assert sum(lag < found for lag in some) < share * len(some)


@given(st.lists(st.timedeltas(-DAY, 20 * DAY)))
def test_a_histogram_has_each_lag_once(some: list[timedelta]) -> None:
    """But for those that are counted apart."""
    all_ = Lags()
    for lag in some:
        all_.add(lag)

    told = all_.told(len(some))

    assert sum(one["n"] for one in told["histogram"]) == told["n"] == len(some) - told["negative"]


@given(st.integers(1_600_000_000, 4_000_000_000), st.booleans(), st.booleans())
def test_a_claim_is_read_in_either_unit(seconds: int, milliseconds: bool, text: bool) -> None:
    """And as a number or as a text: networks write all four."""
    number = seconds * (1000 if milliseconds else 1)
    said = json.dumps({"timestamp": str(number) if text else number})

    assert claimed_time(said) == datetime.fromtimestamp(seconds, UTC)
