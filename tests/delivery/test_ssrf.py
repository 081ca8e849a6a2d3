"""Nothing forbidden is ever connected to, whichever way somebody points us at it.

What is recorded is every connect of the process, so a connect that fails counts as well.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, product

import pytest

from skan_receiver.delivery.addresses import check_url
from skan_receiver.delivery.proxies import Proxies
from skan_receiver.delivery.transport import Request, Transport
from skan_receiver.errors import DeliveryFailed
from tests.delivery.conftest import Make
from tests.delivery.outgoing import FORBIDDEN, PUBLIC, connects, refuses, written
from tests.delivery.proxy import address, proxies
from tests.sink import Sink, answers, sink


@dataclass(frozen=True)
class Scene:
    """Where a case takes place: an allowed destination, and a proxy. Both are on 127.0.0.1."""

    transport: Make
    allowed: Sink
    through: Proxies


@pytest.fixture(scope="module")
def allowed() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture(scope="module")
def through() -> Iterator[Proxies]:
    with sink(proxies) as made:
        yield Proxies.read(http=address(made), https=address(made))


@pytest.fixture
def scene(transport: Make, allowed: Sink, through: Proxies) -> Scene:
    return Scene(transport, allowed, through)


def as_literal(scene: Scene, target: str) -> None:
    assert refuses(scene.transport(), written(target)).permanent


def as_literal_by_https(scene: Scene, target: str) -> None:
    assert refuses(scene.transport(), written(target).replace("http:", "https:")).permanent


def as_name(scene: Scene, target: str) -> None:
    led_there(scene.transport(resolve=lambda *_: [target]))


def as_name_with_a_good_address_first(scene: Scene, target: str) -> None:
    led_there(scene.transport(resolve=lambda *_: [PUBLIC, target]))


def as_name_with_a_good_address_last(scene: Scene, target: str) -> None:
    led_there(scene.transport(resolve=lambda *_: [target, PUBLIC]))


def as_name_that_flips(scene: Scene, target: str) -> None:
    """The first look-up says something public, every later one the target."""
    said = iter([[PUBLIC]])
    flipping = scene.transport(resolve=lambda *_: next(said, [target]))
    with connects() as made, pytest.raises(DeliveryFailed):
        flipping.send(Request("http://partner.example/"))
    assert made == [PUBLIC]
    led_there(flipping)


def redirected(status: int) -> Callable[[Scene, str], None]:
    def way(scene: Scene, target: str) -> None:
        scene.allowed.behaviour = answers(status, Location=written(target))
        answered(scene.transport(allow_private=True), scene.allowed.url, status)

    return way


def through_a_proxy_as_literal(scene: Scene, target: str) -> None:
    assert refuses(scene.transport(proxies=scene.through), written(target)).permanent


def through_a_proxy_as_literal_by_https(scene: Scene, target: str) -> None:
    url = written(target).replace("http:", "https:")
    assert refuses(scene.transport(proxies=scene.through), url).permanent


def through_a_proxy_as_name(scene: Scene, target: str) -> None:
    led_there(scene.transport(resolve=lambda *_: [target], proxies=scene.through))


def through_a_proxy_as_name_with_a_good_address(scene: Scene, target: str) -> None:
    led_there(scene.transport(resolve=lambda *_: [PUBLIC, target], proxies=scene.through))


def through_a_proxy_redirected(scene: Scene, target: str) -> None:
    scene.allowed.behaviour = answers(302, Location=written(target))
    url = scene.allowed.url.replace("127.0.0.1", "partner.example")
    proxied = scene.transport(resolve=lambda *_: [PUBLIC], proxies=scene.through)
    # Two connects: ours to the proxy, and the proxy's to the destination.
    answered(proxied, url, 302, connected=2)


def saved_as_literal(scene: Scene, target: str) -> None:
    not_saved(written(target))


def saved_as_name(scene: Scene, target: str) -> None:
    not_saved("http://partner.example/", PUBLIC, target)


def led_there(transport: Transport) -> None:
    """Refused, but not for good: a name may be mended."""
    failure = refuses(transport, "http://partner.example/")
    assert (failure.kind, failure.permanent) == ("address", False)


def answered(transport: Transport, url: str, status: int, *, connected: int = 1) -> None:
    """A redirect is an answer: nobody goes where it points."""
    with connects() as made:
        assert transport.send(Request(url, b"{}")).status == status
    assert made == ["127.0.0.1"] * connected


def not_saved(url: str, *addresses: str) -> None:
    with connects() as made, pytest.raises(DeliveryFailed) as raised:
        check_url(url, allow_private=False, resolve=lambda *_: addresses)
    assert (raised.value.permanent, made) == (True, [])


WAYS = [
    as_literal,
    as_literal_by_https,
    as_name,
    as_name_with_a_good_address_first,
    as_name_with_a_good_address_last,
    as_name_that_flips,
    *map(redirected, (302, 307, 308)),
    through_a_proxy_as_literal,
    through_a_proxy_as_literal_by_https,
    through_a_proxy_as_name,
    through_a_proxy_as_name_with_a_good_address,
    through_a_proxy_redirected,
    saved_as_literal,
    saved_as_name,
]
CASES = list(product(WAYS, FORBIDDEN))


def test_how_many_cases_there_are() -> None:
    """The bar was 28 addresses by 3 ways, 84 cases; this is the number we state."""
    assert (len(set(FORBIDDEN)), len(WAYS), len(CASES)) == (38, 16, 608)


@pytest.mark.parametrize(("way", "target"), CASES)
def test_nothing_forbidden_is_connected_to(
    scene: Scene, way: Callable[[Scene, str], None], target: str
) -> None:
    """Each way by each address; what is asserted is in the way."""
    way(scene, target)


def test_the_recorder_records(transport: Make) -> None:
    """A test that sees no connects proves something only if it would see one."""
    with sink() as open_, connects() as made:
        transport(allow_private=True).send(Request(open_.url))
        with pytest.raises(DeliveryFailed) as raised:
            transport().send(Request(f"http://{PUBLIC}/"))
    assert made == ["127.0.0.1", PUBLIC]
    assert raised.value.kind == "connect"


def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """DNS rebinding: the address that was checked is the address connected to, 1,000 times."""
    turns = cycle(["127.0.0.1", "169.254.169.254"])
    refused = 0
    with sink() as open_, connects() as made:
        url = open_.url.replace("127.0.0.1", "partner.example")
        for _ in range(1_000):
            flipping = Transport(allow_private=True, resolve=lambda *_: [next(turns)])
            try:
                flipping.send(Request(url))
            except DeliveryFailed:
                refused += 1
            flipping.close()
    assert (refused, set(made)) == (500, {"127.0.0.1"})


# The same address, as only a resolver reads it.
DISGUISED = [
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.1./",
    "http://127.0.0.1./",
    "http://0/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://[::ffff:a9fe:a9fe]/",
]


@pytest.mark.parametrize("url", DISGUISED)
def test_an_address_in_disguise_is_an_address(transport: Make, through: Proxies, url: str) -> None:
    """Nobody needs to be asked what it means; a proxy would have to be, and may not be."""
    for disguised in (transport(), transport(proxies=through)):
        failure = refuses(disguised, url)
        assert (failure.kind, failure.permanent) == ("address", True)
    not_saved(url)


@pytest.mark.parametrize("url", ["http://localhost/", "http://LOCALHOST/", "http://localhost./"])
def test_the_name_of_this_machine_is_refused(transport: Make, through: Proxies, url: str) -> None:
    """By the system's own resolver: no test stands in for it here."""
    refuses(transport(), url)
    assert refuses(transport(proxies=through), url).kind == "address"
    with pytest.raises(DeliveryFailed):
        check_url(url, allow_private=False)


PRIVATE_NAMES = [
    "localhost", "app.localhost", "redis", "redis.", "printer.local", "router.home.arpa",
    "metadata.google.internal", "METADATA.google.internal.",
]  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_a_private_name_is_not_left_to_a_proxy(
    transport: Make, through: Proxies, name: str
) -> None:
    """Nobody knows it here, and whoever does would find something private."""
    deaf = transport(resolve=unknown, proxies=through)
    assert refuses(deaf, f"http://{name}/").kind == "address"
    with pytest.raises(DeliveryFailed):
        check_url(f"http://{name}/", allow_private=False, resolve=unknown)
    check_url(f"http://{name}/", allow_private=True, resolve=unknown)


def unknown(host: str, port: int) -> list[str]:
    raise OSError("Name or service not known")
