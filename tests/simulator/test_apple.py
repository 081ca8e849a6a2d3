"""What Apple sends matches what it documents, and the scenario's parameters. Seeds are fixed."""

import numpy as np
import pytest

from skan_receiver.conversion.arrays import ABSENT, CODES
from skan_receiver.simulator.apple import AAK, NO_COUNTRY, NO_PUBLISHER
from skan_receiver.simulator.days import Day, simulate
from skan_receiver.simulator.scenario import LAYOUTS, WINDOWED
from skan_receiver.simulator.world import HOUR_MS, RE_ENGAGEMENT, Array
from tests.simulator.worlds import Campaign, world

ONLY_4 = {"mix": {"4.0": 1.0}}
LOW = CODES["low"]


def first(day: Day) -> Array:
    """Winners' first postbacks."""
    rows = day.postbacks
    winners: Array = rows[rows["won"] & (rows["window"] == 0)]
    return winners


def hours_after(day: Day, rows: Array) -> Array:
    """From the install to each of `rows`."""
    place = np.searchsorted(day.installs["number"], rows["install"])
    hours: Array = (rows["at"] - day.installs["at"][place]) / HOUR_MS
    return hours


@pytest.mark.parametrize(
    ("daily", "tier", "digits", "kind"),
    [
        (3, 0, 2, "absent"),
        (30, 1, 2, "coarse"),
        (300, 2, 4, "fine"),
        (3000, 3, 4, "fine"),
    ],
)
def test_each_tier_tells_what_apple_documents(
    daily: int, tier: int, digits: int, kind: str
) -> None:
    """Value, digits, source app and marketplace appear as the crowd grows."""
    apple = {"tiers": [10, 100, 1000], "mix": {"4.0": 0.5, "adattributionkit": 0.5}}
    rows = first(simulate(world({"daily": daily}, apple=apple), 0))
    assert set(rows["tier"].tolist()) == {tier}
    assert set(rows["digits"].tolist()) == {digits}
    values = rows["value"]
    fine, coarse = values < LOW, (values >= LOW) & (values != ABSENT)
    assert {"absent": values == ABSENT, "coarse": coarse, "fine": fine}[kind].all()
    assert ((rows["publisher"] != NO_PUBLISHER) == (tier == 3)).all()
    assert (rows["marketplace"] == ((rows["layout"] == AAK) & (tier > 0))).all()
    assert ((rows["country"] != NO_COUNTRY) == ((rows["layout"] == AAK) & (tier == 3))).all()


def test_the_share_of_withheld_values_is_that_of_small_crowds() -> None:
    """A value is missing exactly where an install's crowd is below the first threshold."""
    publishers = {1000 + n: 1.0 for n in range(40)}
    told = world({"daily": 400, "publishers": publishers}, apple={**ONLY_4, "tiers": [10, 20, 40]})
    small = missing = total = 0
    for number in range(30):
        day = simulate(told, number)
        crowds = np.bincount(day.installs["publisher"])[day.installs["publisher"]]
        rows = first(day)
        small += int((crowds < 10).sum())
        missing += int((rows["value"] == ABSENT).sum())
        total += len(rows)
    assert missing == small
    # A crowd of Poisson(10): an install is in one below 10 with P(Poisson(10) < 9) = 0.333.
    assert missing / total == pytest.approx(0.333, abs=0.02)


def test_digits_go_with_the_crowd_they_still_have() -> None:
    """The highest tier wins, then the most digits; identifiers are cut from the front."""
    apple = {**ONLY_4, "tiers": [10, 100, 1000]}
    three = {"daily": 700, "source": "1239"}
    other = {"daily": 700, "source": "5239"}
    alone = {"daily": 1500, "source": "0001"}
    rows = first(simulate(world(three, other, alone, apple=apple), 0))
    # Neither has 1000 alone; "239" is the two together.
    assert set(rows["digits"][rows["campaign"] < 2].tolist()) == {3}
    assert set(rows["digits"][rows["campaign"] == 2].tolist()) == {4}


@pytest.mark.parametrize(
    ("window", "end", "least", "most"), [(0, 48, 24, 48), (1, 168, 24, 144), (2, 840, 24, 144)]
)
def test_delays_are_uniform_after_each_window(window: int, end: int, least: int, most: int) -> None:
    """Two windows of 24 to 144 hours, the first of 24 to 48: Apple's numbers."""
    day = simulate(world({"daily": 20_000}, apple=ONLY_4), 0)
    rows = day.postbacks[day.postbacks["window"] == window]
    delay = hours_after(day, rows) - end
    assert len(rows) > 4000
    assert least <= delay.min() < least + 1
    assert most - 1 < delay.max() <= most
    spread = np.quantile(delay, [0.25, 0.5, 0.75])
    assert spread == pytest.approx(least + (most - least) * np.array([0.25, 0.5, 0.75]), rel=0.03)


