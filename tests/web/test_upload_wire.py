"""A log over a real socket to the real service: by length or in chunks, whole or not at all."""

import json
from itertools import product

import pytest

from skan_receiver.testing import encode
from tests.faults.service import Service
from tests.web.test_receive_wire import answers

SIZE = 2 * 1024 * 1024  # more than other calls may have
PIECE = 50_000


@pytest.fixture(scope="module")
def key(service: Service) -> str:
    """Of a program that may import."""
    return service.key("write")


def request(key: str, log: bytes, name: str, *, chunked: bool) -> bytes:
    """An upload; with a name it can be sent again."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(log)}"
    lines = [
        "POST /api/v1/uploads HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {key}",
        framing,
        *([f"Idempotency-Key: {name}"] if name else []),
    ]
    pieces = [log[at : at + PIECE] for at in range(0, len(log), PIECE)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return "\r\n".join((*lines, "", "")).encode() + (chunks if chunked else log)


@pytest.mark.parametrize(("chunked", "named"), list(product((False, True), repeat=2)))
def test_a_log_is_imported_whole_or_not_at_all(
    service: Service, key: str, *, chunked: bool, named: bool
) -> None:
    """Of two megabytes each line; of a log that was cut short on its way none."""
    body = encode(service.signer.skadnetwork("4.0"))
    lines = SIZE // len(body)
    log = b"\n".join([body] * lines)
    name = f"log-{chunked}" if named else ""
    cut = request(key, log, name and f"cut-{chunked}", chunked=chunked)[:-99_999]
    status, _ = next(answers(service.port, cut))
    assert status == 400
    status, said = next(answers(service.port, request(key, log, name, chunked=chunked)))
    assert (status, json.loads(said)["lines"]) == (200, lines)
    assert json.loads(said)["outcomes"]["stored"] == 1
