"""Servers that hang, drip, reset, babble and flood: each costs its own delivery only."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import quantiles

import psutil
import pytest

from skan_receiver.delivery.excerpt import KEPT_BYTES
from skan_receiver.delivery.transport import Request, Transport
from skan_receiver.errors import DeliveryFailed
from tests import sink as behave
from tests.delivery.conftest import Make
from tests.delivery.test_transport import certificate, fails
from tests.sink import answers, apart, sink


def test_a_hanging_server_ends_at_the_deadline(brisk: Make) -> None:
    """Which is ours, not the server's."""
    begun = time.monotonic()
    with sink(behave.hangs) as open_:
        assert fails(brisk(), open_.url) == "no answer within 1 s"
    assert 0.9 < time.monotonic() - begun < 1.6


def test_a_dripping_server_ends_at_the_deadline(brisk: Make) -> None:
    """A byte now and then resets the time-out of every library, and not our deadline."""
    begun = time.monotonic()
    with sink(behave.drips) as open_:
        assert fails(brisk(), open_.url) == "no answer within 1 s"
    assert 0.9 < time.monotonic() - begun < 1.6


def test_a_dripping_body_ends_at_the_deadline(brisk: Make) -> None:
    """The status was said: the delivery was taken, whatever becomes of the rest."""
    begun = time.monotonic()
    with sink(behave.drips_body) as open_:
        assert brisk().send(Request(open_.url)).status == 200
    assert 0.9 < time.monotonic() - begun < 1.6


def test_a_server_that_resets_is_a_failure_to_be_tried_again(brisk: Make) -> None:
    """And not one that ends anything."""
    with sink(behave.resets) as open_:
        transport = brisk()
        assert "closed before there was an answer" in fails(transport, open_.url)
        open_.behaviour = answers(200)
        assert transport.send(Request(open_.url)).status == 200


@pytest.mark.parametrize("behaviour", [behave.hangs, behave.drips])
def test_the_deadline_holds_inside_tls(
    brisk: Make, tmp_path: Path, behaviour: behave.Behaviour
) -> None:
    """Encryption buys no time."""
    context, authority = certificate(tmp_path, "partner.example")
    begun = time.monotonic()
    with sink(behaviour, tls=context) as open_:
        url = open_.url.replace("127.0.0.1", "partner.example")
        transport = brisk(resolve=lambda *_: ["127.0.0.1"], authorities=authority)
        assert fails(transport, url) == "no answer within 1 s"
    assert 0.9 < time.monotonic() - begun < 1.8


def test_a_server_that_speaks_something_else(brisk: Make) -> None:
    """Is a failure with a reason, not an exception of a library."""

    def ssh(handler: behave._Handler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        handler.close_connection = True

    with sink(ssh) as open_:
        assert fails(brisk(), open_.url).startswith("no answer that can be read")


def test_a_reason_is_short_and_plain(brisk: Make) -> None:
    """What is no HTTP becomes part of it: PostgreSQL keeps no NUL, and nobody reads 60 kB."""

    def babbles(handler: behave._Handler) -> None:
        handler.wfile.write(b"\0\x1b[2J" + b"a" * 60_000 + b"\r\n\r\n")
        handler.close_connection = True

    with sink(babbles) as open_:
        reason = fails(brisk(), open_.url)
    assert reason.startswith("no answer that can be read: ")
    assert reason.isprintable()
    assert len(reason) == 500


@pytest.mark.parametrize("behaviour", [behave.endless, behave.bomb])
def test_giants_cost_64_kilobytes(brisk: Make, behaviour: behave.Behaviour) -> None:
    """10 GB are not read, and 50 MB in 50 kB of gzip are not inflated."""
    with apart(behaviour) as url:
        answer = brisk().send(Request(url))
    assert answer.status == 200
    assert len(answer.excerpt) <= KEPT_BYTES
    if behaviour is behave.bomb:
        assert re.fullmatch(r"\[4\d{4} bytes or more, encoded as 'gzip'\]", answer.excerpt)


MISBEHAVING = [
    behave.hangs, behave.drips, behave.drips_body, behave.resets, behave.redirects,
    behave.endless, behave.bomb,
]  # fmt: skip


@pytest.mark.parametrize("behaviour", MISBEHAVING)
def test_a_neighbour_notices_nothing(brisk: Make, behaviour: behave.Behaviour) -> None:
    """Eight threads at a server that misbehaves, as many as a destination has; the next one
    is served as ever, and we grow by less than 5 MB.

    The server has a process of its own: here is nobody's memory but ours.
    """
    transport = brisk()
    with apart(behaviour) as url, apart(behave.takes) as neighbour, besieging(transport, url):
        before, took = psutil.Process().memory_info().rss, []
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            begun = time.monotonic()
            assert transport.send(Request(neighbour, b"{}")).status == 200
            took.append(time.monotonic() - begun)
        grown = psutil.Process().memory_info().rss - before
    assert quantiles(took, n=10)[-1] < 0.1
    assert grown < 5_000_000


@contextmanager
def besieging(transport: Transport, url: str) -> Iterator[None]:
    """Eight threads that send there again and again; each has done so once before the block."""
    over, begun = threading.Event(), threading.Barrier(9, timeout=10)

    def send() -> None:
        _try(transport, url)
        begun.wait()
        while not over.is_set():
            _try(transport, url)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _try(transport: Transport, url: str) -> None:
    with suppress(DeliveryFailed):
        transport.send(Request(url, b"{}"))
