"""The bar at the top of every page: one place, one line."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, request, url_for

from skan_receiver.web.session import signed_in

# endpoint -> what it is called, what leads there too (blueprints), and the role it takes.
PLACES = (
    ("pages.home", "Dashboard", ("pages.home",), "viewer"),
    ("pages.postbacks", "Postbacks", ("pages.postback", "upload."), "viewer"),
    ("events.listing", "Events", ("events.",), "viewer"),
    ("reports.contents", "Reports", ("reports.",), "viewer"),
    ("schemas.listing", "Schemas", ("schemas.",), "viewer"),
    ("campaigns.listing", "Campaigns", ("campaigns.", "costs."), "viewer"),
    ("destinations.listing", "Destinations", ("destinations.",), "viewer"),
    ("deliveries.listing", "Deliveries", ("deliveries.",), "viewer"),
    ("alerts.listing", "Alerts", ("alerts.",), "viewer"),
    ("settings.overview", "Settings", ("settings.", "testing.", "people.", "audit."), "viewer"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A link in the bar."""

    url: str
    name: str
    is_here: bool


def navigation() -> Iterator[Place]:
    """The places that whoever is signed in may go to."""
    account, here = signed_in(), request.endpoint or ""
    for endpoint, name, below, role in PLACES:
        if endpoint in current_app.view_functions and account and account.may(role):
            is_here = here == endpoint or here.startswith(below)
            yield Place(url_for(endpoint), name, is_here)
