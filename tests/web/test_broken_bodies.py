"""Bodies that break off, over a real socket: the sender's mistake at every path, never ours."""

from http.client import HTTPConnection

import pytest

from tests.faults.service import Service


@pytest.fixture(scope="module")
def key(service: Service) -> str:
    """Of somebody who may call the API."""
    return service.key("read")


@pytest.mark.parametrize(
    "path",
    ["/login", "/login/no-such-token", "/logout", "/api/v1/verify", "/receive"],
)
@pytest.mark.parametrize("chunk", [b"zz\r\nname=x\r\n0\r\n\r\n", b"-1\r\n\r\n"])
def test_a_chunk_of_no_size_is_a_bad_request(
    service: Service, key: str, path: str, chunk: bytes
) -> None:
    """500 would say that we are broken, and wake somebody up."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=15)
    connection.putrequest("POST", path)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Authorization", f"Bearer {key}")
    connection.endheaders(chunk)
    status = connection.getresponse().status
    connection.close()
    assert status == 400
