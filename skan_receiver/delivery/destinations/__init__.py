"""Where results go. A kind is one file here and one line in KINDS."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from skan_receiver.delivery.destinations.decoded import Decoded
from skan_receiver.delivery.destinations.destination import Destination
from skan_receiver.delivery.destinations.relay import Relay

# The table of contents: one class for each `kind`.
KINDS: dict[str, type[Destination]] = {
    "relay": Relay,
    "decoded": Decoded,
}


def _kind(said: Any) -> str:
    return str(said.get("kind", "relay")) if isinstance(said, Mapping) else str(said.kind)


ANY_KIND: TypeAdapter[Destination] = TypeAdapter(
    Annotated[
        Annotated[Relay, Tag("relay")] | Annotated[Decoded, Tag("decoded")],
        Discriminator(_kind),
    ]
)

__all__ = ["ANY_KIND", "KINDS", "Decoded", "Destination", "Relay"]
