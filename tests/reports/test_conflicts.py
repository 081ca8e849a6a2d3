"""Copies that do not say the same."""

from datetime import date
from typing import Any

import pytest

from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable
from skan_receiver.reports.conflicts import Differing, rows
from skan_receiver.reports.period import zone_named
from skan_receiver.storage import Store
from tests.receiving import NOON, Receiver
from tests.reports.plans import plan
from tests.reports.test_results import MONTH

SAID = ("arrivals", "fine_value", "coarse_value", "country", "interaction_type", "signed")


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def conflicts(
    receiver: Receiver, *by: str, period: Period = MONTH, **filters: Any
) -> list[Differing]:
    with receiver.store.read() as connection:
        return rows(connection, Question(period=period, by=by, filters=Filters(**filters)))


def said(row: Differing) -> tuple[int, ...]:
    return tuple(getattr(row, name) for name in SAID)


def test_what_differs_is_told_by_field(receiver: Receiver) -> None:
    """A value that was changed, one that was left out, a country, a way of interaction; but no
    copy that says the same."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20)
    bare = {name: body[name] for name in body if name != "conversion-value"}
    receiver.receive(body, body, {**body, "conversion-value": 21})
    receiver.receive({**bare, "coarse-conversion-value": "low", "country-code": "DE"})
    aak = receiver.signer.adattributionkit(ad_interaction_type="view")
    receiver.receive(aak, {**aak, "ad-interaction-type": "click"})

    found = conflicts(receiver, "framework")

    assert [(row.framework, *said(row)) for row in found] == [
        ("adattributionkit", 1, 0, 0, 0, 1, 0),
        ("skadnetwork", 2, 2, 1, 1, 0, 0),
    ]
    assert found[1].examples == ({"id": 1, "postback_id": body["transaction-id"]},)
    assert said(conflicts(receiver)[0]) == (3, 2, 1, 1, 1, 0)


def test_another_signed_text_under_the_same_id_is_a_collision(receiver: Receiver) -> None:
    """It is an example of itself, so that both can be looked at."""
    sign = receiver.signer.skadnetwork
    first = sign("4.0", app_id=42)
    other = sign("4.0", app_id=43, transaction_id=first["transaction-id"])
    receiver.receive(first, endpoint="network")
    receiver.later(days=1)
    receiver.receive(other, other, endpoint="developer")

    (row,) = conflicts(receiver, "day", "kind", "endpoint", "app_id")

    assert (row.day, row.kind, row.endpoint) == (date(2026, 11, 24), "collision", "developer")
    assert (row.app_id, said(row)) == (43, (1, 0, 0, 0, 0, 1))
    (example,) = row.examples
    assert example["id"] > 1
    assert example["postback_id"] == first["transaction-id"]


def test_values_that_someone_closer_to_apple_overruled_are_conflicts(receiver: Receiver) -> None:
    """Of whoever said them, at the time when they did; unless they turn out to be right."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20)
    receiver.receive({**body, "conversion-value": 1}, endpoint="forwarded:mmp")
    receiver.receive(body, endpoint="import")
    receiver.later(hours=1)
    receiver.receive(body, endpoint="network")

    (row,) = conflicts(receiver, "hour", "kind", "endpoint")

    assert (row.hour, row.kind, row.endpoint) == (
        NOON.replace(minute=0),
        "conflict",
        "forwarded:mmp",
    )
    assert said(row) == (1, 1, 0, 0, 0, 0)


def test_conflicts_are_of_the_days_of_a_zone(receiver: Receiver) -> None:
    """And of what was asked for: by app, network, version, window and verdict."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20, ad_network_id="One.skadnetwork")
    receiver.now = NOON.replace(hour=23)
    receiver.receive(body, {**body, "conversion-value": 21})

    berlin = Period.of("2026-11-24", "2026-11-24", NOON, zone_named("Europe/Berlin"))
    (row,) = conflicts(receiver, "day", "ad_network_id", period=berlin)
    assert (row.day, row.ad_network_id) == (date(2026, 11, 24), "one.skadnetwork")
    assert conflicts(receiver, period=Period.of("2026-11-24", "2026-11-24", NOON)) == []
    for filters, n in (
        ({"ad_network_id": "ONE.skadnetwork"}, 1),
        ({"ad_network_id": "two.skadnetwork"}, 0),
        ({"window": (0, 1), "version": "4.0", "verdict": "valid"}, 1),
        ({"verdict": "invalid"}, 0),
    ):
        assert len(conflicts(receiver, **filters)) == n
    with pytest.raises(Unanswerable, match="counted: it looks at rows"):
        conflicts(receiver, counted=True)


@pytest.mark.parametrize("dimension", REPORTS["conflicts"].dimensions)
def test_the_parts_are_the_whole(receiver: Receiver, dimension: str) -> None:
    """However conflicts are split, they add up to the same; and the chart has them all."""
    for value in range(5):
        body = receiver.signer.skadnetwork("4.0", conversion_value=value, app_id=value)
        receiver.receive(body, {**body, "conversion-value": value + 1})
        receiver.later(hours=7)
    report, by = REPORTS["conflicts"], (dimension,)

    with receiver.store.read() as connection:
        table = report.table(connection, Question(period=MONTH, by=by))

    assert sum(row["arrivals"] for row in table) == 5
    assert sum(one["n"] for one in report.chart(table, by)["data"]["values"]) == 5
    assert all(tuple(row) == report.columns(by) for row in table)


def test_conflicts_are_found_by_their_index(receiver: Receiver) -> None:
    """However many arrivals there are beside them."""
    receiver.receive(receiver.signer.skadnetwork())

    assert "ix_arrival_again" in plan(receiver.store, "conflicts", Question(period=MONTH))
