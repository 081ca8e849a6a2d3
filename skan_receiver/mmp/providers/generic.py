"""Whatever can post JSON, or a query, in our own names."""

from skan_receiver.mmp.providers.plain import PLAIN
from skan_receiver.mmp.providers.provider import Callback, Provider

GENERIC = Provider(
    name="generic",
    title="Generic JSON",
    table=PLAIN,
    callbacks=(Callback("any event, as JSON or in a query", {}),),
    notes="Names: docs/events.md, or `Event` in the API's documents.",
)
