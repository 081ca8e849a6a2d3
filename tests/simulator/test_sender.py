"""Sending as devices do: to the right paths, and again until it is taken."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from skan_receiver.simulator.bodies import Arriving, Press
from skan_receiver.simulator.clock import Clock
from skan_receiver.simulator.days import simulate
from skan_receiver.simulator.sender import Sender
from skan_receiver.simulator.world import World
from skan_receiver.testing import Signer
from tests.simulator.worlds import APP, SCHEMAS, world
from tests.sink import Sink, answers, closed_port, sink

NOW = Clock(0)


@pytest.fixture
def place() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture(scope="module")
def told() -> World:
    """One network comes directly, the other by a forwarder, winners are copied."""
    networks = [{"id": "one.skadnetwork"}, {"id": "two.skadnetwork", "forwarder": "adjust"}]
    campaigns = ({"daily": 30}, {"network": "two.skadnetwork", "daily": 30})
    return world(*campaigns, networks=networks, apps=[{"id": APP, "schemas": SCHEMAS}])


def arriving(world: World) -> list[Arriving]:
    return list(Press(world.scenario, Signer(seed=1)).bodies(simulate(world, 0).arrivals))


def sender(url: str, world: World) -> Sender:
    return Sender(url.removesuffix("/in"), world.scenario, NOW, path="/receive", connections=4)


def test_each_body_goes_where_its_sender_would_send_it(place: Sink, told: World) -> None:
    """The network's URL, Apple's two paths, the forwarder's."""
    one = sender(place.url, told)
    sent = arriving(told)
    one.send(sent, lambda _: None)
    assert one.statuses == {200: len(sent)}
    assert {received.path for received in place.received} == {
        "/receive",
        "/receive/adjust",
        "/.well-known/skadnetwork/report-attribution/",
        "/.well-known/appattribution/report-attribution/",
    }
    for received in place.received:
        assert ("forwarder" in json.loads(received.body)) == (received.path == "/receive/adjust")
        if "appattribution" in received.path:
            assert b"jws-string" in received.body


def test_a_device_tries_again_until_200(place: Sink, told: World) -> None:
    """Each body is refused twice with 500, then taken: nothing is lost."""
    seen: Counter[bytes] = Counter()

    def grudging(handler: object) -> None:
        body = place.received[-1].body
        seen[body] += 1
        answers(200 if seen[body] >= 3 else 500)(handler)  # type: ignore[arg-type]

    place.behaviour = grudging
    one = Sender(place.url.removesuffix("/in"), told.scenario, NOW, path="/receive", connections=1)
    sent = arriving(told)
    one.send(sent, lambda _: None)
    assert one.lost == 0
    assert one.statuses[200] >= len({each.body for each in sent})


def test_after_nine_tries_more_it_is_lost(told: World) -> None:
    """Nobody listens: ten tries each, as Apple has it."""
    sent = arriving(told)[:5]
    one = sender(f"http://127.0.0.1:{closed_port()}/in", told)
    one.send(sent, lambda _: None)
    assert one.statuses == {0: 50}
    assert one.lost == 5


def test_other_codes_than_500_end_adattributionkits_tries(place: Sink, told: World) -> None:
    """A retry is promised after 500 alone; SKAdNetwork tries after all but 200."""
    place.behaviour = answers(503)
    sent = arriving(told)
    aak = sum(b"jws-string" in each.body for each in sent)
    one = sender(place.url, told)
    one.send(sent, lambda _: None)
    assert one.statuses == {503: aak + 10 * (len(sent) - aak)}
    assert one.lost == len(sent) - aak


def test_a_clock_waits_a_day_each_second() -> None:
    """At 86400 simulated seconds a second."""
    slept: list[float] = []
    clock = Clock(86_400, monotonic=lambda: sum(slept), sleep=slept.append)
    for hours in (0, 12, 12, 36):
        clock.wait(1_780_000_000_000 + hours * 3_600_000)
    assert slept == [0.5, 1.0]
