"""`relay`: the bytes Apple sent, so that whoever receives them can verify the signature too."""

from typing import Any, Literal

from skan_receiver.delivery.destinations.destination import Destination
from skan_receiver.delivery.transport import Request


class Relay(Destination):
    """A byte-exact copy by POST."""

    kind: Literal["relay"] = "relay"

    def request(self, row: Any) -> Request:
        headers = {"Content-Type": "application/json", **self.headers}
        return Request(self.url, row.body, headers)
