"""What came and what it was worth, by arrival and by install."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from skan_receiver.conversion.timing import CLOCKS, usual_install
from skan_receiver.reports import REPORTS, Filters, Period, Question
from skan_receiver.reports.question import ARRIVAL, INSTALL
from skan_receiver.reports.results import rows
from skan_receiver.reports.tally import Result
from skan_receiver.storage import Store
from skan_receiver.storage.campaign_import import import_campaigns
from skan_receiver.storage.campaigns import Entry
from skan_receiver.storage.schemas import Publication, publish
from tests.conversion.schemas import rules, text
from tests.counted import write_counts
from tests.receiving import NOON, Receiver

MONTH = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SCHEMA = text(
    rules(
        "value: 30, when: [{event: purchase, at_least: 2, revenue: {at_least: 9, at_most: 20}}]",
        "value: 20, when: [{event: purchase, exactly: 1}, {revenue: total, at_most: 5}]",
        "value: 5, when: [{event: registration}]",
        "value: 3, when: [{revenue: iap, at_least: 100}]",
    ),
)


@pytest.fixture
def receiver(store: Store) -> Receiver:
    receiver = Receiver(store)
    publish(store, Publication(SCHEMA), NOON - 90 * DAY)
    return receiver


def results(
    store: Store, *by: str, period: Period = MONTH, basis: str = ARRIVAL, **filters: Any
) -> list[Result]:
    with store.read() as connection:
        asked = Question(period=period, filters=Filters(**filters), by=by, basis=basis)
        return rows(connection, asked)


def received(receiver: Receiver, *values: int | None, **members: Any) -> None:
    said = [{} if value is None else {"conversion_value": value} for value in values]
    receiver.receive(
        *(receiver.signer.skadnetwork("4.0", **{"app_id": 42, **members, **one}) for one in said)
    )
    receiver.settle()


def test_installs_are_told_from_what_is_none(receiver: Receiver) -> None:
    """Losers are left out; redownloads, re-engagements and later windows are columns of their own
    or no columns at all."""
    skan, aak = receiver.signer.skadnetwork, receiver.signer.adattributionkit
    receiver.receive(skan("4.0"), skan("4.0"), skan("4.0", redownload=True))
    receiver.receive(skan("4.0", did_win=False), {**skan("4.0"), "app-id": 1}, skan("1.0"))
    receiver.receive(aak(conversion_type="re-engagement"), skan("4.0", postback_sequence_index=1))
    receiver.settle()

    (row,) = results(receiver.store)

    assert (row.postbacks, row.installs, row.redownloads, row.reengagements) == (6, 2, 1, 1)
    # SKAdNetwork 1.0 could carry no value, so it withheld none.
    assert (row.with_value, row.nulls, row.null_share) == (0, 5, 1.0)
    by_version = {row.version: row.null_share for row in results(receiver.store, "version")}
    assert by_version == {"": 1.0, "1.0": None, "4.0": 1.0}


def test_values_become_events_and_revenue(receiver: Receiver) -> None:
    """All revenue together where the value tells it, else what it tells of events."""
    received(receiver, 30, 30, 20, 5, None)

    (row,) = results(receiver.store)

    assert row.events == (
        {"event": "purchase", "min": 5, "max": None},
        {"event": "registration", "min": 1, "max": None},
    )
    assert (row.revenue_min, row.revenue_max, row.revenue) == (18, 45, 2 * 14.5 + 2.5)
    assert (row.currency, row.currencies) == ("USD", ())
    assert row.null_share == 0.2


def test_what_has_no_top_has_no_middle(receiver: Receiver) -> None:
    """Unless the schema states a mean: nothing is made up."""
    received(receiver, 3, 20)

    (row,) = results(receiver.store)

    assert (row.revenue_min, row.revenue_max, row.revenue) == (100, None, None)


def test_nothing_is_said_of_revenue_that_no_value_speaks_of(receiver: Receiver) -> None:
    """Unknown is not 0."""
    received(receiver, 5)

    (row,) = results(receiver.store)

    assert (row.revenue_min, row.revenue_max, row.revenue, row.currency) == (None,) * 4
    assert row.with_value == 1


def test_revenue_of_two_currencies_is_never_added(receiver: Receiver) -> None:
    """A row of two apps has both beside each other, and each app's own row has one."""
    other = SCHEMA.replace("app: 42", "app: 43").replace("currency: USD", "currency: EUR")
    publish(receiver.store, Publication(other), NOON - 90 * DAY)
    received(receiver, 20, app_id=42)
    received(receiver, 20, 20, app_id=43)

    (row,) = results(receiver.store)

    assert (row.revenue_min, row.revenue_max, row.revenue, row.currency) == (None,) * 4
    assert row.currencies == (
        {"currency": "EUR", "revenue_min": 0, "revenue_max": 10, "revenue": 5.0},
        {"currency": "USD", "revenue_min": 0, "revenue_max": 5, "revenue": 2.5},
    )
    alone = {row.app_id: (row.currency, row.revenue) for row in results(receiver.store, "app_id")}
    assert alone == {42: ("USD", 2.5), 43: ("EUR", 5.0)}


