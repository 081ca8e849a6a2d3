"""A destination that misbehaves costs its own delivery only."""

import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from skan_receiver.delivery.transport import Request, Transport
from skan_receiver.errors import DeliveryFailed
from tests import sink as behave
from tests.delivery.conftest import Make
from tests.sink import answers, closed_port, sink


def fails(transport: Transport, url: str) -> str:
    with pytest.raises(DeliveryFailed) as raised:
        transport.send(Request(url, b"{}"))
    return str(raised.value)


def test_what_is_sent_arrives_byte_by_byte(brisk: Make) -> None:
    """A signature is over bytes."""
    body = bytes(range(256))
    with sink(answers(202, b"thanks")) as open_:
        answer = brisk().send(Request(open_.url + "?a=b%20c", body, {"X-Key": "k"}))
    (one,) = open_.received
    assert (one.body, one.path, one.headers["x-key"]) == (body, "/in?a=b%20c", "k")
    assert one.headers["accept-encoding"] == "identity"
    assert (answer.status, answer.excerpt) == (202, "thanks")


def test_a_get_has_no_body(brisk: Make) -> None:
    """And no word of one: RFC 9110, 8.6. A PUT without any says that it has none."""
    with sink() as open_:
        transport = brisk()
        transport.send(Request(open_.url, method="GET"))
        transport.send(Request(open_.url, method="PUT"))
        transport.send(Request(open_.url, b"{}"))
    got, put, post = open_.received
    assert (got.method, got.headers.get("content-length")) == ("GET", None)
    assert (put.method, put.headers["content-length"]) == ("PUT", "0")
    assert (post.method, post.headers["content-length"]) == ("POST", "2")
    assert "transfer-encoding" not in {*got.headers, *put.headers, *post.headers}


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("DELETE", b""),
        ("CONNECT", b""),
        ("get", b""),
        ("GET /\r\nX: ", b""),
        ("", b""),
        ("GET", b"{}"),
    ],
)
def test_other_methods_are_refused_for_good(brisk: Make, method: str, body: bytes) -> None:
    """No destination needs them."""
    with sink() as open_, pytest.raises(DeliveryFailed) as raised:
        brisk().send(Request(open_.url, body, method=method))
    assert (raised.value.permanent, raised.value.kind) == (True, "method")
    assert not open_.received


def test_a_header_of_theirs_takes_the_place_of_ours(brisk: Make) -> None:
    """Whatever its case: nothing is sent twice, and the later one counts."""
    with sink() as open_:
        brisk().send(Request(open_.url, b"", {"user-agent": "a", "X-Id": "1", "x-id": "2"}))
    (one,) = open_.received
    assert (one.headers["user-agent"], one.headers["x-id"]) == ("a", "2")


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
def test_every_status_is_an_answer(brisk: Make, status: int) -> None:
    """Whether it is a good one is not the transport's to say; and nobody follows a redirect."""
    with sink() as elsewhere, sink(answers(status, b"", Location=elsewhere.url)) as open_:
        assert brisk().send(Request(open_.url)).status == status
        assert len(elsewhere.received) == 0


def test_connections_are_kept(brisk: Make) -> None:
    """A hundred deliveries in a row share one."""
    with sink() as open_:
        transport = brisk()
        for _ in range(100):
            transport.send(Request(open_.url, b"{}"))
    assert len({one.connection for one in open_.received}) == 1
    assert len(open_.received) == 100


def test_a_kept_connection_serves_every_path_of_its_origin(brisk: Make) -> None:
    """Two partners behind one host get each their own."""
    with sink() as open_:
        transport = brisk()
        for path in ("/a?key=1", "/b?key=2", "/a?key=1"):
            transport.send(Request(open_.url + path, path.encode()))
    assert [one.path for one in open_.received] == ["/in/a?key=1", "/in/b?key=2", "/in/a?key=1"]
    assert len({one.connection for one in open_.received}) == 1


