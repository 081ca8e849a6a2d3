"""What every destination has, whatever its kind."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.transport import Request, checked_headers
from skan_receiver.errors import DeliveryFailed
from skan_receiver.protocol import Framework

# Ours to set, or HTTP's: another value would change what the request is.
OURS = {
    "accept-encoding", "connection", "content-length", "expect", "host", "te", "trailer",
    "transfer-encoding", "upgrade", "webhook-id", "webhook-timestamp",
}  # fmt: skip

# `forwarded` is every forwarder, `forwarded:appsflyer` one.
ENDPOINT = r"^(network|developer|import|simulator|forwarded(:[a-z0-9_-]+)?)$"


def _plain(url: str) -> str:
    try:
        target(url)
    except DeliveryFailed as failure:
        raise ValueError(f"{failure}; write https://partner.example/postbacks") from None
    return url


def _headers(headers: dict[str, str]) -> Mapping[str, str]:
    try:
        checked_headers(headers)
    except DeliveryFailed as failure:
        raise ValueError(str(failure)) from None
    if ours := sorted(OURS & {name.lower() for name in headers}):
        raise ValueError(f"{', '.join(ours)}: set by skan-receiver; leave out")
    return headers


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


class Destination(BaseModel):
    """A place results go to, and which of them. An empty filter lets everything through.

    Whatever the filters, only postbacks that count are owed: see `counts()`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The ledger knows it by this name: under another one it is another destination.
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    kind: str
    url: Annotated[str, AfterValidator(_plain)] = Field(repr=False)  # may hold a key
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field({}, repr=False)
    paused: bool = False

    apps: tuple[int, ...] = ()
    ad_networks: Annotated[tuple[str, ...], AfterValidator(_lower)] = ()
    frameworks: tuple[Framework, ...] = ()
    windows: tuple[Annotated[int, Field(ge=0, le=2)], ...] = ()
    # Imports are history, which most partners have had: name them to send them too.
    endpoints: tuple[Annotated[str, Field(pattern=ENDPOINT)], ...] = (
        "network",
        "developer",
        "forwarded",
        "simulator",
    )

    def wants(self, row: Any) -> bool:
        """Whether a row of `postback` passes the filters."""
        return (
            (not self.apps or row.app_id in self.apps)
            and (not self.ad_networks or row.ad_network_id.lower() in self.ad_networks)
            and (not self.frameworks or row.framework in self.frameworks)
            and (not self.windows or row.window in self.windows)
            and (not self.endpoints or self._from(row.endpoint))
        )

    def request(self, row: Any) -> Request:
        """What to send for a claimed delivery: its postback's columns, body included."""
        raise NotImplementedError

    def _from(self, endpoint: str) -> bool:
        return endpoint in self.endpoints or endpoint.partition(":")[0] in self.endpoints
