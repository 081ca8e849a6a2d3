"""Nobody's value becomes another header, or another request.

Values and paths come out of templates that people write and devices fill. What is compared is
the bytes on the wire, read by ten lines that know no leniency.
"""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.transport import Request, Transport
from skan_receiver.errors import DeliveryFailed
from tests.delivery.conftest import Make
from tests.sink import sink

BODY = b"{}"
ALWAYS = {"host", "accept-encoding", "user-agent", "content-length"}


@dataclass
class Wire:
    """What came over it: the head of each request, and what it was sent with."""

    transport: Transport
    origin: str = ""
    heads: list[bytes] = field(default_factory=list)

    def sent(self, request: Request) -> tuple[str, dict[str, str]] | None:
        """The request line and headers that arrived; None where the request was refused."""
        failure = failed(lambda: self.transport.send(request))
        if failure is None:
            return parsed(self.heads.pop())
        assert (failure.permanent, failure.kind in ("header", "url")) == (True, True)
        return None


def failed(act: Callable[[], object]) -> DeliveryFailed | None:
    """Why it did; None where it did not."""
    try:
        act()
    except DeliveryFailed as failure:
        return failure
    return None


def parsed(head: bytes) -> tuple[str, dict[str, str]]:
    """RFC 9112, 2.1 to the letter: lines end in CRLF, and hold neither CR nor LF nor NUL."""
    first, *rest = head.decode("ascii").split("\r\n")
    assert not set("\r\n\0") & set("".join([first, *rest]))
    pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in rest)]
    assert len(dict(pairs)) == len(pairs)
    return first, dict(pairs)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    made = Wire(Transport(allow_private=True))

    class Reader(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            """What a request leaves behind its body begins the next head, and is seen there."""
            received = b""
            while piece := self.connection.recv(65_536):
                received += piece
                head, end, body = received.partition(b"\r\n\r\n")
                if end and len(body) >= len(BODY):
                    made.heads.append(head)
                    received = body[len(BODY) :]
                    self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Reader) as server:
        server.daemon_threads = True
        made.origin = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.transport.close()
        server.shutdown()


HOSTILE = st.text(
    st.sampled_from("aB0 -_:;,/?#[]@!$&'()*+=%.\\\"<>{}|^`~\r\n\t\0\x7f\x85é…①\ud800")
)
INJECTIONS = st.sampled_from(
    ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
     "a\0b", "%0d%0aX-Evil: 1", "\\r\\n", "a\r\n b", "\u560d\u560aX-Evil: 1"]
)  # fmt: skip
VALUES = HOSTILE | INJECTIONS | st.text(st.characters(min_codepoint=32, max_codepoint=126))
NAMES = st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True) | VALUES | st.sampled_from(
    ["Content-Length", "transfer-encoding", "Host", "User-Agent", "connection", "Expect"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(headers=st.dictionaries(NAMES, VALUES, max_size=4))
@example(headers={"Content-Length": "0"})
@example(headers={"Transfer-Encoding": "chunked"})
@example(headers={"X-A": "1", "x-a": "2"})
@example(headers={"user-agent": "mine"})
def test_what_arrives_is_the_headers_that_were_meant(wire: Wire, headers: dict[str, str]) -> None:
    """No more, no fewer, and each with its value; or nothing arrives at all."""
    if (came := wire.sent(Request(f"http://{wire.origin}/in", BODY, headers))) is None:
        return
    line, arrived = came
    assert line == "POST /in HTTP/1.1"
    assert (arrived["host"], arrived["content-length"]) == (wire.origin, str(len(BODY)))
    meant = lowered(headers)
    assert arrived.keys() == ALWAYS | meant.keys()
    assert {name: arrived[name] for name in meant} == meant


@settings(max_examples=500, deadline=None)
@given(path=VALUES | st.lists(VALUES).map("/".join))
@example(path="in HTTP/1.1\r\nX-Evil: 1\r\n\r\n")
@example(path="in?a=1#@evil.example/")
@example(path="/evil.example/")
@example(path="../../in")
def test_a_path_stays_a_path(wire: Wire, path: str) -> None:
    """The same host, one request line, and no header but ours."""
    if (came := wire.sent(Request(f"http://{wire.origin}/{path}", BODY))) is None:
        return
    line, arrived = came
    method, asked, protocol = line.split(" ")
    assert (method, protocol) == ("POST", "HTTP/1.1")
    assert asked.startswith("/")
    assert "#" not in asked
    assert (set(arrived), arrived["host"]) == (ALWAYS, wire.origin)


@settings(max_examples=500, deadline=None)
@given(user=VALUES, host=VALUES)
def test_what_stands_where_the_host_does_is_one_host_or_refused(user: str, host: str) -> None:
    """Whatever is written there: names and ports that cannot be misread, or nothing."""
    for url in (f"http://{host}/in", f"http://{user}@{host}/in", f"{user}://{host}"):
        if failure := failed(partial(target, url)):
            assert failure.permanent
            continue
        found = target(url)
        assert found.scheme in ("http", "https")
        assert set(found.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-:")
        assert found.path.startswith("/")


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Expect",
     "Proxy-Authorization", "proxy-connection", "Keep-Alive", "Trailer"],
)  # fmt: skip
def test_what_says_where_a_request_ends_is_not_anybodys_to_set(brisk: Make, name: str) -> None:
    """A second Content-Length makes two requests out of one."""
    with sink() as open_, pytest.raises(DeliveryFailed) as raised:
        brisk().send(Request(open_.url, BODY, {name: "1"}))
    assert (raised.value.permanent, raised.value.kind) == (True, "header")
    assert not open_.received


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nb"), ("X", "a\nb"), ("X", "a\0b"), ("X", "é"), ("X", "\x7f"), ("X Y", "a"),
     ("X:", "a"), ("", "a"), ("X\r\n", "a")],
)  # fmt: skip
def test_headers_hold_visible_ascii(brisk: Make, name: str, value: str) -> None:
    """Nobody's value becomes another header, or another request."""
    with sink() as open_, pytest.raises(DeliveryFailed) as raised:
        brisk().send(Request(open_.url, b"", {name: value}))
    assert raised.value.permanent
    assert not open_.received
