"""What is taken back by what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from skan_receiver.mmp.event import Attribution, Event, Kind, Person
from skan_receiver.mmp.withdrawals import takes_back

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
INSTALL = Event(
    provider="adjust",
    event_id="i",
    kind=Kind.INSTALL,
    name="install",
    at=NOON,
    installed_at=NOON,
    app_id=7,
    person=Person(idfa="A", idfv="V"),
    attribution=Attribution(media_source="Net"),
)
REJECTED = replace(INSTALL, event_id="r", kind=Kind.REJECTED, name="rejected install")
PURCHASE = replace(
    INSTALL,
    event_id="p",
    kind=Kind.EVENT,
    name="buy",
    revenue=Decimal("9.99"),
    currency="EUR",
    order_id="T-1",
)
REFUND = replace(PURCHASE, event_id="f", kind=Kind.REFUND, revenue=Decimal("-9.99"))


@pytest.mark.parametrize(
    ("change", "does"),
    [
        ({}, True),
        ({"person": Person(idfv="V")}, True),
        ({"person": Person(idfa="B", idfv="W")}, False),
        ({"person": Person(ip="203.0.113.7")}, False),
        ({"app_id": 8}, False),
        ({"app_id": None}, True),
        ({"provider": "branch"}, False),
        ({"installed_at": NOON + timedelta(seconds=1)}, True),
        ({"installed_at": NOON + timedelta(days=1)}, False),
        ({"installed_at": None, "at": NOON + timedelta(days=3)}, True),
        ({"installed_at": None, "at": NOON + timedelta(days=31)}, False),
        ({"attribution": Attribution(media_source="Other")}, False),
        ({"attribution": Attribution()}, True),
        ({"withdraws": "i"}, True),
        ({"withdraws": "another"}, False),
    ],
)
def test_a_rejection_takes_back_one_devices_one_install(
    change: dict[str, object], does: bool
) -> None:
    """Of the media source that it names: of two clicks before an install one may be refused, and
    the install stands, given to the other."""
    assert takes_back(replace(REJECTED, **change), INSTALL) is does  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "does"),
    [
        ({}, True),
        ({"order_id": "T-2"}, False),
        ({"order_id": None}, False),
        ({"order_id": None, "withdraws": "p"}, True),
        ({"revenue": Decimal("-5")}, False),
        ({"revenue": None}, True),
        ({"currency": "USD"}, False),
        ({"revenue": Decimal("-5"), "withdraws": "p"}, False),
    ],
)
def test_a_refund_takes_back_the_purchase_it_pays_back_whole(
    change: dict[str, object], does: bool
) -> None:
    """A part of the price leaves the purchase standing beside an amount below nothing."""
    assert takes_back(replace(REFUND, **change), PURCHASE) is does  # type: ignore[arg-type]


def test_what_takes_back_is_not_taken_back() -> None:
    """Nor does anything else take back."""
    assert not takes_back(REJECTED, REFUND)
    assert not takes_back(INSTALL, PURCHASE)
    assert not takes_back(REFUND, INSTALL)
    assert not takes_back(REJECTED, PURCHASE)
