"""Through the operator's proxy everything holds that holds without."""

import logging
import threading
import time
from base64 import b64decode
from pathlib import Path
from socket import create_server

import pytest

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.proxies import Proxies
from skan_receiver.delivery.transport import Request
from skan_receiver.errors import DeliveryFailed
from tests import sink as behave
from tests.delivery.conftest import Make
from tests.delivery.proxy import address, after, proxies
from tests.delivery.test_transport import certificate
from tests.sink import Behaviour, Sink, answers, closed_port, sink


def unknown(host: str, port: int) -> list[str]:
    raise OSError("Name or service not known")


def by(proxy: Sink, *, user: str = "", no_proxy: str = "") -> Proxies:
    url = address(proxy).replace("//", f"//{user}")
    return Proxies.read(http=url, https=url, no_proxy=no_proxy)


def named(place: Sink, name: str = "partner.example") -> str:
    """A destination's URL by a name that only the proxy knows."""
    return place.url.replace("127.0.0.1", name)


def failure_of(make: Make, url: str, **options: object) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as raised:
        make(resolve=unknown, **options).send(Request(url, b"{}"))
    return raised.value


def test_an_http_target_is_asked_for_by_its_whole_url(brisk: Make) -> None:
    """The password is the proxy's, and the destination never sees it."""
    with sink() as open_, sink(proxies) as proxy:
        transport = brisk(resolve=unknown, proxies=by(proxy, user="me:s%40crt@"))
        answer = transport.send(Request(named(open_) + "?a=b", b"{}", {"X-Key": "k"}))
    (asked,), (got,) = proxy.received, open_.received
    assert (answer.status, asked.path) == (200, named(open_) + "?a=b")
    assert b64decode(asked.headers["proxy-authorization"].split()[1]) == b"me:s@crt"
    assert (got.path, got.body, got.headers["x-key"]) == ("/in?a=b", b"{}", "k")
    assert got.headers["host"] == named(open_).split("/")[2]
    assert "proxy-authorization" not in got.headers


def test_an_https_target_is_reached_by_a_tunnel(brisk: Make, tmp_path: Path) -> None:
    """The certificate is checked against the destination's name; the proxy sees no request."""
    context, authority = certificate(tmp_path, "partner.example")
    with sink(tls=context) as open_, sink(proxies) as proxy:
        options = {"authorities": authority, "proxies": by(proxy, user="me:secret@")}
        answer = brisk(resolve=unknown, **options).send(Request(named(open_), b"{}"))
        failure = failure_of(brisk, named(open_, "other.example"), **options)
    asked, _ = proxy.received
    assert (answer.status, asked.method) == (200, "CONNECT")
    assert asked.path == named(open_).split("/")[2]
    assert b64decode(asked.headers["proxy-authorization"].split()[1]) == b"me:secret"
    assert "proxy-authorization" not in open_.received[0].headers
    assert "Hostname mismatch" in str(failure)
    assert (failure.kind, len(open_.received)) == ("tls", 1)


def test_connections_are_kept_by_proxy_and_origin(brisk: Make, tmp_path: Path) -> None:
    """Ten deliveries share a tunnel; another name gets its own, and so does another scheme."""
    context, authority = certificate(tmp_path, "partner.example")
    with sink(tls=context) as secret, sink() as open_, sink(proxies) as proxy:
        transport = brisk(resolve=unknown, authorities=authority, proxies=by(proxy))
        for _ in range(10):
            transport.send(Request(named(secret)))
            transport.send(Request(named(open_)))
            transport.send(Request(named(open_, "other.example")))
    tunnels = [one for one in proxy.received if one.method == "CONNECT"]
    forwards = {one.connection for one in proxy.received if one.method == "POST"}
    assert (len(tunnels), len(forwards)) == (1, 2)
    assert len({one.connection for one in secret.received}) == 1


@pytest.mark.parametrize("status", [301, 403, 407, 502, 503])
def test_a_proxy_that_refuses_is_named_with_its_status(brisk: Make, status: int) -> None:
    """Never for good: the proxy's rules may be mended."""
    with sink(answers(status)) as proxy:
        failure = failure_of(brisk, "https://partner.example/", proxies=by(proxy, user="me:pw@"))
    place = proxy.url.split("/")[2]
    assert str(failure).startswith(f"no connection through the proxy {place}: {status} ")
    assert (failure.kind, failure.permanent) == ("proxy", False)


def test_of_a_forwarder_only_407_is_known_to_be_its_own(brisk: Make) -> None:
    """Any other status may be the destination's, and is what retries are about."""
    with sink(answers(407)) as proxy:
        failure = failure_of(brisk, "http://partner.example/", proxies=by(proxy))
        proxy.behaviour = answers(403)
        transport = brisk(resolve=unknown, proxies=by(proxy))
        assert transport.send(Request("http://partner.example/")).status == 403
    assert (failure.kind, failure.permanent) == ("proxy", False)
    assert ": 407 " in str(failure)


def test_a_407_from_inside_a_tunnel_is_the_destinations(brisk: Make, tmp_path: Path) -> None:
    """The proxy could not have written it."""
    context, authority = certificate(tmp_path, "partner.example")
    with sink(answers(407), tls=context) as open_, sink(proxies) as proxy:
        transport = brisk(resolve=unknown, authorities=authority, proxies=by(proxy))
        assert transport.send(Request(named(open_))).status == 407