def test_uncertain_versions_share_a_value(receiver: Receiver) -> None:
    """Half-way through a change, half of the revenue is read by each."""
    other = SCHEMA.replace("at_most: 5", "at_most: 25")
    # Window 0 is evaluated 23 to 96 hours before the arrival.
    middle = NOON.replace(minute=0) - (23 + 73 / 2) * HOUR
    publish(receiver.store, Publication(other, middle), NOON, back_dated=True)
    received(receiver, 20)

    (row,) = results(receiver.store)

    assert row.revenue == pytest.approx((2.5 + 12.5) / 2)
    assert row.events == ({"event": "purchase", "min": 1, "max": 1},)


def test_places_are_absent_where_apple_withheld_them(receiver: Receiver) -> None:
    """Not -1 and not an empty text, as counts must write it."""
    skan, aak = receiver.signer.skadnetwork, receiver.signer.adattributionkit
    receiver.receive(
        skan("4.0", source_app_id=7, source_identifier="12"), skan("3.0", campaign_id=9)
    )
    receiver.receive(aak(country_code="DE", source_identifier="12"))
    receiver.settle()

    places = ("source_identifier", "source_app_id", "source_domain", "country")
    found = results(receiver.store, *places)

    assert [tuple(getattr(row, name) for name in places) for row in found] == [
        ("12", None, None, "DE"),
        ("12", 7, None, None),
        ("9", None, None, None),
    ]


def test_results_are_told_by_campaign(receiver: Receiver) -> None:
    """Hidden digits and later windows lead to the same campaign, by either date."""
    network = "example123.skadnetwork"
    campaigns = [
        Entry(
            ad_network_id=network,
            source_identifier=source,
            starts_on=date(2026, 1, 1),
            campaign_id=name.lower(),
            campaign_name=name,
            country=country,
        )
        for source, name, country in (("5239", "A", "US"), ("1240", "B", "FR"), ("2240", "C", "FR"))
    ]
    import_campaigns(receiver.store, campaigns, replace=True)
    received(receiver, 20, 30, source_identifier="5239")
    received(receiver, 20, source_identifier="39", country_code="CA")
    received(receiver, 5, source_identifier="40")

    for basis in (ARRIVAL, INSTALL):
        period = Period(MONTH.start - 30 * DAY, MONTH.end)
        asked: dict[str, Any] = {"period": period, "basis": basis}
        by = ("campaign_id", "campaign_name")
        found = results(receiver.store, *by, **asked)
        assert [(row.campaign_id, row.campaign_name, row.installs) for row in found] == [
            (None, None, 1),
            ("a", "A", 3),
        ]
        assert [row.revenue for row in found] == [None, 2.5 + 14.5 + 2.5]
        by = ("country_or_target", "country_from")
        found = results(receiver.store, *by, **asked)
        assert [(row.country_or_target, row.country_from, row.installs) for row in found] == [
            ("CA", "postback", 1),
            ("FR", "campaign", 1),
            ("US", "campaign", 2),
        ]
        (row,) = results(receiver.store, "day", "campaign_name", **asked)[1:]
        assert row.day == (NOON - (3.5 * DAY if basis == INSTALL else 0 * DAY)).date()


@pytest.mark.parametrize("dimension", REPORTS["results"].dimensions)
def test_the_parts_are_the_whole(receiver: Receiver, dimension: str) -> None:
    """However results are split, in either grain, they add up to the same."""
    _crowd(receiver)
    whole = results(receiver.store)[0]

    parts = results(receiver.store, dimension)

    for measure in ("postbacks", "installs", "redownloads", "with_value", "nulls"):
        assert sum(getattr(row, measure) for row in parts) == getattr(whole, measure)
    known = [row.revenue for row in parts if row.revenue is not None]
    assert sum(known) == pytest.approx(whole.revenue)


@pytest.mark.parametrize("by", [("day",), ("app_id", "window"), ("day", "version")])
def test_by_arrival_results_are_volumes(receiver: Receiver, by: tuple[str, ...]) -> None:
    """The same installs, and, but for losers, the same postbacks."""
    _crowd(receiver)
    with receiver.store.read() as connection:
        volumes = REPORTS["volumes"].table(
            connection, Question(period=MONTH, filters=Filters(counted=True), by=by)
        )

    told = REPORTS["results"].columns(by)
    with receiver.store.read() as connection:
        found = REPORTS["results"].table(connection, Question(period=MONTH, by=by))

    keys = Counter({tuple(row[name] for name in by): row["installs"] for row in volumes})
    assert Counter({tuple(row[name] for name in by): row["installs"] for row in found}) == keys
    assert sum(row["postbacks"] for row in found) == sum(row["counted"] for row in volumes)
    assert all(tuple(row) == told for row in found)