def test_up_to_version_3_the_timer_and_a_day_at_most_come_first() -> None:
    """24 hours after the last rise, then 0 to 24 more; so never before 24, half before 48."""
    day = simulate(world({"daily": 5000}, apple={"mix": {"3.0": 1.0}}), 0)
    hours = hours_after(day, first(day))
    assert hours.min() >= 24
    place = np.searchsorted(day.installs["number"], first(day)["install"])
    delay = hours - day.held[0].closed[place]
    assert delay.min() >= 0
    assert delay.max() <= 24
    assert delay.mean() == pytest.approx(12, abs=0.3)
    assert not (day.postbacks["window"] > 0).any()


def test_later_windows_are_coarse_and_silent_in_the_smallest_crowds() -> None:
    """Two digits, no fine value, no source; tier 0 sends nothing."""
    apple = {**ONLY_4, "tiers": [500, 1000, 2000]}
    day = simulate(world({"daily": 3000}, {"daily": 100, "source": "1111"}, apple=apple), 0)
    later = day.postbacks[day.postbacks["window"] > 0]
    assert len(later) > 500
    assert set(later["campaign"].tolist()) == {0}
    assert set(later["digits"].tolist()) == {2}
    assert (later["value"] >= LOW).all()
    assert (later["value"] != ABSENT).all()
    assert (later["publisher"] == NO_PUBLISHER).all()


def test_losers_are_as_many_as_told_and_know_nothing() -> None:
    """Shares of how many lost, each another network, no value and no source."""
    rivals: tuple[Campaign, ...] = (
        {},
        {"network": "two.skadnetwork"},
        {"network": "three.skadnetwork"},
    )
    losers = {"1": 0.2, "2": 0.1}
    day = simulate(world(*rivals, days=1, apple={**ONLY_4, "losers": losers}), 0)
    lost = day.postbacks[~day.postbacks["won"]]
    of = np.unique(lost["install"], return_counts=True)[1]
    assert (of == 1).sum() / len(day.installs) == pytest.approx(0.2, abs=0.025)
    assert (of == 2).sum() / len(day.installs) == pytest.approx(0.1, abs=0.02)
    pairs = np.stack([lost["install"], lost["campaign"].astype(np.int64)], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (lost["value"] == ABSENT).all()
    assert (lost["publisher"] == NO_PUBLISHER).all()
    assert set(lost["window"].tolist()) == {0}


def test_nobody_loses_before_version_3_nor_a_re_engagement() -> None:
    """Only a winner is told of those."""
    rivals: tuple[Campaign, ...] = (
        {"daily": 500, "re_engagements": 500},
        {"network": "two.skadnetwork", "daily": 0},
    )
    mix = {"1.0": 1, "2.0": 1, "2.1": 1, "2.2": 1}
    day = simulate(world(*rivals, apple={"mix": mix, "losers": {"1": 1.0}}), 0)
    assert day.postbacks["won"].all()
    back = day.postbacks["conversion"] == RE_ENGAGEMENT
    assert set(day.postbacks["layout"][back].tolist()) == {AAK}


def test_the_mix_of_versions_is_the_scenarios() -> None:
    """By weight."""
    mix = {"2.2": 1, "3.0": 2, "4.0": 4, "adattributionkit": 3}
    layouts = simulate(world({"daily": 10_000}, apple={"mix": mix}), 0).installs["layout"]
    for name, weight in mix.items():
        share = (layouts == LAYOUTS.index(name)).mean()
        assert share == pytest.approx(weight / 10, abs=0.015)


def test_web_ads_are_version_4s_alone() -> None:
    """No other layout has a member to say which site it was."""
    day = simulate(world({"publishers": {"news.example": 1}}, apple={"mix": {"3.0": 1}}), 0)
    assert set(day.postbacks["layout"].tolist()) == {WINDOWED}


def test_ids_are_all_different() -> None:
    """Also those of the three postbacks of one conversion."""
    day = simulate(world({"daily": 5000}), 0)
    ids = np.stack([day.postbacks["id_high"], day.postbacks["id_low"]], axis=1)
    assert len(np.unique(ids, axis=0)) == len(ids)
