"""What strangers send, over real sockets to the real service: never a 5xx, never a redirect."""

import gzip
import json
import re
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from skan_receiver.storage import Store
from skan_receiver.storage.apikeys import create_key
from skan_receiver.testing import Signer, encode
from tests import postgres
from tests.faults.service import Service, folder

SIGNER = Signer(seed=3)
GOOD = encode(SIGNER.skadnetwork("4.0"))
LIMIT = 16 * 1024


def post(body: bytes, *headers: str, length: int | None = None, path: str = "/receive") -> bytes:
    """A request with a body that says it has `length` bytes."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def get(target: str) -> bytes:
    """A request without a body."""
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A request whose body comes in pieces and whose length nobody says."""
    head = b"POST /receive HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks) + end


def member(text: str) -> bytes:
    """The good postback with another value for one member, or one more."""
    return GOOD[:-1] + b"," + text.encode("utf-8", "surrogatepass") + b"}"


def padded(size: int) -> bytes:
    """A JSON object of exactly `size` bytes."""
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


# Each with what it is answered. 400: the bytes are no JSON of ours, or not whole. 413: too many.
# 200: JSON that no device sends is kept for whoever wants to know (docs/endpoints.md).
BAD: dict[str, tuple[bytes, int]] = {
    "empty": (post(b""), 400),
    "no body and no length": (b"POST /receive HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "cut short": (post(GOOD[:50], length=len(GOOD)), 400),
    "cut short where it is JSON": (post(b"{}", length=100), 400),
    "nothing of what was promised": (post(b"", length=len(GOOD)), 400),
    "not JSON": (post(b"hello"), 400),
    "a form": (post(b"version=4.0", "Content-Type: application/x-www-form-urlencoded"), 400),
    "binary": (post(bytes(range(256))), 400),
    "gzip": (post(gzip.compress(GOOD), "Content-Encoding: gzip"), 400),
    "a byte order mark": (post(b"\xef\xbb\xbf" + GOOD), 400),
    "UTF-16": (post(GOOD.decode().encode("utf-16")), 400),
    "not UTF-8": (post(member('"a": "\udc80"').replace(b"\xed\xb2\x80", b"\x80")), 400),
    "an array": (post(b"[" + GOOD + b"]"), 400),
    "a text": (post(b'"hello"'), 400),
    "null": (post(b"null"), 400),
    "two objects": (post(GOOD + GOOD), 400),
    "a member twice": (post(member('"version": "3.0"')), 400),
    "NaN": (post(member('"a": NaN')), 400),
    "infinite": (post(member('"a": 1e999')), 400),
    "deep": (post(member('"a": ' + "[" * 17 + "]" * 17)), 400),
    "very deep": (post(b"[" * 16_000), 400),
    "very deep objects": (post(b'{"a":' * 3_000), 400),
    "a control character": (post(member('"a": "\n"')), 400),
    "one byte too many": (post(padded(LIMIT + 1)), 413),
    "10 MB": (post(b"x" * 10_000_000), 413),
    "10 MB promised": (post(GOOD, length=10_000_000), 413),
    "10^30 bytes promised": (post(GOOD, length=10**30), 400),
    "chunks beyond the limit": (chunked(*[b"x" * 1000] * 17), 413),
    "10 MB in chunks": (chunked(*[b"x" * 100_000] * 100), 413),
    "a chunk cut short": (chunked(end=b"ff\r\n" + GOOD[:9]), 400),
    "chunks without an end": (chunked(GOOD, end=b""), 400),
    "a chunk of no size": (chunked(end=b"zz\r\n" + GOOD + b"\r\n0\r\n\r\n"), 400),
    "a length that is none": (post(GOOD, "Content-Length: x"), 400),
    "two lengths": (post(GOOD, f"Content-Length: {len(GOOD) + 1}"), 400),
    "a negative length": (post(GOOD, length=-1), 400),
    "a length and chunks": (post(GOOD, "Transfer-Encoding: chunked"), 400),
    "an unknown method": (b"BREW /receive HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
    "just the limit": (post(padded(LIMIT)), 200),
    "the limit in chunks": (chunked(padded(LIMIT)), 200),
    "an empty object": (post(b"{}"), 200),
    "wrong types": (post(b'{"version": 4, "app-id": "42", "did-win": 1}'), 200),
    "an integer beyond 64 bits": (post(member('"a": 99999999999999999999999')), 200),
    "4,300 digits and more": (post(member('"a": ' + "9" * 5_000)), 200),
    "half of a surrogate pair": (post(member('"a": "\\ud800"')), 200),
    "a separator in a value": (post(member('"a": "\u2063"')), 200),
    "U+0000 in a value": (post(member('"a": "\\u0000"')), 200),
    "a version to come": (post(b'{"version": "9.9"}'), 200),
    "a version without end": (post(b'{"version": "%s"}' % (b"4" * 10_000)), 200),
    "a member nobody knows": (post(member('"who": {"knows": [1, 2]}')), 200),
    "an empty JWS": (post(b'{"jws-string": ""}'), 200),
    "a JWS of dots": (post(b'{"jws-string": "..."}'), 200),
    "an unsigned JWS": (post(b'{"jws-string": "eyJhbGciOiJub25lIn0.e30."}'), 200),
    "a forwarder's nonsense": (post(b'{"ip": {}, "timestamp": []}', path="/receive/unity"), 200),
    "a forwarder's nothing": (post(b"", path="/receive/adjust"), 400),
    "a forwarder's versions": (post(b'{"version": []}', path="/receive/appsflyer"), 200),
    "a forwarder's version object": (post(b'{"version": {}}', path="/receive/appsflyer"), 200),
    "a forwarder's version twice": (get("/receive/adjust?version=4.0&version=4.0"), 200),
    "a forwarder's deep nonsense": (post(member('"a": ' + "[" * 17), path="/receive/unity"), 400),
}


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """The service as it is run, on each store."""
    place = folder()
    if request.param == "sqlite":
        url = f"sqlite:///{place}/skan.sqlite3"
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        url = server.create_database("skan_wire", template="skan_template")
    # Whatever can be said is looked at.
    loud = {"SKAN_LOG_LEVEL": "DEBUG", "GUNICORN_CMD_ARGS": "--log-level debug"}
    service = Service(url, place, **loud)
    try:
        service.start()
        yield service
    finally:  # one that does not become ready must not stay either
        service.stop()
    if request.param == "postgres":
        server.drop_database("skan_wire")
    shutil.rmtree(place)


def answers(port: int, sent: bytes) -> Iterator[tuple[int, bytes]]:
    """Send and hang up our half; every answer that comes back, as (status, the rest)."""
    with socket.create_connection(("127.0.0.1", port), timeout=45) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered and closed before we were done
        with connection.makefile("rb") as stream:
            while line := stream.readline():
                headers = {}
                while (header := stream.readline().strip()) != b"":
                    name, _, value = header.partition(b":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get(b"content-length", 0)))
                yield int(line.split()[1]), body


@pytest.mark.parametrize(("sent", "status"), BAD.values(), ids=BAD)
def test_bad_input_has_its_documented_answer(service: Service, sent: bytes, status: int) -> None:
    """The sender's mistakes are never ours: a 5xx would have a device repeat them for days."""
    seen, body = next(answers(service.port, sent))
    assert seen == status
    if status == 200:
        assert body == b""


def test_the_service_is_as_good_as_new_afterwards(service: Service) -> None:
    """Nothing of the above wore anything out."""
    for _ in range(80):  # more than there are threads
        status, _ = service.post(encode(service.signer.skadnetwork("4.0")))
        assert status == 200
    assert service.get("/readyz") == 200


def test_what_comes_after_a_refused_body_is_read_from_its_start(service: Service) -> None:
    """On a kept connection the rest of a refused body must never be taken for a request."""
    smuggled = post(b"x" * 20_000 + post(GOOD))
    seen = [status for status, _ in answers(service.port, smuggled + post(GOOD))]
    assert seen in ([413], [413, 200])


def test_a_device_that_asks_whether_it_may_send_is_told(service: Service) -> None:
    """Expect: 100-continue, as HTTP clients do."""
    body = encode(service.signer.skadnetwork("4.0"))
    seen = [status for status, _ in answers(service.port, post(body, "Expect: 100-continue"))]
    assert seen == [100, 200]


def test_hostile_text_breaks_no_line_of_the_log(service: Service) -> None:
    """Each line is one JSON object, whatever somebody wrote; and none holds a body."""
    evil = '\n{"event": "received", "forged": true}\x1b[2J\u2028'
    body = json.dumps({evil: 1, "version": evil, "app-id": "marker-of-a-body"}).encode()
    assert service.post(body)[0] == 200
    assert service.post(body[:-1] + b"," + json.dumps(evil).encode() + b":2}")[0] == 400
    text = Path(service.log).read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert sum(line["event"] == "received" for line in lines) >= 2
    assert not any("forged" in line for line in lines)
    assert "\x1b" not in text
    assert "marker-of-a-body" not in text


SECRET = "/receive/adjust?token=sekrit&ip=203.0.113.9"
REFUSED: dict[str, bytes] = {
    "no path": get(SECRET[1:]),
    "no version": f"GET {SECRET}\r\n\r\n".encode(),
    "a space": get(SECRET.replace("&", " ")),
    "no method": get(SECRET)[3:],
    "no colon": post(GOOD, "Authorization Bearer sekrit"),
    "an odd name": post(GOOD, "sekrit 203.0.113.9: 1"),
    "a folded header": post(GOOD, "Authorization: Bearer", " sekrit"),
    "an expectation": post(GOOD, "Expect: sekrit"),
    "too long": get(SECRET + "x" * 9_000),
    "cut short": f"GET {SECRET}".encode(),
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_not_quoted_in_the_log(service: Service, sent: bytes) -> None:
    """A token or an address in a request that gunicorn refuses is as private as in any other."""
    before = len(Path(service.log).read_text())
    assert all(400 <= status < 500 for status, _ in answers(service.port, sent))
    said = Path(service.log).read_text()[before:]
    assert re.search('"event": "request failed: [A-Z][A-Za-z]+"', said)
    assert not re.search("sekrit|203.0.113.9|ip=", said)


def test_the_numbers_of_all_processes_are_added_up(service: Service) -> None:
    """Whichever worker answers a scrape, it speaks for the others."""
    store = Store(service.database_url)
    key = create_key(store, "prometheus", ["read"], datetime.now(UTC))
    store.close()

    def valid() -> float:
        connection = HTTPConnection("127.0.0.1", service.port, timeout=15)
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {key}"})
        text = connection.getresponse().read().decode()
        connection.close()
        labels = '{endpoint="network",outcome="stored",verdict="valid"}'
        found = re.search(rf"^skan_arrivals_total{re.escape(labels)} (.*)$", text, re.M)
        return float(found[1]) if found else 0

    before = valid()
    with ThreadPoolExecutor(16) as devices:
        bodies = [encode(service.signer.skadnetwork("4.0")) for _ in range(64)]
        assert {status for status, _ in devices.map(service.post, bodies)} == {200}
    assert {valid() for _ in range(8)} == {before + 64}


@pytest.mark.slow
def test_devices_that_fall_silent_do_not_keep_threads(service: Service) -> None:
    """Phones leave the network in the middle of a request; others are still served."""
    silent = []
    for number in range(100):  # more than there are threads, in each worker
        connection = socket.create_connection(("127.0.0.1", service.port))
        connection.sendall(post(GOOD)[: -40 if number % 2 else 20])
        silent.append(connection)
    status, _ = next(answers(service.port, post(GOOD)))
    assert status == 200
    for connection in silent:
        connection.close()
