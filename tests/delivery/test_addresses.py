"""Where a request may go, and which URLs are plain enough."""

import threading
import time
from ipaddress import ip_address

import pytest

from skan_receiver.delivery.addresses import check_url, forbidden, target
from skan_receiver.errors import DeliveryFailed
from tests.delivery.conftest import Make
from tests.delivery.outgoing import FORBIDDEN, PRIVATE, PUBLIC, refuses
from tests.sink import closed_port

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
    "http://example.com/a b",
    "http://example.com/a\r\nb",
    "http://example.com/\x00",
    "http://example.com/é",
    "http:///etc/passwd",
    "http://:80/",
    "http://%31%32%37.0.0.1/",
    "http://a..example.com/",
    "http://.example.com/",
    f"http://{'a' * 64}.example.com/",
    f"http://{'a.' * 127}example.com/",
    "//127.0.0.1/",
    "127.0.0.1",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "unix:///var/run/docker.sock",
    "",
]


@pytest.mark.parametrize("url", TRICKS, ids=lambda url: repr(url)[:40])
def test_tricks_on_parsers_are_refused_for_good(transport: Make, url: str) -> None:
    """A URL that two parsers may read differently is not sent to either reading, nor saved."""
    failure = refuses(transport(allow_private=True), url)
    assert failure.permanent
    with pytest.raises(DeliveryFailed):
        check_url(url, allow_private=True, resolve=lambda *_: [PUBLIC])


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_operator_may_allow_a_network_of_his_own(address: str) -> None:
    """That opens loopback and private networks, and neither metadata services nor disguises."""
    assert (forbidden(ip_address(address), allow_private=True) == "") == (address in PRIVATE)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "2a00::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    """What is given out to the public may be delivered to."""
    assert forbidden(ip_address(address)) == ""


@pytest.mark.parametrize("port", [22, 25, 110, 143, 0, 65536])
def test_ports_of_other_protocols_are_refused(transport: Make, port: int) -> None:
    """A request to a mail server is a mail."""
    failure = refuses(transport(resolve=lambda *_: [PUBLIC]), f"http://partner.example:{port}/")
    assert (failure.permanent, failure.kind) == (True, "url")


def test_what_is_logged_of_a_url_holds_no_keys() -> None:
    """Partners put keys into queries."""
    assert target("https://Partner.Example/in?key=secret#x").masked == (
        "https://partner.example:443/in"
    )


def test_what_can_be_delivered_to_can_be_saved() -> None:
    """A public address, a public name, and a name that nobody knows yet."""
    check_url("https://partner.example/in", allow_private=False, resolve=lambda *_: [PUBLIC])
    check_url(f"https://{PUBLIC}/in", allow_private=False)
    check_url("https://new.partner.example/", allow_private=False, resolve=unknown)
    check_url(f"http://127.0.0.1:{closed_port()}/", allow_private=True)
    check_url("http://mmp.internal:25/", allow_private=True, resolve=lambda *_: ["10.0.0.1"])


def test_saving_does_not_wait_for_a_name_server_for_long() -> None:
    """Somebody looks at a page meanwhile."""
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        release.wait(10)
        return []

    begun = time.monotonic()
    check_url("https://partner.example/", allow_private=False, resolve=resolve, seconds=0.2)
    assert time.monotonic() - begun < 1
    release.set()


def unknown(host: str, port: int) -> list[str]:
    raise OSError("Name or service not known")
