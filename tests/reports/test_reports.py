"""Reports are sums of what was counted."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.reports.period import zone_named
from skan_receiver.reports.values import Value, null_rates
from skan_receiver.reports.values import rows as values_of
from skan_receiver.reports.volumes import Volume
from skan_receiver.reports.volumes import rows as volumes_of
from skan_receiver.storage import Store
from tests.receiving import NOON, Receiver

MONTH = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
ALL = Filters()


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """Two days of postbacks: a download and a forgery, then a redownload and a loser."""
    receiver = Receiver(store)
    sign = receiver.signer.skadnetwork
    receiver.receive(sign("4.0", conversion_value=20), {**sign("3.0"), "app-id": 1})
    receiver.later(days=1, hours=1)
    receiver.receive(sign("4.0", redownload=True, conversion_value=20), sign("4.0", did_win=False))
    receiver.receive(sign("4.0", coarse_conversion_value="low", postback_sequence_index=1))
    receiver.settle()
    return receiver


def asked(*by: str, filters: Filters = ALL) -> Question:
    return Question(period=MONTH, filters=filters, by=by)


def volumes(receiver: Receiver, *by: str, filters: Filters = ALL) -> list[Volume]:
    with receiver.store.read() as connection:
        return volumes_of(connection, asked(*by, filters=filters))


def values(receiver: Receiver, *by: str, filters: Filters = ALL) -> list[Value]:
    with receiver.store.read() as connection:
        return values_of(connection, asked(*by, filters=filters))


def test_volumes_tell_what_came_from_what_counts(receiver: Receiver) -> None:
    """A forgery is a postback that does not count; a redownload counts and is no install."""
    assert volumes(receiver) == [Volume(postbacks=5, counted=4, installs=1)]


def test_a_day_is_a_sum_of_hours(receiver: Receiver) -> None:
    """Days are UTC days, on both stores."""
    assert [(row.day, row.postbacks) for row in volumes(receiver, "day")] == [
        (date(2026, 11, 23), 2),
        (date(2026, 11, 24), 3),
    ]
    assert [(row.hour, row.postbacks) for row in volumes(receiver, "hour")] == [
        (NOON.replace(minute=0), 2),
        (NOON.replace(minute=0) + timedelta(days=1, hours=1), 3),
    ]


@pytest.mark.parametrize("dimension", REPORTS["volumes"].dimensions)
def test_the_parts_are_the_whole(receiver: Receiver, dimension: str) -> None:
    """However volumes are split, they add up to the same."""
    assert sum(row.postbacks for row in volumes(receiver, dimension)) == 5
    assert all(getattr(row, dimension) is not None for row in volumes(receiver, dimension))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(verdict="invalid"), 1),
        (Filters(version="4.0"), 4),
        (Filters(window=1), 1),
        (Filters(app_id=1), 1),
        (Filters(counted=True), 4),
        (Filters(counted=False), 1),
        (Filters(framework="adattributionkit"), 0),
        (Filters(ad_network_id="EXAMPLE123.skadnetwork"), 5),
    ],
)
def test_a_filter_leaves_the_rest_out(receiver: Receiver, filters: Filters, expected: int) -> None:
    """Ids of networks compare without case, as Apple's do."""
    assert sum(row.postbacks for row in volumes(receiver, filters=filters)) == expected


def test_the_end_of_a_period_is_left_out(receiver: Receiver) -> None:
    """Two periods that touch share no postback."""
    noon = NOON.replace(minute=0)
    until, since = Period(MONTH.start, noon), Period(noon, noon + timedelta(hours=1))
    with receiver.store.read() as connection:
        found = [REPORTS["volumes"].table(connection, Question(period=p)) for p in (until, since)]
    assert [[row["postbacks"] for row in rows] for rows in found] == [[], [2]]


def test_values_add_up_to_one_in_each_window(receiver: Receiver) -> None:
    """The loser could carry no value, so it is no part of the null share."""
    assert values(receiver, "window") == [
        Value(window=0, fine_value=20, coarse_value=None, postbacks=2, share=1.0),
        Value(window=0, fine_value=None, coarse_value=None, postbacks=0, share=0.0),
        Value(window=1, fine_value=None, coarse_value="low", postbacks=1, share=1.0),
        Value(window=1, fine_value=None, coarse_value=None, postbacks=0, share=0.0),
    ]


