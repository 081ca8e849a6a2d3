"""Where results go. A kind is one file here and one line in KINDS."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from skan_receiver.delivery.destinations.destination import Destination
from skan_receiver.delivery.destinations.relay import Relay

# The table of contents: one class for each `kind`.
KINDS = (Relay,)

# With a second kind this becomes `Relay | Second`, told apart by `kind`.
ANY_KIND: TypeAdapter[Relay] = TypeAdapter(Annotated[Relay, Field()])

__all__ = ["ANY_KIND", "KINDS", "Destination", "Relay"]
