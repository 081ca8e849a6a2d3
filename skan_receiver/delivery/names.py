"""Names, looked up by the system for a bounded time."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

Resolver = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> list[str]:
    """The addresses the system knows `host` by."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def until(moment: float, resolve: Resolver) -> Resolver:
    """The same resolver, given up at `moment` (of time.monotonic()) with a TimeoutError.

    The system's resolver takes no time-out, so each look-up gets a thread.
    """

    def timed(host: str, port: int) -> Sequence[str]:
        found: Future[Sequence[str]] = Future()
        asking = (found, resolve, host, port)
        threading.Thread(target=_ask, args=asking, name="look-up", daemon=True).start()
        try:
            return found.result(max(0.0, moment - time.monotonic()))
        except TimeoutError:
            raise TimeoutError("the name server does not answer") from None

    return timed


def _ask(found: Future[Sequence[str]], resolve: Resolver, host: str, port: int) -> None:
    try:
        found.set_result(list(resolve(host, port)))
    except BaseException as error:  # raised again in the thread that waits
        found.set_exception(error)
