"""The address at which devices reach us: asked as they would ask, without a postback."""

from urllib.parse import urlsplit

from skan_receiver.delivery import Request, Transport
from skan_receiver.errors import DeliveryFailed

PATH = "/.well-known/skadnetwork/report-attribution/"
READY = "ready:"  # what we answer to a GET there begins with it
SECONDS = 10.0


class Endpoint:
    """Where postbacks come in, by its public address."""

    def __init__(self, public_url: str, transport: Transport) -> None:
        self._url, self._transport = public_url.rstrip("/"), transport

    def fault(self) -> str | None:
        """What would keep a postback out, in words; empty: nothing, None: no address is known.

        That the store takes what comes is not asked here: whoever writes the answer down sees it.
        """
        if not self._url:
            return None
        try:
            answer = self._transport.send(Request(self._url + PATH, method="GET"))
        except DeliveryFailed as error:
            return str(error)
        if answer.status != 200:
            return f"{urlsplit(self._url).hostname} answers {answer.status}"
        if not answer.excerpt.startswith(READY):
            return f"something else than skan-receiver answers at {urlsplit(self._url).hostname}"
        return ""
