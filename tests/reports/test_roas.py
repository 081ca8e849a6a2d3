"""What ads cost, and what came of them. The numbers are worked out by hand."""

from datetime import date
from typing import Any

import pytest

from skan_receiver.reports import REPORTS, Unanswerable, Written
from skan_receiver.reports.period import Period, zone_named
from skan_receiver.reports.question import ARRIVAL, INSTALL
from skan_receiver.storage import Store
from skan_receiver.storage.campaign_import import import_campaigns
from skan_receiver.storage.campaigns import Entry
from skan_receiver.storage.cost_cells import LARGEST_COST, MICROS
from skan_receiver.storage.costs import Spent, import_costs
from tests.receiving import NOON, Receiver
from tests.reports.paying import DAY, asked, quoted, received, schema, spend
from tests.reports.test_windows import INSTALL_AT, arrives, counting

NETWORK = "example123.skadnetwork"
ARRIVED = NOON.date()
INSTALLED = (NOON - 84 * DAY / 24).date()  # as a rule: 84 hours before


@pytest.fixture
def receiver(store: Store) -> Receiver:
    receiver = Receiver(store)
    schema(store)
    return receiver


def only(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_a_golden_row(receiver: Receiver) -> None:
    """Four installs, two of which paid 4 to 6 dollars and one 10 to 20, for 12 dollars."""
    received(receiver, 20, 20, 30, None)
    spend(receiver.store, 9, INSTALLED, campaign_id="1", impressions=2_000, clicks=30, installs=6)
    spend(receiver.store, 3, INSTALLED, campaign_id="2", impressions=1_000)

    (row,) = asked(receiver.store, "roas", basis=INSTALL)

    assert only(row, "cost", "impressions", "clicks", "network_installs", "installs") == (
        *(12, 3_000, 30, 6, 4),
    )
    assert only(row, "revenue_min", "revenue", "revenue_max") == (18, 25, 32)
    assert row["cpi"] == 3
    assert only(row, "roas_min", "roas", "roas_max") == (1.5, round(25 / 12, 6), round(32 / 12, 6))
    assert only(row, "currency", "currencies", "zone", "cost_zone") == ("USD", (), "UTC", "UTC")


def test_costs_meet_installs_on_the_day_of_the_install(receiver: Receiver) -> None:
    """Unless asked by arrival, where they are beside each other."""
    received(receiver, 20)
    spend(receiver.store, 2, INSTALLED)

    by_install, by_arrival = (
        [
            only(row, "day", "cost", "installs", "roas")
            for row in asked(receiver.store, "roas", "day", basis=basis)
        ]
        for basis in (INSTALL, ARRIVAL)
    )

    assert by_install == [(INSTALLED, 2, 1, 2.5)]
    assert by_arrival == [(INSTALLED, 2, 0, None), (ARRIVED, None, 1, None)]
    report = REPORTS["roas"]
    assert report.asked(Written().read(NOON)).basis == INSTALL
    assert report.asked(Written(basis="arrival").read(NOON)).basis == ARRIVAL


def test_what_has_no_counterpart_is_shown_all_the_same(receiver: Receiver) -> None:
    """Money without postbacks, and postbacks without money. Nothing is divided by nothing."""
    received(receiver, 20, None, ad_network_id="free.skadnetwork")
    received(receiver, None, ad_network_id="zero.skadnetwork")
    spend(receiver.store, 7, INSTALLED, ad_network_id="silent.skadnetwork")
    spend(receiver.store, 0, INSTALLED, ad_network_id="zero.skadnetwork")

    rows = asked(receiver.store, "roas", "ad_network_id", basis=INSTALL)

    names = ("ad_network_id", "cost", "installs", "cpi", "revenue", "roas", "currency")
    assert [only(row, *names) for row in rows] == [
        ("free.skadnetwork", None, 2, None, 5, None, "USD"),
        ("silent.skadnetwork", 7, 0, None, None, None, "USD"),
        ("zero.skadnetwork", 0, 1, 0, None, None, "USD"),
    ]
    assert [row["cost_zone"] for row in rows] == [None, "UTC", "UTC"]


def test_two_currencies_are_never_divided(receiver: Receiver) -> None:
    """Each is told; in one currency they meet, each amount by the rate of its day."""
    received(receiver, 20)
    spend(receiver.store, 2, INSTALLED, currency="EUR")
    spend(receiver.store, 5, INSTALLED - 2 * DAY, currency="USD")

    (row,) = asked(receiver.store, "roas", basis=INSTALL)
    assert only(row, "cost", "cpi", "revenue", "roas", "currency") == (None,) * 5
    none = dict.fromkeys(("revenue_min", "revenue", "revenue_max"))
    assert row["currencies"] == (
        {"currency": "EUR", "cost": 2, **none},
        {"currency": "USD", "cost": 5, "revenue_min": 4, "revenue": 5, "revenue_max": 6},
    )

    quoted(receiver.store, {INSTALLED: 1.25, INSTALLED - 2 * DAY: 2.0})
    (row,) = asked(receiver.store, "roas", basis=INSTALL, currency="EUR")
    # 5 dollars of revenue at 1.25; 5 dollars of cost at 2.
    assert only(row, "cost", "revenue_min", "revenue", "revenue_max") == (4.5, 3.2, 4, 4.8)
    assert only(row, "roas", "cpi", "currency") == (round(4 / 4.5, 6), 4.5, "EUR")


def test_an_amount_without_a_rate_is_not_left_out(receiver: Receiver) -> None:
    """No sum at all is told, and what to import."""
    spend(receiver.store, 2, INSTALLED, currency="EUR")
    spend(receiver.store, 2, INSTALLED, currency="CHF", account="ch")
    for currency, missing in (("EUR", "CHF"), ("CHF", "EUR"), ("GBP", "(CHF|EUR)")):
        why = f"no rate of {missing} for {INSTALLED} .* skan-receiver rates import FILE"
        with pytest.raises(Unanswerable, match=why):
            asked(receiver.store, "roas", currency=currency)


def test_a_cost_is_of_the_day_of_its_account(receiver: Receiver) -> None:
    """It is never moved; whose days they are is said beside whose days ours are."""
    receiver.now = NOON.replace(hour=23)  # in Berlin it is the next day
    received(receiver, 20)
    spend(receiver.store, 2, ARRIVED + DAY, zone="Europe/Berlin")
    spend(receiver.store, 1, ARRIVED + DAY, zone="America/New_York", account="us")

    told = asked(receiver.store, "roas", "day", zone="Europe/Berlin", basis=ARRIVAL)
    assert [only(row, "day", "cost", "installs", "zone", "cost_zone") for row in told] == [
        (ARRIVED + DAY, 3, 1, "Europe/Berlin", "America/New_York, Europe/Berlin")
    ]
    # Where the user is, is counted by the days of UTC.
    told = asked(receiver.store, "roas", "day", "country", zone="Europe/Berlin", basis=ARRIVAL)
    assert [only(row, "day", "cost", "zone") for row in told] == [
        (ARRIVED, None, "UTC"),
        (ARRIVED + DAY, 3, "UTC"),
    ]


def test_a_period_has_the_costs_of_the_days_that_it_touches(receiver: Receiver) -> None:
    """First and last included."""
    for n in range(1, 32):
        spend(receiver.store, n, date(2026, 10, 31) + n * DAY)

    assert [row["cost"] for row in asked(receiver.store, "roas")] == [sum(range(1, 31))]
    zone = "Asia/Tokyo"
    question = Written(start="2026-11-02", end="2026-11-03", zone=zone).read(NOON)
    assert [
        row["cost"] for row in asked(receiver.store, "roas", period=question.period, zone=zone)
    ] == [5]


def test_filters_hold_for_costs_as_far_as_these_know(receiver: Receiver) -> None:
    """Which app, and which network in either case."""
    spend(receiver.store, 1, INSTALLED)
    spend(receiver.store, 2, INSTALLED, app_id=43)
    spend(receiver.store, 4, INSTALLED, ad_network_id="other.skadnetwork")

    def cost(**filters: Any) -> float:
        (row,) = asked(receiver.store, "roas", filters=filters)
        return float(row["cost"])

    assert cost() == 7
    assert cost(app_id=42) == 5
    assert cost(app_id=(43, 44)) == 2
    assert cost(ad_network_id="OTHER.skadnetwork") == 4


def test_campaigns_are_met_by_their_ids(receiver: Receiver) -> None:
    """Of the campaign table and of the bill alike; two spellings of a name split nothing."""
    _campaigns(receiver.store)
    received(receiver, 20, source_identifier="5239")
    received(receiver, 30, source_identifier="1138")
    spend(receiver.store, 2, INSTALLED, campaign_id="c-7", campaign_name="AUTUMN")
    spend(receiver.store, 4, INSTALLED, campaign_id="c-9", campaign_name="Winter")

    names = ("campaign_id", "campaign_name", "cost", "installs", "roas")
    rows = asked(receiver.store, "roas", "campaign_id", "campaign_name", basis=INSTALL)
    assert [only(row, *names) for row in rows] == [
        ("c-7", "Autumn", 2, 1, 2.5),
        ("c-8", "Spring", None, 1, None),
        ("c-9", "Winter", 4, 0, None),
    ]
    by_name = asked(receiver.store, "roas", "campaign_name", basis=INSTALL)
    assert [only(row, *names[1:]) for row in by_name] == [only(row, *names[1:]) for row in rows]


def test_a_country_is_apples_or_the_one_a_campaign_targets(receiver: Receiver) -> None:
    """Bills say where an ad was shown: of either they are the other side."""
    _campaigns(receiver.store)
    receiver.receive(
        receiver.signer.adattributionkit(
            app_id=42, country_code="DE", conversion_value=20, ad_network_id=NETWORK
        )
    )
    received(receiver, 20, source_identifier="5239")
    for country in ("DE", "US", ""):
        spend(receiver.store, 1, INSTALLED, campaign_id="c-7", country=country)

    def installs(dimension: str) -> dict[str | None, Any]:
        rows = asked(receiver.store, "roas", dimension, basis=INSTALL)
        return {row[dimension]: only(row, "cost", "installs") for row in rows}

    assert installs("country") == {None: (1, 1), "DE": (1, 1), "US": (1, 0)}
    assert installs("country_or_target") == {None: (1, 0), "DE": (1, 1), "US": (1, 1)}


def _campaigns(store: Store) -> None:
    first = date(2026, 1, 1)
    rows = [
        Entry(ad_network_id=NETWORK, source_identifier=source, starts_on=first, campaign_id=id_,
              campaign_name=name, country="US")
        for source, id_, name in (("5239", "c-7", "Autumn"), ("1138", "c-8", "Spring"))
    ]  # fmt: skip
    import_campaigns(store, rows, replace=False)


@pytest.mark.parametrize("dimension", REPORTS["roas"].dimensions)
def test_the_parts_are_the_whole(receiver: Receiver, dimension: str) -> None:
    """However costs and installs are split, none is lost and none told twice."""
    _campaigns(receiver.store)
    received(receiver, 20, 30, None, source_identifier="5239")
    receiver.later(days=2)
    received(receiver, 30, ad_network_id="other.skadnetwork")
    for n, day in enumerate((INSTALLED, INSTALLED + 2 * DAY, INSTALLED - 5 * DAY), 1):
        spend(receiver.store, n, day, campaign_id="c-7", country="US", clicks=n)
        spend(receiver.store, n, day, ad_network_id="other.skadnetwork", app_id=n)

    (whole,) = asked(receiver.store, "roas", basis=INSTALL)
    parts = asked(receiver.store, "roas", dimension, basis=INSTALL)

    for name in ("cost", "clicks", "installs", "revenue"):
        assert sum(row[name] or 0 for row in parts) == whole[name]


def test_its_chart_is_of_revenue_by_cost_or_else_of_costs(receiver: Receiver) -> None:
    """There is something to look at from the first bill on."""
    report, by = REPORTS["roas"], ("ad_network_id",)
    spend(receiver.store, 4, INSTALLED)
    costs = report.chart(asked(receiver.store, "roas", *by), by)
    assert [value["n"] for value in costs["data"]["values"]] == [4]

    received(receiver, 20)
    roas = report.chart(asked(receiver.store, "roas", *by), by)
    assert roas["data"]["values"] == [
        {"x": NETWORK, "group": NETWORK, "low": 1, "middle": 1.25, "high": 1.5}
    ]


def test_a_day_where_clocks_are_half_an_hour_off_has_its_own_costs(receiver: Receiver) -> None:
    """Its last hour ends on the next day, whose costs are that day's."""
    day = date(2026, 11, 10)
    for n in range(3):
        spend(receiver.store, 10**n, day + (n - 1) * DAY)
    kolkata = "Asia/Kolkata"
    period = Period.of(f"{day}", f"{day}", NOON, zone_named(kolkata))

    (row,) = asked(receiver.store, "roas", period=period, zone=kolkata)

    assert row["cost"] == 10


@pytest.mark.parametrize(
    ("counts", "revenues"),
    [
        # Window 0 of three installs: 4 to 6. Then 20 to 40 of one, all since its install or more.
        (("in_window", "in_window"), (52, 75, 98)),
        (("since_install", "since_install"), (20, 30, 40)),
        (("since_install", "in_window"), (40, 60, 80)),
    ],
)
def test_what_is_told_since_the_install_is_not_added_to_what_it_has_in_it(
    store: Store, counts: tuple[str, str], revenues: tuple[float, ...]
) -> None:
    """Nobody's revenue is there two or three times."""
    receiver = Receiver(store)
    schema(store, counting(*counts))
    arrives(receiver, 0, 20, 20, 20)
    arrives(receiver, 1, "high")
    arrives(receiver, 2, "high")
    period = Period(INSTALL_AT - DAY, INSTALL_AT + DAY)

    for by in ((), ("country",)):
        (row,) = asked(store, "roas", *by, basis=INSTALL, period=period)
        assert only(row, "revenue_min", "revenue", "revenue_max") == revenues
    (row,) = asked(store, "overlap", period=period)
    assert row["skan_revenue"] == revenues[1]


def test_until_later_windows_come_the_first_one_tells(store: Store) -> None:
    """Also where the later ones are to tell of all since the install."""
    receiver = Receiver(store)
    schema(store, counting("since_install", "since_install"))
    arrives(receiver, 0, 20, 20, 20)

    (row,) = asked(store, "roas", basis=INSTALL, period=Period(INSTALL_AT - DAY, INSTALL_AT + DAY))

    assert only(row, "revenue_min", "revenue", "revenue_max") == (12, 15, 18)


def test_costs_add_up_however_large(store: Store) -> None:
    """A thousand of the largest do not fit into 64 bits as millionths."""
    known: dict[str, Any] = {
        "ad_network_id": NETWORK,
        "app_id": 42,
        "zone": "UTC",
        "currency": "IDR",
    }
    micros = LARGEST_COST * MICROS - 1
    costs = [Spent(**known, day=INSTALLED, campaign_id=f"{n}", micros=micros) for n in range(1_000)]
    import_costs(store, costs, replace=False)

    (row,) = asked(store, "roas")

    assert row["cost"] == LARGEST_COST * 1_000 - 0.001
