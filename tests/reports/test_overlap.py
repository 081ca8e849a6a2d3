"""Both sides laid together: nothing counts twice; where nobody knows, an interval says so."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.config import Settings
from skan_receiver.conversion.timing import usual_install
from skan_receiver.events import Intake, Told
from skan_receiver.mmp.event import Att, Attribution, Event, Kind, Person, Platform, Signals
from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable
from skan_receiver.reports.both import Sides, in_both
from skan_receiver.storage import Store
from skan_receiver.storage.schemas import Publication, publish
from skan_receiver.storage.sources import SourceRefused, forget_source, map_source, sources
from tests.conversion.schemas import rules, text
from tests.receiving import NOON, Receiver
from tests.reports.paying import quoted
from tests.reports.plans import plan

APP = 42
DAY = timedelta(days=1)
MONTH = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
NETWORK = "example123.skadnetwork"

FLAGGED = text(
    rules(
        "value: 30, when: [{flag: attributed}, {revenue: total, at_least: 8, at_most: 12}]",
        "value: 20, when: [{flag: attributed, is_set: false},"
        " {revenue: total, at_least: 8, at_most: 12}]",
    ),
)
PLAIN = text(rules("value: 20, when: [{revenue: total, at_least: 8, at_most: 12}]"))


class Sandbox:
    """An app whose installs both sides tell of."""

    def __init__(self, store: Store, folder: Path, schema: str = PLAIN) -> None:
        self.store = store
        self.receiver = Receiver(store)
        publish(store, Publication(schema), NOON - 365 * DAY)
        self._intake = Intake(store, Settings(var=folder))
        self._numbers = iter(range(10**6))

    def skan(self, *values: int | None, **members: Any) -> None:
        said = [{} if value is None else {"conversion_value": value} for value in values]
        signed = self.receiver.signer.skadnetwork
        bodies = [signed("4.0", **{"app_id": APP, **members, **one}) for one in said]
        self.receiver.receive(*bodies)
        self.receiver.settle()

    def mmp(self, count: int = 1, **fields: Any) -> Sequence[Event]:
        """Installs, attributed with consent unless said otherwise."""
        installed = NOON - usual_install("4.0", 0)
        known: dict[str, Any] = {
            "provider": "appsflyer",
            "kind": Kind.INSTALL,
            "name": "install",
            "at": installed,
            "installed_at": installed,
            "app_id": APP,
            "platform": Platform.IOS,
            "attribution": Attribution(is_attributed=True, media_source="examplenet_int"),
            "signals": Signals(att=Att.AUTHORIZED),
        }
        told = [
            Event(**{**known, "event_id": str(number), "person": Person(idfa=f"device-{number}"),
                     **fields})
            for number, _ in zip(self._numbers, range(count), strict=False)
        ]  # fmt: skip
        self._intake([Told(NOON, "mmp", event) for event in told])
        return told

    def organic(self, count: int = 1, **fields: Any) -> None:
        self.mmp(count, attribution=Attribution(is_attributed=False), **fields)

    def bought(self, amount: str, currency: str = "USD", **fields: Any) -> Event:
        (event,) = self.mmp(
            kind=Kind.EVENT, name="buy", revenue=Decimal(amount), currency=currency,
            **{"at": NOON, "order_id": f"T-{amount}", **fields},
        )  # fmt: skip
        return event

    def rows(self, *by: str, currency: str | None = None, **filters: Any) -> list[Any]:
        report = REPORTS["overlap"]
        asked = Question(period=MONTH, by=by, filters=Filters(**filters), currency=currency,
                         basis="usual")  # fmt: skip
        with self.store.read() as connection:
            return list(report.rows(connection, report.asked(asked)))

    def row(self, *by: str, **asked: Any) -> Any:
        (row,) = self.rows(*by, **asked)
        return row


@pytest.fixture
def sandbox(store: Store, tmp_path: Path) -> Sandbox:
    return Sandbox(store, tmp_path)


@given(seed=st.integers(0, 10**9), size=st.integers(0, 60), flags=st.booleans())
def test_the_bounds_hold_whatever_is_true(seed: int, size: int, *, flags: bool) -> None:
    """Of any crowd in which each side counts some, and some values say of whom."""
    chance = Random(seed)
    share = [chance.random() for _ in range(3)]
    users = [tuple(chance.random() < one for one in share) for _ in range(size)]
    skan = [other for ours, other, _ in users if ours]
    told = [(other, speaks) for ours, other, speaks in users if ours and flags and speaks]
    sides = Sides(
        skan=len(skan),
        attributed=sum(other for _, other, _ in users),
        consented=chance.randint(0, sum(other for _, other, _ in users)),
        everybody=size if chance.random() < 0.5 else None,
        flagged=sum(other for other, _ in told),
        unflagged=sum(not other for other, _ in told),
    )
    both = in_both(sides)
    assert 0 <= both.low <= both.estimate <= both.high
    assert both.low <= sum(skan) <= both.high


def test_one_total_with_its_interval(sandbox: Sandbox) -> None:
    """Without a flag: who let the app track is in both, as far as he can be."""
    sandbox.skan(*[20] * 6, None, None)
    sandbox.mmp(3)
    sandbox.mmp(2, signals=Signals(att=Att.DENIED))
    row = sandbox.row()
    assert (row.skan_installs, row.mmp_installs, row.known_by) == (8, 5, "estimate")
    assert (row.overlap, row.overlap_share) == (3, 0.375)
    assert (row.total_low, row.total, row.total_high) == (8, 10, 13)


def test_organic_installs_narrow_it(sandbox: Sandbox) -> None:
    """Of ten installs in all, eight and five must have three in common. But of one network's
    nobody knows how many there were."""
    sandbox.skan(*[20] * 8)
    sandbox.mmp(5, signals=Signals())
    sandbox.organic(5)
    row = sandbox.row()
    assert (row.total_low, row.total, row.total_high) == (8, 10, 10)
    assert {row.total_high - row.total for row in sandbox.rows("network")} == {0}
    map_source(sandbox.store, "examplenet_int", [NETWORK])
    mine = next(row for row in sandbox.rows("network") if row.skan_installs)
    assert (mine.network, mine.total_low, mine.total_high) == ("examplenet_int", 8, 13)


def test_a_flag_says_it(store: Store, tmp_path: Path) -> None:
    """Planted: of twelve users by SKAdNetwork the MMP has four; two postbacks have no value."""
    sandbox = Sandbox(store, tmp_path, FLAGGED)
    sandbox.skan(30, 30, 30, *[20] * 7, None, None)
    sandbox.mmp(6)
    row = sandbox.row()
    assert (row.flagged, row.unflagged, row.known_by) == (3, 7, "flag")
    assert (row.total_low, row.total_high) == (12 + 6 - 5, 12 + 6 - 3)
    assert row.overlap == pytest.approx(12 * 3 / 10)
    assert row.total_low <= 12 + 6 - 4 <= row.total_high


def test_more_flagged_than_the_mmp_tells_are_not_taken_off(store: Store, tmp_path: Path) -> None:
    """Where its installs are not told us, the total is not below what SKAdNetwork counts."""
    sandbox = Sandbox(store, tmp_path, FLAGGED)
    sandbox.skan(30, 30, 20)
    row = sandbox.row()
    assert (row.overlap, row.total_low, row.total, row.total_high) == (0, 3, 3, 3)


@pytest.mark.parametrize("seed", range(4))
def test_planted_users_lie_in_the_interval(store: Store, tmp_path: Path, seed: int) -> None:
    """Forty users: Apple's network counts some, the MMP some, and of whom the value tells, it is
    told. The number of all who were counted lies in the interval."""
    chance = Random(seed)
    sandbox = Sandbox(store, tmp_path, FLAGGED)
    users = [(chance.random() < 0.7, chance.random() < 0.4) for _ in range(40)]
    for by_skan, by_mmp in users:
        if by_skan:
            sandbox.skan(chance.choice([30 if by_mmp else 20, None]))
        (sandbox.mmp if by_mmp else sandbox.organic)()
    row = sandbox.row()
    assert row.total_low <= sum(any(user) for user in users) <= row.total_high
    assert row.skan_installs + row.mmp_installs - row.overlap == pytest.approx(row.total)


def test_money_is_not_counted_twice(store: Store, tmp_path: Path) -> None:
    """Who is flagged was paid for at the MMP; of who has no flag, a part. Refunds are taken off."""
    sandbox = Sandbox(store, tmp_path, FLAGGED)
    sandbox.skan(30, 20, 20)
    sandbox.mmp()
    sandbox.bought("10.50")
    whole, part = sandbox.bought("5"), sandbox.bought("8")
    sandbox.mmp(kind=Kind.REFUND, name="buy", at=NOON, revenue=Decimal("-5"), currency="USD",
                withdraws=whole.event_id)  # fmt: skip
    sandbox.mmp(kind=Kind.REFUND, name="buy", at=NOON, revenue=Decimal("-2"), currency="USD",
                withdraws=part.event_id)  # fmt: skip
    sandbox.bought("99", at=NOON + 60 * DAY)  # longer after the install than Apple looks
    sandbox.bought("77", attribution=Attribution(is_attributed=False))
    row = sandbox.row()
    assert (row.skan_revenue, row.mmp_revenue, row.currency) == (30, 16.5, "USD")
    assert row.total_revenue == 16.5 + 2 * 10
    assert (row.total_revenue_low, row.total_revenue_high) == (16.5 + 16, 16.5 + 24)


def test_amounts_of_several_currencies_are_converted_or_left_out(sandbox: Sandbox) -> None:
    """Nothing is summed that is not of one currency."""
    sandbox.skan(20)
    sandbox.mmp()
    sandbox.bought("10", "EUR")
    assert sandbox.row().total_revenue is None
    quoted(sandbox.store, {(NOON - 3 * DAY).date(): 1.25, NOON.date(): 1.25})
    row = sandbox.row(currency="EUR")
    assert (row.mmp_revenue, row.skan_revenue, row.currency) == (10, 8, "EUR")
    assert row.total_revenue == 10


def test_two_tellers_of_one_app_are_not_added_up(sandbox: Sandbox) -> None:
    """The one who tells more is listened to, and the other is named."""
    sandbox.mmp(3)
    sandbox.mmp(2, provider="own")
    row = sandbox.row()
    assert row.mmp_installs == 3
    assert row.note == f"app {APP}: own tell the same as appsflyer: left out"


def test_what_was_rejected_or_is_elsewhere_is_not_counted(sandbox: Sandbox) -> None:
    """Nor is a reinstall, Android, another month, another kind."""
    (install,) = sandbox.mmp()
    sandbox.mmp(kind=Kind.REJECTED, withdraws=install.event_id)
    sandbox.mmp(kind=Kind.REINSTALL)
    sandbox.mmp(platform=Platform.ANDROID)
    sandbox.mmp(at=NOON - 90 * DAY)
    sandbox.skan(20, did_win=False)
    sandbox.skan(20, redownload=True)
    assert [row.total for row in sandbox.rows("app_id")] == [0]


def test_groups_are_laid_together_by_name(sandbox: Sandbox) -> None:
    """By day, app, network; and what has no name on the other side is said."""
    sandbox.skan(20, 20)
    sandbox.mmp(2)
    apart = sandbox.rows("network")
    assert {row.network for row in apart} == {NETWORK, "examplenet_int"}
    assert "of no ad network yet: examplenet_int" in apart[0].note
    map_source(sandbox.store, "ExampleNet_int", [NETWORK.upper()])
    row = sandbox.row("day", "app_id", "network")
    day = (NOON - usual_install("4.0", 0)).date()
    assert (row.day, row.app_id, row.network) == (day, APP, "ExampleNet_int")
    assert (row.total, row.note) == (2, None)
    assert sandbox.row(ad_network_id=NETWORK).mmp_installs == 2
    assert sandbox.row(app_id=APP).total == 2
    assert sandbox.rows(app_id=7) == sandbox.rows(ad_network_id="other.skadnetwork") == []
    assert [row.campaign_id for row in sandbox.rows("campaign_id")] == [None]


def test_what_only_postbacks_have_is_refused(sandbox: Sandbox) -> None:
    """With the field."""
    with pytest.raises(Unanswerable, match="window: only Apple's postbacks have it"):
        sandbox.rows(window=0)


def test_names_are_kept_and_statements_name_some(sandbox: Sandbox) -> None:
    """The last one who says it is believed; what is no id is refused."""
    map_source(sandbox.store, "A", [NETWORK, "b.skadnetwork"])
    map_source(sandbox.store, "B", ["B.skadnetwork"])
    with sandbox.store.read() as connection:
        assert sources(connection) == {NETWORK: "A", "b.skadnetwork": "B"}
    assert forget_source(sandbox.store, "B.skadnetwork")
    assert not forget_source(sandbox.store, "b.skadnetwork")
    for source, id_ in ((" ", NETWORK), ("A", "no id")):
        with pytest.raises(SourceRefused):
            map_source(sandbox.store, source, [id_])


def test_events_are_found_by_an_index(sandbox: Sandbox) -> None:
    """Those of the period, however many there are of others."""
    asked = Question(period=MONTH, by=("day", "network"), basis="usual")
    assert "ix_event_at" in plan(sandbox.store, "overlap", asked)


def test_it_draws_the_total_with_its_interval(sandbox: Sandbox) -> None:
    """A band over time, a rule without."""
    sandbox.skan(20)
    report = REPORTS["overlap"]
    for by in ((), ("day",)):
        with sandbox.store.read() as connection:
            found = report.table(
                connection, report.asked(Question(period=MONTH, by=by, basis="usual"))
            )
        assert len(report.chart(found, by)["data"]["values"]) == 1
