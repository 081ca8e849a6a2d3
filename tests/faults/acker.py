"""Devices: each sends a postback until it reads a whole 200, and remembers that it did."""

import threading
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from queue import Empty, Queue

from skan_receiver.testing import encode
from tests.faults.service import Service

DEVICES = 8


class Acker:
    """Sends bodies from several connections; what was acknowledged is in `acked`."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.acked: set[str] = set()
        self.failed = 0
        self._queue: Queue[tuple[str, bytes]] = Queue()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(DEVICES)]

    def offer(self, count: int) -> None:
        """Sign `count` more postbacks, to be sent as fast as they are taken."""
        for _ in range(count):
            body = self.service.signer.skadnetwork("4.0", conversion_value=7)
            self._queue.put((body["transaction-id"], encode(body)))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> set[str]:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.acked

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def _send(self) -> None:
        connection: HTTPConnection | None = None
        while not self._stop.is_set():
            try:
                id_, body = self._queue.get(timeout=0.1)
            except Empty:
                continue
            if connection is None:
                connection = HTTPConnection("127.0.0.1", self.service.port, timeout=15)
            try:
                connection.request("POST", "/receive", body)
                response = connection.getresponse()
                response.read()
                acked = response.status == 200
            except (OSError, HTTPException):
                connection.close()
                connection, acked = None, False
                self._stop.wait(0.02)
            if acked:
                self.acked.add(id_)
            else:
                self.failed += 1
                self._queue.put((id_, body))  # as a device does
        if connection is not None:
            with suppress(OSError):
                connection.close()


def missing(acked: Iterable[str], stored: Iterable[str]) -> set[str]:
    """What was acknowledged and is not there: must be empty."""
    return set(acked) - set(stored)