def test_the_null_share_is_what_came_without_a_value(receiver: Receiver) -> None:
    """An absent value is absent: a row of its own, and never the value 0."""
    sign = receiver.signer.skadnetwork
    receiver.receive(sign("4.0"), sign("4.0", conversion_value=0), sign("1.0"))
    receiver.settle()
    answers = {
        (row.fine_value, row.coarse_value): row.share
        for row in values(receiver, "window")
        if row.window == 0
    }
    assert answers == {(20, None): 0.5, (0, None): 0.25, (None, None): 0.25}


@pytest.mark.parametrize("by", [(), ("day",), ("hour",), ("app_id", "window"), ("version",)])
def test_null_rates_are_those_shares(receiver: Receiver, by: tuple[str, ...]) -> None:
    """Asked in the quick way: the same groups, the same numbers."""
    sign = receiver.signer.skadnetwork
    receiver.receive(sign("4.0"), sign("4.0", conversion_value=0), sign("1.0"), sign("3.0"))
    receiver.later(days=2)
    receiver.receive(sign("4.0", app_id=7), receiver.signer.adattributionkit(conversion_value=3))
    receiver.receive(sign("4.0", postback_sequence_index=1, coarse_conversion_value="low"))
    receiver.settle()
    shares = {
        tuple(getattr(row, name) for name in by): row.share
        for row in values(receiver, *by)
        if row.fine_value is None and row.coarse_value is None
    }
    with receiver.store.read() as connection:
        rates = null_rates(connection, asked(*by))
    assert rates == shares
    assert any(rates.values())


ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Chatham"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_elsewhere_has_the_hours_that_begin_on_it_there(store: Store, zone: str) -> None:
    """Also where clocks change, and where they are off by a part of an hour."""
    receiver = Receiver(store)
    hours = [datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=n) for n in range(72)]
    for receiver.now in hours:
        receiver.receive(receiver.signer.skadnetwork("4.0"))
    receiver.settle()
    period = Period.of("2026-10-24", "2026-10-26", NOON, zone_named(zone))
    with store.read() as connection:
        found = volumes_of(connection, Question(period=period, by=("day",)))
        by_hour = REPORTS["volumes"].table(connection, Question(period=period, by=("hour",)))
    within = [hour.astimezone(period.zone) for hour in hours if period.start <= hour < period.end]
    assert {row.day: row.postbacks for row in found} == Counter(hour.date() for hour in within)
    told = [row["hour"] for row in by_hour]
    assert told == within
    assert [hour.utcoffset() for hour in told] == [hour.utcoffset() for hour in within]


@pytest.mark.parametrize("name", ["volumes", "values", "results", "events", "invalid", "delays"])
def test_hours_are_two_where_clocks_go_back(receiver: Receiver, name: str) -> None:
    """One o'clock comes twice in New York: each has its own postbacks, and its own whole."""
    sign, store = receiver.signer.skadnetwork, receiver.store
    for hour, n in ((5, 1), (6, 2)):
        receiver.now = datetime(2026, 11, 1, hour, 10, tzinfo=UTC)
        bodies = [sign("4.0", app_id=42, conversion_value=20) for _ in range(n)]
        receiver.receive(*bodies, *({**body, "app-id": 1} for body in map(dict, bodies)))
        receiver.receive(*bodies)
    receiver.settle()
    zone = zone_named("America/New_York")
    period = Period.of("2026-11-01T04:00Z", "2026-11-01T08:00Z", NOON, zone)

    report = REPORTS[name]
    question = report.asked(Question(period=period, by=("hour",)))
    with store.read() as connection:
        told = report.table(connection, question)

    hours = {str(row["hour"]): row for row in told}
    assert list(hours) == ["2026-11-01 01:00:00-04:00", "2026-11-01 01:00:00-05:00"]
    counted = "of" if name == "delays" else "postbacks"
    first, second = (row[counted] for row in hours.values())
    assert (second, len(told) % 2) == (2 * first, 0)