def test_an_hour_and_a_place_leave_the_hour_empty(receiver: Receiver) -> None:
    """Where an ad was is counted by day."""
    received(receiver, 20)

    (row,) = results(receiver.store, "hour", "source_identifier")

    assert (row.hour, row.source_identifier, row.postbacks) == (None, "5239", 1)


def _crowd(receiver: Receiver) -> None:
    random = Random(5)
    for _ in range(6):
        for _ in range(5):
            value = random.choice((None, 5, 20, 30))
            received(
                receiver,
                value,
                redownload=random.random() < 0.2,
                source_identifier=random.choice(("12", "1234")),
                ad_network_id=random.choice(("one", "two")),
            )
        receiver.later(hours=random.randrange(1, 30))


# Postbacks of installs that are known, in each of the ways in which they come.
WAYS = [("3.0", 0), *(("4.0", window) for window in range(len(CLOCKS)))]


def _world(random: Random) -> Iterator[tuple[datetime, datetime, str, int]]:
    """Installs, all over ten days, each with when its postback arrives."""
    for version, window in WAYS:
        usual = usual_install(version, window)
        for number in range(200):
            install = MONTH.start + number * HOUR + timedelta(minutes=random.randrange(60))
            yield install, install + usual, version, window


def _cell(at: datetime, version: str, window: int) -> dict[str, Any]:
    return {
        "app_id": 42,
        "ad_network_id": "network",
        "framework": "skadnetwork",
        "version": version,
        "window": window,
        "verdict": "valid",
        "counted": True,
        "conversion_type": "download",
        "did_win": True,
        "fine_value": 20 if window == 0 else -1,
        "coarse_value": "",
        "n": 1,
    }


def _write(store: Store, world: list[tuple[datetime, datetime, str, int]]) -> None:
    hours: Counter[tuple[Any, ...]] = Counter()
    for _, at, version, window in world:
        hours[at.replace(minute=0), version, window] += 1
    places = {"source_identifier": "12"}
    write_counts(
        store, ({**_cell(*key), "hour": key[0], **places, "n": n} for key, n in hours.items())
    )


def test_by_install_a_postback_lands_on_the_day_of_its_install(store: Store) -> None:
    """A world in which all installs are known, and each postback takes its usual time: every
    version and window is dated back by a time of its own."""
    world = list(_world(Random(1)))
    _write(store, world)

    found = results(store, "day", "version", "window", basis=INSTALL)

    truth = Counter((install.date(), version, window) for install, _, version, window in world)
    told = Counter({(row.day, row.version, row.window): row.postbacks for row in found})
    assert told == truth


def test_a_day_of_installs_is_all_that_came_of_it(store: Store) -> None:
    """Without a split by day: its postbacks arrived over six weeks."""
    world = list(_world(Random(2)))
    _write(store, world)
    start = MONTH.start + 4 * DAY

    (row,) = results(store, period=Period(start, start + DAY), basis=INSTALL)

    of_day = [window for install, _, _, window in world if start <= install < start + DAY]
    assert row.postbacks == len(of_day) == 4 * 24
    assert row.installs == len([window for window in of_day if window == 0])


def test_days_of_installs_add_up(store: Store) -> None:
    """What one period leaves out, the next one has: no postback is told twice."""
    world = list(_world(Random(3)))
    _write(store, world)
    days = [MONTH.start + number * DAY for number in range(-3, 14)]

    for by in ((), ("source_identifier",)):
        each = [results(store, *by, period=Period(day, day + DAY), basis=INSTALL) for day in days]
        assert sum(row.postbacks for rows_ in each for row in rows_) == len(world)


def test_by_install_places_are_read_at_midday(store: Store) -> None:
    """What is counted by day is dated back by whole days: 2, 3, 10 and 38."""
    _write(store, [(NOON, NOON, version, window) for version, window in WAYS])
    year = Period(MONTH.start - 60 * DAY, MONTH.end)

    found = results(store, "day", "source_identifier", period=year, basis=INSTALL)

    assert [row.day for row in found] == [(NOON - days * DAY).date() for days in (38, 10, 3, 2)]


def test_delays_as_apple_spreads_them_land_nearby(store: Store) -> None:
    """A day early or late at most in window 0, and on average right."""
    random = Random(4)
    install = MONTH.start + 5 * DAY + 12 * HOUR
    world = [(install, install + random.uniform(72, 96) * HOUR, "4.0", 0) for _ in range(400)]
    _write(store, world)

    found = results(store, "day", basis=INSTALL)

    assert {row.day for row in found} <= {date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7)}
    mean = sum((row.day - date(2026, 11, 6)).days * row.postbacks for row in found if row.day) / 400
    assert abs(mean) < 0.1


def test_by_place_a_period_within_a_day_has_all_of_it(receiver: Receiver) -> None:
    """In UTC as in any other zone: places are counted by day."""
    received(receiver, 20, country_code="DE")
    hours = Period(NOON - 3 * HOUR, NOON - HOUR)

    (row,) = results(receiver.store, "country", period=hours)

    assert (row.postbacks, results(receiver.store, "framework", period=hours)) == (1, [])
