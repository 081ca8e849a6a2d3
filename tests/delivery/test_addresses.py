"""Nothing forbidden is ever connected to: what is recorded is every connect of the process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from itertools import cycle
from typing import Any

import pytest

from skan_receiver.delivery.addresses import forbidden, target
from skan_receiver.delivery.transport import Request, Transport
from skan_receiver.errors import DeliveryFailed
from tests.delivery.conftest import Make
from tests.sink import answers, sink

# Addresses, and whether a private network may be delivered to when the operator says so.
FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::1",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
    "3fff::1",
    "100::1",
]
PRIVATE = {
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "::1", "fc00::1",
}  # fmt: skip

# The same address, as only a resolver reads it.
DISGUISED = [
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
]

TRICKS = [
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com@127.0.0.1/",
    "http://user:password@127.0.0.1/",
    "http://127.0.0.1 /",
    "http://127.0.0.1\t/",
    "http://127.0.0.1\r\nHost: example.com/",
    "http://127.0.0.1\x00.example.com/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://[::1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[::ffff:7f00:1]:80/",
    "http://[v1.1]/",
    "http:///etc/passwd",
    "http://:80/",
    "http://%31%32%37.0.0.1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "unix:///var/run/docker.sock",
    "",
]

_recorded: list[Any] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _recorded is not None:
        _recorded.append(arguments[1])


sys.addaudithook(_hook)


@contextmanager
def connects() -> Iterator[list[Any]]:
    """Every address the process connects to, or tries to, while the block lasts."""
    global _recorded
    _recorded = []
    try:
        yield _recorded
    finally:
        _recorded = None


def refuses(transport: Transport, url: str) -> DeliveryFailed:
    with connects() as made, pytest.raises(DeliveryFailed) as raised:
        transport.send(Request(url))
    assert made == []
    return raised.value


def written(address: str) -> str:
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


def test_the_recorder_records(transport: Make) -> None:
    """A test that sees no connects proves something only if it would see one."""
    with sink() as open_, connects() as made:
        transport(allow_private=True).send(Request(open_.url))
    assert [address[0] for address in made] == ["127.0.0.1"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_written_address_is_refused_for_good(transport: Make, address: str) -> None:
    """No retry can help, so none is made."""
    assert refuses(transport(), written(address)).permanent


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_that_leads_there_is_refused(transport: Make, address: str) -> None:
    """Alone, or hidden among addresses that are public; a name may be mended, so it may retry."""
    for addresses in ([address], ["93.184.215.14", address], [address, "93.184.215.14"]):
        resolving = transport(resolve=lambda *_, found=addresses: found)
        assert not refuses(resolving, "http://partner.example/").permanent


@pytest.mark.parametrize(
    "url", [*map(written, FORBIDDEN), *DISGUISED, *TRICKS[:12]], ids=lambda url: repr(url)[:40]
)
def test_a_redirect_there_is_an_answer(transport: Make, url: str) -> None:
    """Wherever it points: the one connect is to where we were told to deliver."""
    location = url.encode("ascii", "ignore").decode().translate({13: None, 10: None, 0: None})
    with sink(answers(302, Location=location)) as open_, connects() as made:
        answer = transport(allow_private=True).send(Request(open_.url))
    assert (answer.status, len(made)) == (302, 1)


@pytest.mark.parametrize("url", DISGUISED)
def test_an_address_in_disguise_is_refused(transport: Make, url: str) -> None:
    """The system's resolver reads all of these as 127.0.0.1; what it says is checked."""
    refuses(transport(), url)


@pytest.mark.parametrize("url", TRICKS, ids=repr)
def test_tricks_on_parsers_are_refused_for_good(transport: Make, url: str) -> None:
    """A URL that two parsers may read differently is not sent to either reading."""
    assert refuses(transport(allow_private=True), url).permanent


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_operator_may_allow_a_network_of_his_own(address: str) -> None:
    """That opens loopback and private networks, and neither metadata services nor disguises."""
    assert (forbidden(ip_address(address), allow_private=True) == "") == (address in PRIVATE)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "2a00::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    """What is given out to the public may be delivered to."""
    assert forbidden(ip_address(address)) == ""


def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """DNS rebinding: the address that was checked is the address connected to, 1,000 times."""
    turns = cycle(["127.0.0.1", "169.254.169.254"])
    refused = 0
    with sink() as open_, connects() as made:
        url = open_.url.replace("127.0.0.1", "partner.example")
        for _ in range(1_000):
            transport = Transport(allow_private=True, resolve=lambda *_: [next(turns)])
            try:
                transport.send(Request(url))
            except DeliveryFailed:
                refused += 1
            transport.close()
    assert refused == 500
    assert {address[0] for address in made} == {"127.0.0.1"}


@pytest.mark.parametrize("port", [22, 25, 110, 143, 0, 65536])
def test_ports_of_other_protocols_are_refused(transport: Make, port: int) -> None:
    """A request to a mail server is a mail."""
    resolving = transport(resolve=lambda *_: ["93.184.215.14"])
    assert refuses(resolving, f"http://partner.example:{port}/").permanent


def test_what_is_logged_of_a_url_holds_no_keys() -> None:
    """Partners put keys into queries."""
    assert target("https://Partner.Example/in?key=secret#x").masked == (
        "https://partner.example:443/in"
    )
