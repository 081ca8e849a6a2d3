"""The bar at the top of every page: one place, one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

# endpoint, what it is called, and what else is below it.
PLACES = (
    ("pages.home", "Dashboard", ("pages.revenue",)),
    ("pages.postbacks", "Postbacks", ("pages.postback", "upload.")),
    ("events.listing", "Events", ("events.",)),
    ("reports.contents", "Reports", ("reports.",)),
    ("schemas.listing", "Schemas", ("schemas.", "schema_editor.")),
    ("campaigns.listing", "Campaigns", ("campaigns.",)),
    ("destinations.listing", "Destinations", ("destinations.", "presets.")),
    ("deliveries.listing", "Deliveries", ("deliveries.",)),
    ("alerts.listing", "Alerts", ("alerts.",)),
    ("settings.overview", "Settings", ("settings.", "testing.", "people.", "audit.")),
)

VALUES: Mapping[str, Mapping[str, Any]] = {"campaigns.listing": {"book": "campaigns"}}


@dataclass(frozen=True, slots=True)
class Place:
    """A link in the bar."""

    url: str
    name: str
    is_here: bool


def navigation() -> Iterator[Place]:
    """The places there are, for whoever is signed in."""
    here = request.endpoint or ""
    for endpoint, name, below in PLACES:
        yield Place(
            url_for(endpoint, **VALUES.get(endpoint, {})),
            name,
            here == endpoint or here.startswith(below),
        )
