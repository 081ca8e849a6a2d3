"""A place to deliver to that costs next to nothing: answers 200 to whatever comes, and counts.

Prints its port, and when its standard input is closed the number of requests. With `--hang` it
takes requests and never answers.
"""

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LENGTH = b"content-length:"


class Taker(asyncio.Protocol):
    """One connection: requests one after the other, bodies by their Content-Length."""

    taken = 0
    answers = True

    def __init__(self) -> None:
        self._waiting = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (size := _whole(self._waiting)) is not None:
            del self._waiting[:size]
            Taker.taken += 1
            if Taker.answers:
                self._transport.write(ANSWER)


def _whole(waiting: bytearray) -> int | None:
    """How long the first request is; None while it has not all come."""
    end = waiting.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(waiting[:end]).lower()
    at = head.find(LENGTH)
    length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    size = end + 4 + length
    return size if len(waiting) >= size else None


async def serve() -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Taker, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(Taker.taken, flush=True)


if __name__ == "__main__":
    Taker.answers = "--hang" not in sys.argv
    asyncio.run(serve())
