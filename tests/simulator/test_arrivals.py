"""What a server receives of it: copies, repetitions, and what others send."""

from typing import Any

import numpy as np
import pytest

from skan_receiver.simulator.adversary import KINDS
from skan_receiver.simulator.arrivals import DEVELOPER, FORWARDED, GENUINE, NETWORK, REPEATED
from skan_receiver.simulator.days import simulate
from skan_receiver.simulator.world import DAY_MS
from tests.simulator.worlds import APP, SCHEMAS, Campaign, world

COPIES: dict[str, Any] = {"apps": [{"id": APP, "schemas": SCHEMAS}]}


def test_duplicates_are_as_many_as_told_within_nine_days() -> None:
    """The same postback again, later."""
    day = simulate(world({"daily": 20_000}, apple={"duplicates": 0.05}), 0)
    again = day.arrivals[day.arrivals["kind"] == REPEATED]
    assert len(again) / len(day.postbacks) == pytest.approx(0.05, abs=0.004)
    sent = {row["id_low"]: row["at"] for row in day.postbacks[["id_low", "at"]]}
    late = np.array([row["at"] - sent[row["id_low"]] for row in again])
    assert late.min() >= 0
    assert late.max() <= 9 * DAY_MS
    assert late.mean() == pytest.approx(4.5 * DAY_MS, rel=0.05)


def test_winners_are_copied_to_the_developer_at_the_same_time() -> None:
    """Losers never, nor version 1.0, which knew no copies."""
    rivals: tuple[Campaign, ...] = ({}, {"network": "two.skadnetwork"})
    apple = {"mix": {"1.0": 1, "4.0": 1}, "losers": {"1": 0.5}}
    day = simulate(world(*rivals, apple=apple, **COPIES), 0)
    copies = day.arrivals[day.arrivals["endpoint"] == DEVELOPER]
    may = day.postbacks[day.postbacks["won"] & (day.postbacks["layout"] > 0)]
    assert sorted(copies["id_low"].tolist()) == sorted(may["id_low"].tolist())
    assert sorted(copies["at"].tolist()) == sorted(may["at"].tolist())


def test_other_networks_postbacks_do_not_come_here() -> None:
    """Neither what they win nor what they lose; the developer's copy does."""
    rivals: tuple[Campaign, ...] = ({}, {"network": "three.skadnetwork"})
    day = simulate(world(*rivals, apple={"losers": {"1": 0.5}}, **COPIES), 0)
    theirs = day.arrivals[day.arrivals["campaign"] == 1]
    assert set(theirs["endpoint"].tolist()) == {DEVELOPER}
    assert theirs["won"].all()


def test_a_forwarders_network_comes_by_its_way() -> None:
    """And no other."""
    networks = [{"id": "one.skadnetwork", "forwarder": "adjust"}, {"id": "two.skadnetwork"}]
    day = simulate(world({}, {"network": "two.skadnetwork"}, networks=networks), 0)
    by = {n: set(day.arrivals["endpoint"][day.arrivals["campaign"] == n].tolist()) for n in (0, 1)}
    assert by == {0: {FORWARDED}, 1: {NETWORK}}


def test_without_an_adversary_all_is_genuine() -> None:
    """It is off by default."""
    assert set(simulate(world(), 0).arrivals["kind"].tolist()) == {GENUINE}


@pytest.mark.parametrize("name", ["invalid", "changed", "foreign", "broken"])
def test_the_adversary_sends_as_much_as_told(name: str) -> None:
    """A share of all that arrives, beside it."""
    day = simulate(world({"daily": 20_000}, adversary={name: 0.05}), 0)
    bad = day.arrivals["kind"] == KINDS[name]
    assert bad.sum() / (~bad).sum() == pytest.approx(0.05, abs=0.004)
    assert (~bad).sum() == len(day.postbacks)


def test_changed_values_are_changed() -> None:
    """Another value of the same kind, on the same signature."""
    day = simulate(world(adversary={"changed": 1.0}), 0)
    rows = day.arrivals
    mine = {row["id_low"]: row["value"] for row in rows[rows["kind"] == GENUINE]}
    changed = rows[rows["kind"] == KINDS["changed"]]
    assert len(changed) == len(day.postbacks)
    for row in changed:
        was = mine[row["id_low"]]
        assert row["value"] != was
        assert (row["value"] < 64) == (was < 64 or was == 255)
