"""Two sides, whatever they are, and the way from one number to the other."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.statements.line import KINDS
from skan_receiver.reports.reconciling import by_count, by_id
from skan_receiver.reports.reconciling.by_count import Cell, Counted
from skan_receiver.reports.reconciling.reasons import OURS, THEIRS, WORDS, Reason
from skan_receiver.reports.reconciling.sides import Claim, Frame, Held, Key, Terms, View, frames
from skan_receiver.reports.reconciling.waterfall import Waterfall

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 10)
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
APP, NETWORK, OTHER = 42, "a.skadnetwork", "b.skadnetwork"
STRATA = frozenset({(APP, NETWORK), (APP, OTHER)})
DIMENSIONS = ("day", "app_id", "ad_network_id")

days = st.integers(-3, 12).map(lambda n: FIRST + timedelta(n))
moments = st.integers(-72, 13 * 24).map(
    lambda hours: datetime(2026, 11, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hours)
)
networks = st.sampled_from([NETWORK, OTHER, "alias.skadnetwork", "unnamed.skadnetwork"])
zones = st.sampled_from([UTC, BERLIN, TOKYO])
frames_ = st.builds(Frame, zones, st.sampled_from(["arrival", "install"]))
claims = st.builds(
    Claim,
    day=days,
    app_id=st.sampled_from([APP, 43]),
    ad_network_id=st.sampled_from([NETWORK, OTHER]),
    postback_id=st.just("id"),
    window=st.sampled_from([None, 0, 1, 2]),
    kind=st.sampled_from(KINDS),
)
standings = st.none() | st.sampled_from(
    [Reason.REDOWNLOADS, Reason.LATER_WINDOWS, Reason.INVALID, Reason.LOST, Reason.NOT_COUNTED]
)
helds = st.builds(
    Held,
    postback_id=st.just("ID"),
    received_at=moments,
    app_id=st.sampled_from([APP, 43]),
    ad_network_id=networks,
    version=st.sampled_from(["", "2.2", "4.0"]),
    window=st.sampled_from([0, 1, 2]),
    standing=standings,
    forwarded=st.booleans(),
)


def terms(frame: Frame, **said: Any) -> Terms:
    given: dict[str, Any] = {
        "first": FIRST,
        "last": LAST,
        "strata": STRATA,
        "by_id": STRATA,
        "aliases": {"alias.skadnetwork": NETWORK},
        **said,
    }
    return Terms(frame=frame, **given)


@st.composite
def views(draw: st.DrawFn) -> View:
    first = draw(st.sampled_from([FIRST, FIRST + timedelta(2), FIRST - timedelta(1)]))
    return View(
        terms=terms(
            draw(frames_),
            first=draw(st.sampled_from([FIRST, FIRST - timedelta(2)])),
            has_destinations=draw(st.booleans()),
            by_id=draw(st.sampled_from([STRATA, frozenset({(APP, NETWORK)})])),
        ),
        frame=Frame(draw(zones)),
        first=first,
        last=draw(st.sampled_from([LAST, LAST - timedelta(3), LAST + timedelta(1)])),
        by=tuple(name for name in DIMENSIONS if draw(st.booleans())),
        apps=draw(st.none() | st.just(frozenset({APP}))),
        networks=draw(st.none() | st.just(frozenset({NETWORK}))),
    )


def add_up(waterfall: Waterfall) -> None:
    """In each group the steps lead from theirs to ours."""
    for key in waterfall.groups():
        first, *reasons, last = waterfall.steps(key)
        assert (first.name, last.name) == (THEIRS, OURS)
        assert first.count + sum(step.count for step in reasons) == last.count
        assert all(step.name in WORDS for step in (first, *reasons, last))


@given(views(), st.lists(st.tuples(st.lists(claims, max_size=4), st.lists(helds, max_size=4))))
def test_by_id_everything_is_accounted_for_and_nothing_is_left(
    view: View, ids: list[tuple[list[Claim], list[Held]]]
) -> None:
    """Their number, our number and each step between, without a rest."""
    waterfall = Waterfall()
    theirs: Counter[Key] = Counter()
    ours: Counter[Key] = Counter()
    for lines, postbacks in ids:
        by_id.compare(view, lines, postbacks, waterfall)
        theirs.update(key for line in lines if (key := view.claimed(line)) is not None)
        ours.update(
            key
            for held in postbacks
            if held.standing is None and (key := view.held(held)) is not None
        )

    add_up(waterfall)
    assert +waterfall.theirs == theirs
    assert +waterfall.ours == ours
    for key in waterfall.groups():
        assert theirs[key] + waterfall.reasons[key].total() == ours[key]


counts = st.dictionaries(
    st.tuples(days, st.just(APP), st.sampled_from([NETWORK, OTHER])), st.integers(0, 50)
)


@given(views(), st.data())
def test_by_number_the_steps_add_up_whatever_the_numbers(view: View, data: st.DataObject) -> None:
    """What nothing explains is the rest, and all of it is told."""

    def cells() -> Counter[Cell]:
        drawn = data.draw(counts)
        return Counter({cell: n for cell, n in drawn.items() if view.key(*cell) is not None})

    ours = {}
    for frame in frames(view.terms, view.frame):
        ours[frame] = Counted(installs=cells())
        ours[frame].candidates[Reason.REDOWNLOADS] = cells()
        ours[frame].candidates[Reason.NULLS] = Counter({c: -n for c, n in cells().items()})
    theirs = cells()
    waterfall = Waterfall()

    by_count.compare(view, theirs, {Reason.LATER_WINDOWS: cells()}, ours, waterfall)

    add_up(waterfall)
    assert waterfall.theirs.total() == theirs.total()
    assert waterfall.ours.total() == ours[view.frame].installs.total()


def view(frame: Frame | None = None, **said: Any) -> View:
    own = said.pop("own", Frame())
    seen = {name: said.pop(name) for name in ("first", "last", "by") if name in said}
    return View(terms=terms(frame or Frame(), **said), frame=own,
                **{"first": FIRST, "last": LAST, **seen})  # fmt: skip


def claim(day: date = FIRST, **said: Any) -> Claim:
    theirs: dict[str, Any] = {"app_id": APP, "ad_network_id": NETWORK, "postback_id": "id"}
    return Claim(day=day, **theirs | said)


def held(at: datetime = datetime(2026, 11, 1, 12, tzinfo=UTC), **said: Any) -> Held:
    ours: dict[str, Any] = {
        "postback_id": "id",
        "app_id": APP,
        "ad_network_id": NETWORK,
        "version": "4.0",
    }
    return Held(received_at=at, **ours | said)


def reasons(view: View, lines: list[Claim], postbacks: list[Held]) -> dict[str, int]:
    waterfall = Waterfall()
    by_id.compare(view, lines, postbacks, waterfall)
    add_up(waterfall)
    found: Counter[str] = Counter()
    for key in waterfall.groups():
        for step in list(waterfall.steps(key))[1:-1]:
            found[step.name] += step.count
    return {name: n for name, n in found.items() if n}


LATE = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)  # the 11th in Berlin


@pytest.mark.parametrize(
    ("lines", "postbacks", "why"),
    [
        ([claim()], [held()], {}),
        ([claim()], [], {Reason.NEVER_ARRIVED: -1}),
        ([], [held()], {Reason.MISSING: 1}),
        ([claim(), claim()], [held()], {Reason.DUPLICATES: -1}),
        ([claim(window=0), claim(window=0)], [held()], {Reason.DUPLICATES: -1}),
        ([claim(window=1)], [held()], {Reason.LATER_WINDOWS: -1, Reason.MISSING: 1}),
        # Lines without a window are of the windows we have, one after the other.
        (
            [claim()] * 3,
            [held(window=w, standing=Reason.LATER_WINDOWS if w else None) for w in range(3)],
            {Reason.LATER_WINDOWS: -2},
        ),
        ([claim()], [held(standing=Reason.REDOWNLOADS)], {Reason.REDOWNLOADS: -1}),
        ([claim(kind="redownload")], [], {Reason.REDOWNLOADS: -1}),
        ([claim(kind="invalid")], [], {Reason.INVALID: -1}),
        ([claim()], [held(standing=Reason.INVALID)], {Reason.INVALID: -1}),
        # A forged copy beside the true one: they counted one of them.
        ([claim()], [held(standing=Reason.INVALID), held()], {}),
        # Of a network that the statement has no lines of.
        ([claim()], [held(ad_network_id="c.skadnetwork")], {Reason.ELSEWHERE: -1}),
        ([claim()], [held(ad_network_id="alias.skadnetwork")], {}),
        # What they date outside the days in sight, and what we do.
        ([claim(date(2026, 10, 30))], [held()], {Reason.OTHER_DATES: 1}),
        ([claim(LAST)], [held(LATE + timedelta(days=1))], {Reason.OTHER_DATES: -1}),
    ],
)  # fmt: skip
def test_each_reason_of_a_postback(
    lines: list[Claim], postbacks: list[Held], why: dict[str, int]
) -> None:
    """What there is on both sides, and why it is not one install on each."""
    assert reasons(view(), lines, postbacks) == why


def test_time_zones_move_what_is_at_the_edge_of_a_period() -> None:
    """Theirs ends when it is the 11th in Berlin; ours an hour later."""
    berlin = view(Frame(BERLIN))

    assert reasons(berlin, [], [held(LATE)]) == {Reason.TIME_ZONE: 1}
    before = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert reasons(berlin, [claim(FIRST)], [held(before)]) == {Reason.TIME_ZONE: -1}
    # And moves between days within it, which by day adds up to nothing.
    within = datetime(2026, 11, 4, 23, 30, tzinfo=UTC)
    waterfall = Waterfall()
    by_day = view(Frame(BERLIN), by=("day",))
    by_id.compare(by_day, [claim(date(2026, 11, 5))], [held(within)], waterfall)
    assert waterfall.reasons == {
        (date(2026, 11, 4),): {Reason.TIME_ZONE: 1},
        (date(2026, 11, 5),): {Reason.TIME_ZONE: -1},
    }


def test_install_dates_move_postbacks_by_days() -> None:
    """By any of the days on which it can have been installed, and by no other."""
    by_install = view(Frame(UTC, "install"))
    early, arrived = date(2026, 10, 30), datetime(2026, 11, 3, 12, tzinfo=UTC)

    assert reasons(by_install, [claim(early)], [held(arrived)]) == {Reason.DATE_BASIS: 1}
    # Not in the statement at all, since it begins on the 1st, and this was installed before.
    assert reasons(by_install, [], [held(arrived)]) == {Reason.DATE_BASIS: 1}
    late = datetime(2026, 11, 12, 12, tzinfo=UTC)
    assert reasons(by_install, [claim(date(2026, 11, 9))], [held(late)]) == {Reason.DATE_BASIS: -1}
    never = date(2026, 11, 4)
    assert reasons(by_install, [claim(never)], [held(arrived)]) == {}
    waterfall = Waterfall()
    by_id.compare(
        view(Frame(UTC, "install"), by=("day",)), [claim(never)], [held(arrived)], waterfall
    )
    assert waterfall.reasons[never,] == {Reason.OTHER_DATES: -1}


def test_days_that_the_statement_does_not_speak_of() -> None:
    """Nobody can have left out what their period cannot contain."""
    assert reasons(view(last=LAST + timedelta(5)), [], [held(LATE + timedelta(days=2))]) == {
        Reason.OUTSIDE: 1
    }


@pytest.mark.parametrize(
    ("forwarded", "why"), [(True, Reason.FORWARDED), (False, Reason.NEVER_FORWARDED)]
)
def test_what_they_lack_was_delivered_to_them_or_not(forwarded: bool, why: Reason) -> None:
    """Where they have a destination; without one, nothing is known of it."""
    assert reasons(view(has_destinations=True), [], [held(forwarded=forwarded)]) == {why: 1}


def test_at_most_five_ids_stand_for_a_reason() -> None:
    """Enough to look some up."""
    waterfall = Waterfall()
    for n in range(9):
        by_id.compare(view(), [claim(postback_id=f"id-{n}")], [], waterfall)

    (step,) = [step for step in waterfall.steps(()) if step.examples]
    assert (step.name, step.count) == (Reason.NEVER_ARRIVED, -9)
    assert step.examples == tuple(f"id-{n}" for n in range(5))


def numbers(n: int, ratio: int = 1, shift: int = 0) -> Counter[Cell]:
    """Ten days of about `n` each, no two alike."""
    return Counter({
        (FIRST + timedelta(day + shift), APP, NETWORK): (n + day * day * 7 % 13) // ratio
        for day in range(10)
    })  # fmt: skip


def counted(theirs: Counter[Cell], ours: Counted, **said: Any) -> dict[str, int]:
    looked = view(**said)
    waterfall = Waterfall()
    every = dict.fromkeys(frames(looked.terms, looked.frame), ours)
    by_count.compare(looked, theirs, {}, every, waterfall)
    return {step.name: step.count for step in waterfall.steps(()) if step.count}


def test_a_reason_is_believed_where_it_explains_the_difference() -> None:
    """And only then: of counts alone, everything could be behind everything."""
    ours = Counted(installs=numbers(100))
    ours.candidates[Reason.REDOWNLOADS] = numbers(20)
    ours.candidates[Reason.LOST] = numbers(9, ratio=2)

    assert counted(numbers(100) + numbers(20), ours) == {
        "theirs": 1058 + 258, "redownloads": -258, "ours": 1058
    }  # fmt: skip
    fewer = Counter({cell: n - 3 for cell, n in numbers(100).items()})
    assert counted(fewer, ours) == {"theirs": 1028, "unexplained": 30, "ours": 1058}


NETWORKS = (NETWORK, OTHER, "c.skadnetwork")
THREE = frozenset((APP, name) for name in NETWORKS)


def spread(amounts: list[int]) -> Counter[Cell]:
    """Ten days of three networks."""
    cells = [(FIRST + timedelta(n), APP, name) for n in range(10) for name in NETWORKS]
    return Counter(dict(zip(cells, amounts, strict=True)))


def shares(random: Random, amounts: list[int], most: float) -> list[int]:
    """Of each amount a part, which is another one at each network, and each day."""
    each = [random.uniform(0.1, most) for _ in NETWORKS]
    return [
        sum(random.random() < each[place % 3] for _ in range(n)) for place, n in enumerate(amounts)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_lost_everywhere_is_no_reason_that_happens_to_be_as_large(seed: int) -> None:
    """A fifth less is not because of the fifth that has no value, unless it is spread alike."""
    random = Random(seed)
    amounts = [random.randrange(50, 400) for _ in range(30)]
    without = shares(random, amounts, 0.4)
    ours = Counted(installs=spread(amounts))
    ours.candidates[Reason.NULLS] = spread([-n for n in without])
    got = [sum(random.random() > 0.2 for _ in range(n)) for n in amounts]

    lost = sum(amounts) - sum(got)
    assert counted(spread(got), ours, strata=THREE) == {
        "theirs": sum(got), "unexplained": lost, "ours": sum(amounts)
    }  # fmt: skip
    left_out = spread([n - none for n, none in zip(amounts, without, strict=True)])
    assert counted(left_out, ours, strata=THREE) == {
        "theirs": left_out.total(), "nulls": sum(without), "ours": sum(amounts)
    }  # fmt: skip


def test_a_reason_is_found_beside_a_large_loss() -> None:
    """Redownloads counted as installs, and a fifth of all lost at random: both are told, unless
    redownloads happen to be the same share everywhere. No other reason ever is."""
    found = Counter(map(beside_a_loss, range(100)))

    assert found[True] >= 95


def beside_a_loss(seed: int) -> bool:
    random = Random(seed)
    amounts = [random.randrange(50, 400) for _ in range(30)]
    again = shares(random, amounts, 0.4)
    ours = Counted(installs=spread(amounts))
    ours.candidates[Reason.REDOWNLOADS] = spread(again)
    ours.candidates[Reason.LOST] = spread([random.randrange(30) for _ in amounts])
    ours.candidates[Reason.NULLS] = spread([-n for n in shares(random, amounts, 0.4)])
    got = [sum(random.random() > 0.2 for _ in range(n)) for n in amounts]
    steps = counted(spread([a + b for a, b in zip(got, again, strict=True)]), ours, strata=THREE)
    assert steps.keys() <= {"theirs", Reason.REDOWNLOADS, Reason.UNEXPLAINED, "ours"}
    return steps.get(Reason.REDOWNLOADS) == -sum(again)


def test_their_dates_are_read_otherwise_where_that_fits_better() -> None:
    """A statement that says Berlin, and has the days of UTC: nothing is explained by Berlin."""
    said = view(Frame(BERLIN))
    waterfall = Waterfall()
    ours = {
        Frame(BERLIN): Counted(installs=numbers(100, shift=1)),
        Frame(UTC): Counted(installs=numbers(100)),
    }
    fit = by_count.compare(said, numbers(100), {}, ours, waterfall)

    assert (fit.frame, fit.unlike) == (Frame(UTC), 0)
    fit = by_count.compare(said, ours[Frame(BERLIN)].installs, {}, ours, waterfall)
    assert fit.frame == Frame(BERLIN)