def babbles(handler: behave._Handler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"\x1b[2J SSH-2.0 \0" + b"a" * 1000 + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [(behave.hangs, "it took too long"), (behave.drips, "it took too long"),
     (behave.resets, "it hung up"), (babbles, "\ufffd[2J SSH-2.0")],
)  # fmt: skip
def test_a_proxy_that_misbehaves_costs_its_own_delivery(
    brisk: Make, behaviour: Behaviour, said: str
) -> None:
    """It ends at our deadline, with a reason that can be kept; what goes without goes on."""
    begun = time.monotonic()
    with sink() as open_, sink(behaviour) as proxy:
        transport = brisk(resolve=unknown, proxies=by(proxy, no_proxy="127.0.0.1"))
        with pytest.raises(DeliveryFailed) as raised:
            transport.send(Request("https://partner.example/"))
        assert transport.send(Request(open_.url)).status == 200
    assert time.monotonic() - begun < 1.7
    assert raised.value.kind == "proxy"
    assert said in str(raised.value)
    assert str(raised.value).isprintable()


def test_one_deadline_covers_tunnel_handshake_and_answer(brisk: Make, tmp_path: Path) -> None:
    """Each takes less than a second, and together they get no more than one."""
    context, authority = certificate(tmp_path, "partner.example")
    # `mute` accepts, and never shakes hands.
    with create_server(("127.0.0.1", 0)) as mute, sink(behave.hangs, tls=context) as slow:
        for url in (f"https://partner.example:{mute.getsockname()[1]}/", named(slow)):
            begun = time.monotonic()
            with sink(after(0.7)) as proxy:
                failure = failure_of(brisk, url, authorities=authority, proxies=by(proxy))
            assert failure.kind == "timeout"
            assert 0.9 < time.monotonic() - begun < 1.5


def test_a_proxy_that_is_down(brisk: Make) -> None:
    """Or that has no name: the proxy's fault, said so."""
    url = f"http://127.0.0.1:{closed_port()}"
    failure = failure_of(brisk, "https://partner.example/", proxies=Proxies.read(https=url))
    assert str(failure).startswith("the proxy: cannot connect to 127.0.0.1:")
    lost = Proxies.read(https="http://proxy.example:3128")
    failure = failure_of(brisk, "https://partner.example/", proxies=lost)
    assert str(failure).startswith("the proxy: proxy.example cannot be resolved")
    assert failure.kind == "proxy"


def test_what_is_spared_goes_without(brisk: Make) -> None:
    """To the address that was checked, as ever."""
    with sink() as open_, sink(proxies) as proxy:
        transport = brisk(proxies=by(proxy, no_proxy="127.0.0.0/8"))
        assert transport.send(Request(open_.url)).status == 200
    assert proxy.received == []


def test_a_silent_name_server_leaves_the_name_to_the_proxy(transport: Make) -> None:
    """Networks without DNS tend to drop the question; the delivery still has time enough."""
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        release.wait(20)
        return []

    begun = time.monotonic()
    with sink() as open_, sink(proxies) as proxy:
        deaf = transport(resolve=resolve, proxies=by(proxy))
        assert deaf.send(Request(named(open_))).status == 200
    release.set()
    assert 1.9 < time.monotonic() - begun < 3


def test_an_ipv6_target_is_written_in_brackets(brisk: Make) -> None:
    """RFC 9110, 4.2 and 9.3.6."""
    with sink(answers(502)) as proxy:
        transport = brisk(proxies=by(proxy))
        transport.send(Request("http://[2606:4700::1111]:8080/a"))
        failure_of(brisk, "https://[2606:4700::1111]/", proxies=by(proxy))
    forwarded, tunnel = proxy.received
    assert forwarded.path == "http://[2606:4700::1111]:8080/a"
    assert forwarded.headers["host"] == "[2606:4700::1111]:8080"
    assert tunnel.path == "[2606:4700::1111]:443"


def test_closing_cuts_a_proxy_that_hangs(transport: Make) -> None:
    """A worker that is told to stop waits for no proxy either."""
    said: list[str] = []
    with sink(behave.hangs) as proxy:
        patient = transport(resolve=unknown, proxies=by(proxy))

        def send() -> None:
            with pytest.raises(DeliveryFailed) as raised:
                patient.send(Request("https://partner.example/"))
            said.append(str(raised.value))

        thread = threading.Thread(target=send)
        thread.start()
        while not proxy.received:
            time.sleep(0.01)
        begun = time.monotonic()
        patient.close()
        thread.join(5)
    assert time.monotonic() - begun < 1
    assert said == ["cut off: the worker is stopping"]


def test_the_password_is_nowhere_to_be_read(brisk: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in what is logged, nor in what is raised, nor in what a debugger prints."""
    caplog.set_level(logging.DEBUG)
    written = ["hunter2", "bWU6aHVudGVyMg"]  # plain, and as base64 of me:hunter2
    with sink(answers(407)) as proxy:
        through = by(proxy, user="me:hunter2@")
        told = [repr(through), repr(through.route(target("https://partner.example/")))]
        for scheme in ("http", "https"):
            failure = failure_of(brisk, f"{scheme}://partner.example/", proxies=through)
            told += [str(failure), repr(failure), repr(failure.__cause__)]
    told.append(caplog.text)
    assert [word for word in written if word in "\n".join(told)] == []
