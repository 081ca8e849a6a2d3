"""From postbacks to intervals: what is kept, what reports make of it, and what they say without."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from skan_receiver.delivery.window_spans import containing
from skan_receiver.estimating import OutOfTurn, Wanted, try_all, turn
from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable, drawn
from skan_receiver.reports.drawn import Estimates
from skan_receiver.storage import EstimateDraw, EstimateRun, Store
from skan_receiver.storage.estimates import BY_DAY, BY_WEEK, REVENUE, RUN
from skan_receiver.storage.schemas import Publication, publish
from tests.delivery.reporting import edition_of, report, values_of
from tests.estimating.stored import (
    DAY,
    FEW,
    MONTH,
    SCHEMA,
    WITHOUT_TAIL,
    estimated,
    published,
    received,
    rows,
)
from tests.receiving import NOON, Receiver


@pytest.fixture
def receiver(store: Store) -> Receiver:
    receiver = Receiver(store)
    published(store)
    received(receiver)
    return receiver


def sums(store: Store, grain: str, *by: str, period: Period = MONTH) -> dict[Any, drawn.Sum]:
    question = Question(period=period, by=by, filters=Filters(window=0))
    with store.read() as connection:
        return dict(Estimates.load(connection, REVENUE, question, grain).sums(by, period))


def test_what_is_withheld_is_estimated_beside_what_is_told(receiver: Receiver) -> None:
    """Between what the values tell at least and what nobody can know; nulls that could not have
    been withheld are worth nothing."""
    estimated(receiver.store)

    (row,) = rows(receiver.store, "revenue", window=0)

    assert (row.currency, row.postbacks, row.nulls) == ("USD", 189, 105)
    assert (row.revenue_min, row.revenue_max) == (250, None)
    assert row.revenue_min < row.low < row.estimate < row.high
    assert (row.estimated, row.sensitivity, row.made_at, row.note) == (189, 0.0, NOON, None)


def test_a_null_that_the_tier_would_have_shown_was_never_set(store: Store) -> None:
    """Of four digits, it earned nothing; of two, it may have."""
    receiver = Receiver(store)
    published(store)
    received(receiver)
    skan = receiver.signer.skadnetwork
    receiver.receive(
        *(skan("4.0", app_id=42, ad_network_id="shown", source_identifier="1234") for _ in "12345"),
        *(skan("4.0", app_id=42, ad_network_id="hidden", source_identifier="34") for _ in "12345"),
    )
    receiver.settle()
    estimated(store)

    of = {row.ad_network_id: row for row in rows(store, "revenue", "ad_network_id", window=0)}

    assert (of["shown"].estimate, of["shown"].high) == (0, 0)
    assert of["hidden"].estimate > 0


def test_an_interval_of_a_sum_is_that_of_the_sums_of_draws(receiver: Receiver) -> None:
    """Whatever it is split by; parts add up to the whole draw by draw."""
    store = receiver.store
    estimated(store)
    ((_, whole),) = sums(store, BY_DAY).items()
    parts = (
        sums(store, BY_DAY, "ad_network_id"),
        sums(store, BY_DAY, "day"),
        sums(store, BY_DAY, "app_id", "day", "ad_network_id", "window"),
        sums(store, BY_WEEK, "source_digits"),
    )

    for part in parts:
        together = np.sum([np.asarray(one.draws) for one in part.values()], axis=0)
        assert together == pytest.approx(whole.draws, rel=1e-5)
        assert sum(one.postbacks for one in part.values()) == whole.postbacks == 189

    (row,) = rows(store, "revenue", window=0)
    low, high = np.quantile(whole.draws, [0.05, 0.95])
    assert (row.low, row.estimate, row.high) == pytest.approx((low, np.mean(whole.draws), high))


def test_windows_add_up(receiver: Receiver) -> None:
    """Draw by draw: their errors are taken to be independent."""
    estimated(receiver.store)

    (both,) = rows(receiver.store, "revenue")
    each = rows(receiver.store, "revenue", "window")

    assert both.estimate == pytest.approx(sum(row.estimate for row in each), rel=1e-5)
    assert both.high - both.low < sum(row.high - row.low for row in each)


def test_digits_of_sources_are_of_whole_weeks(receiver: Receiver) -> None:
    """39 is what arrived as 39 and as 5239; a row says which days it is of."""
    estimated(receiver.store)
    midweek = Period(MONTH.start + 9 * DAY, MONTH.start + 10 * DAY)

    found = rows(receiver.store, "revenue", "source_digits", period=midweek, window=0)

    assert [(row.source_digits, row.postbacks, row.estimated) for row in found] == [
        ("01", 21, 21),
        ("39", 42, 42),
    ]
    assert {(row.first_day.day, row.last_day.day) for row in found} == {(9, 15)}
    with pytest.raises(Unanswerable, match="leave `day` out"):
        REPORTS["revenue"].asked(Question(period=MONTH, by=("source_digits", "day")))


def test_installs_are_given_to_the_days_they_can_be_of(receiver: Receiver) -> None:
    """The last days are wide; today is not over, so nothing is said of it."""
    estimated(receiver.store)

    days = rows(receiver.store, "installs", "day")
    (together,) = rows(receiver.store, "installs")

    assert together.arrived == sum(day.arrived for day in days) == 189
    of = {row.day.day: row for row in days}
    assert of[5].estimate == pytest.approx(9, abs=4)
    assert of[22].high - of[22].low > of[12].high - of[12].low
    assert of[12].as_of == NOON.replace(hour=0, minute=0)
    assert rows(receiver.store, "installs", window=1) == []


def test_the_same_is_not_estimated_twice(receiver: Receiver) -> None:
    """Until something arrives, a schema changes, or something else is assumed."""
    store = receiver.store
    assert estimated(store)
    assert estimated(store) == []
    assert estimated(store, Wanted(days=28, draws=60, sensitivity=0.7))
    publish(store, Publication(SCHEMA.replace("35", "36")), NOON)
    assert estimated(store)
    received(receiver, days=1)
    assert estimated(store)
    assert estimated(store, now=NOON + DAY)
    runs = receiver.rows(EstimateRun)
    assert [run.what for run in runs] == ["revenue", "revenue", "installs"]
    assert all(run.stands for run in runs)
    assert {row.run_id for row in receiver.rows(EstimateDraw)} == {run.id for run in runs}


def test_what_somebody_left_who_was_killed_is_never_read(receiver: Receiver) -> None:
    """Half of a run does not stand; the next one takes it away."""
    store = receiver.store
    estimated(store)
    before = rows(store, "revenue")

    def leave(connection: object) -> None:
        half = EstimateRun.__table__.insert()  # type: ignore[attr-defined]
        run = {**receiver.rows(EstimateRun)[0]._mapping, "id": 1000, "stands": False}
        connection.execute(half, run)  # type: ignore[attr-defined]

    store.write(leave)
    assert rows(store, "revenue") == before
    estimated(store, now=NOON + DAY)
    assert 1000 not in {run.id for run in receiver.rows(EstimateRun)}


def test_one_estimates_at_a_time(store: Store) -> None:
    """The others are told so; who fails has had its turn."""
    with turn(store, clock=lambda: NOON):
        with pytest.raises(OutOfTurn, match="another process"), turn(store, clock=lambda: NOON):
            pass
        # Who was killed is waited for, but not for ever.
        with turn(store, clock=lambda: NOON + DAY):
            pass
    with pytest.raises(OutOfTurn), turn(store, every=DAY, clock=lambda: NOON + DAY):
        pass


def test_a_turn_that_took_too_long_is_lost(store: Store) -> None:
    """What another has begun meanwhile is not mixed with ours."""
    with turn(store, clock=lambda: NOON) as keep:
        with turn(store, clock=lambda: NOON + DAY):
            pass
        with pytest.raises(OutOfTurn, match="so long"):
            keep()


@pytest.mark.parametrize(
    ("schema", "note"),
    [
        (WITHOUT_TAIL, "app 42, window 0: version 1 of its schema states no `tail`"),
        (None, "app 42, window 0: no schema"),
        (
            "app: 42\ncurrency: USD\nevents: {a: {}}\nwindows:\n"
            "  0: {fine: {model: rules, rules: [{value: 0}]}}\n",
            "app 42, window 0: its values tell no revenue",
        ),
    ],
)
def test_where_there_is_no_estimate_the_report_says_why(
    store: Store, schema: str | None, note: str
) -> None:
    """And goes on with what is told, and with what can be estimated."""
    receiver = Receiver(store)
    if schema:
        published(store, schema)
    received(receiver, days=2)

    (row,) = rows(store, "revenue", window=0)
    assert row.estimate is None
    assert "not estimated yet" in row.note
    estimated(store)
    (row,) = rows(store, "revenue", window=0)
    assert (row.estimate, row.low, row.high, row.note) == (None, None, None, note)
    assert row.postbacks == 18
    (installs,) = rows(store, "installs")
    assert installs.estimate is not None


def test_nothing_is_said_of_what_was_not_estimated(receiver: Receiver) -> None:
    """Of days before, of what came since, of versions alone."""
    store = receiver.store
    estimated(store, Wanted(days=7, draws=60))
    early = Period(MONTH.start, MONTH.start + 7 * DAY)

    (before,) = rows(store, "revenue", period=early, window=0)
    (alone,) = rows(store, "revenue", window=0, version="4.0")

    assert before.note == (
        "app 42, window 0: estimated from 2026-11-16 on; SKAN_ESTIMATE_DAYS has more"
    )
    assert alone.note == "estimates are not split by version"
    received(receiver, days=1, app_id=43)
    (other,) = rows(store, "revenue", app_id=43, window=0)
    assert "not estimated yet" in other.note


def test_another_sensitivity_can_be_tried(receiver: Receiver) -> None:
    """Nothing is kept of it."""
    tried = {
        s: list(try_all(receiver.store, Wanted(28, s, 0.0, 60), clock=lambda: NOON))
        for s in (-1.0, 1.0)
    }
    low, high = (tried[s][0].total for s in (-1.0, 1.0))
    assert low
    assert high
    assert low.mean < high.mean
    assert receiver.rows(EstimateRun) == []


def test_a_change_of_the_schema_is_within_the_estimate(receiver: Receiver) -> None:
    """Two versions are two scales, with the weights that they were in force with."""
    dearer = SCHEMA.replace("edges: [0, 5, 20]", "edges: [0, 50, 200]").replace("35", "350")
    store = receiver.store
    estimated(store)
    (before,) = rows(store, "revenue", window=0)
    change = Publication(dearer, MONTH.start + 5 * DAY)
    publish(store, change, NOON, back_dated=True)

    made = estimated(store)

    (after,) = rows(store, "revenue", window=0)
    assert made[0].run.versions == "[1, 2]"
    assert before.estimate * 3 < after.estimate < before.estimate * 10


def test_an_app_that_is_gone_has_no_estimate(receiver: Receiver) -> None:
    """Its old one would be in the sums of all apps."""
    estimated(receiver.store)
    later = NOON + 60 * DAY
    assert estimated(receiver.store, FEW, now=later) == []
    assert receiver.rows(EstimateRun) == []


def test_what_is_sent_has_estimates_and_no_news_where_they_say_the_same(
    receiver: Receiver,
) -> None:
    """A destination looks at what counts alone, as estimates do; also of the first window only."""
    store, day = receiver.store, containing("day", NOON - 9 * DAY)
    wanted = [
        report(report="installs"),
        report(report="installs", windows=(0,)),
        report(report="revenue"),
    ]
    estimated(store)
    first = [edition_of(store, one, day, NOON) for one in wanted]
    later = update(RUN).values(made_at=NOON + timedelta(hours=1))
    store.write(lambda connection: connection.execute(later))
    second = [edition_of(store, one, day, NOON) for one in wanted]

    assert [one.hash for one in first] == [one.hash for one in second]
    assert [one.content for one in first] != [one.content for one in second]
    for one in first:
        said = values_of(one, day)
        rows = [dict(zip(said["columns"], row, strict=True)) for row in said["rows"]]
        assert rows
        assert all(row["estimate"] is not None and row["note"] is None for row in rows)
