"""Whatever can post JSON, or a query, in our own names; and an app's own server, by the API."""

from dataclasses import replace

from skan_receiver.mmp.providers.plain import PLAIN
from skan_receiver.mmp.providers.provider import Callback, Provider

GENERIC = Provider(
    name="generic",
    title="Generic JSON",
    table=PLAIN,
    callbacks=(Callback("any event, as JSON or in a query", {}),),
    notes="Names: docs/events.md, or `Telling` in the API's documents.",
)

# Who tells by `POST /api/v1/events`.
OWN = replace(GENERIC, name="own", title="The app's own server", is_strict=True)
