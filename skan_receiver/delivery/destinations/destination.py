"""What every destination has, whatever its kind."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from skan_receiver.delivery.transport import Request
from skan_receiver.protocol import Framework


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a web address, as https://partner.example/postbacks")
    if parts.username is not None:
        raise ValueError("must not hold a name or password; send them as a header")
    return url


class Destination(BaseModel):
    """A place results go to, and which of them. An empty filter lets everything through.

    Whatever the filters, only postbacks that count are owed: see `counts()`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    kind: str
    url: Annotated[str, AfterValidator(_web_address)]
    headers: dict[str, str] = {}
    paused: bool = False

    apps: tuple[int, ...] = ()
    ad_networks: tuple[str, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    windows: tuple[Annotated[int, Field(ge=0, le=2)], ...] = ()
    # Imports are history, which most partners have had: name them to send them too.
    endpoints: tuple[str, ...] = ("network", "developer", "forwarded", "simulator")

    def wants(self, row: Any) -> bool:
        """Whether a row of `postback` passes the filters."""
        return (
            (not self.apps or row.app_id in self.apps)
            and (not self.ad_networks or row.ad_network_id.lower() in self._networks)
            and (not self.frameworks or row.framework in self.frameworks)
            and (not self.windows or row.window in self.windows)
            and (not self.endpoints or row.endpoint.split(":")[0] in self.endpoints)
        )

    def request(self, row: Any) -> Request:
        """What to send for a claimed delivery: its postback's columns and `delivery_id`."""
        raise NotImplementedError

    @property
    def _networks(self) -> set[str]:
        return {network.lower() for network in self.ad_networks}
