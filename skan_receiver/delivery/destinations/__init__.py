"""Where results go. A kind is one file here and one line in KINDS."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from skan_receiver.delivery.destinations.decoded import Decoded
from skan_receiver.delivery.destinations.destination import Destination
from skan_receiver.delivery.destinations.event import EventDestination
from skan_receiver.delivery.destinations.relay import Relay
from skan_receiver.delivery.destinations.report import ReportDestination

# The table of contents: one class for each `kind`.
KINDS: dict[str, type[Destination]] = {
    "relay": Relay,
    "decoded": Decoded,
    "report": ReportDestination,
    "event": EventDestination,
}


def _kind(said: Any) -> str:
    if isinstance(said, Mapping):
        return str(said.get("kind", "relay"))
    return str(getattr(said, "kind", "relay"))


ANY_KIND: TypeAdapter[Destination] = TypeAdapter(
    Annotated[
        Annotated[Relay, Tag("relay")]
        | Annotated[Decoded, Tag("decoded")]
        | Annotated[ReportDestination, Tag("report")]
        | Annotated[EventDestination, Tag("event")],
        Discriminator(_kind),
    ]
)

__all__ = [
    "ANY_KIND",
    "KINDS",
    "Decoded",
    "Destination",
    "EventDestination",
    "Relay",
    "ReportDestination",
]