def test_after_closing_nothing_is_sent(brisk: Make) -> None:
    """Not even by who was just about to."""
    with sink() as open_:
        transport = brisk()
        transport.close()
        assert fails(transport, open_.url) == "cut off: the worker is stopping"
    assert open_.received == []


def test_a_kept_connection_that_the_server_closed_is_replaced(brisk: Make) -> None:
    """Servers close idle connections whenever they like; that is no failed delivery."""

    def once(handler: behave._Handler) -> None:
        handler.send(200)
        handler.close_connection = True  # without having said so

    with sink(once) as open_:
        transport = brisk()
        assert [transport.send(Request(open_.url)).status for _ in range(20)] == [200] * 20


def test_the_excerpt_can_be_kept_as_text(brisk: Make) -> None:
    """PostgreSQL refuses NUL, and half a character is none."""
    with sink(answers(200, b"\x00\xff\xe2\x82 fine")) as open_:
        excerpt = brisk().send(Request(open_.url)).excerpt
    assert excerpt.endswith(" fine")
    assert "\x00" not in excerpt
    excerpt.encode()


def test_nobody_there(brisk: Make) -> None:
    """Said as it is."""
    reason = fails(brisk(), f"http://127.0.0.1:{closed_port()}/")
    assert reason.startswith("cannot connect to 127.0.0.1:")


def test_a_name_server_that_does_not_answer(brisk: Make) -> None:
    """The look-up is part of the exchange, and of its deadline."""
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        release.wait(10)
        return []

    begun = time.monotonic()
    reason = fails(brisk(resolve=resolve), "http://partner.example/")
    release.set()
    assert "cannot be resolved: the name server does not answer" in reason
    assert time.monotonic() - begun < 1.6


def test_all_addresses_of_a_name_are_tried(brisk: Make) -> None:
    """The first may be down."""
    with sink() as open_:
        url = open_.url.replace("127.0.0.1", "partner.example")
        transport = brisk(resolve=lambda *_: ["127.0.0.9", "127.0.0.1"])
        assert transport.send(Request(url)).status == 200
        assert open_.received[0].headers["host"].startswith("partner.example:")


def test_closing_cuts_what_is_under_way(transport: Make) -> None:
    """A worker that is told to stop does not wait for a server that hangs."""
    patient = transport(allow_private=True)
    said: list[str] = []
    with sink(behave.hangs) as open_:
        thread = threading.Thread(target=lambda: said.append(fails(patient, open_.url)))
        thread.start()
        while not open_.received:
            time.sleep(0.01)
        begun = time.monotonic()
        patient.close()
        thread.join(5)
        assert time.monotonic() - begun < 1
    assert said == ["cut off: the worker is stopping"]


def test_tls_is_checked_against_the_name(brisk: Make, tmp_path: Path) -> None:
    """Not against the address; and a certificate of nobody we know is refused."""
    context, authority = certificate(tmp_path, "partner.example")
    with sink(tls=context) as open_:
        url = open_.url.replace("127.0.0.1", "partner.example")
        other = open_.url.replace("127.0.0.1", "other.example")
        local = brisk(resolve=lambda *_: ["127.0.0.1"], authorities=authority)
        assert local.send(Request(url, b"{}")).status == 200
        assert local.send(Request(url, b"{}")).status == 200
        assert "Hostname mismatch" in fails(local, other)
        strangers = brisk(resolve=lambda *_: ["127.0.0.1"])
        assert fails(strangers, url).startswith("the certificate is not to be trusted")
    assert len({one.connection for one in open_.received}) == 1


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for `name`, and the file of the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.9"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem, private = folder / "authority.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem


def test_odd_headers_of_an_answer_do_not_get_our_keys_logged(
    brisk: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 warns of them, with the whole URL."""

    def odd(handler: behave._Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 0\r\n\r\n")
        handler.close_connection = True

    with sink(odd) as open_:
        assert brisk().send(Request(open_.url + "?key=hunter2")).status == 200
    assert "hunter2" not in caplog.text
