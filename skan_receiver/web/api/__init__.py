"""The API: what programs ask. `/api/v1`, described at /api/openapi.json."""

from flask_openapi.openapi import OpenAPI

from skan_receiver.web.api import (
    alerts,
    campaigns,
    checks,
    costs,
    deliveries,
    destination_secrets,
    destination_trial,
    destinations,
    docs,
    erasure,
    event_attribution,
    event_decisions,
    events,
    partners,
    people,
    postbacks,
    problems,
    registered,
    reports,
    schemas,
    uploads,
    verify,
)
from skan_receiver.web.api.blueprint import KEY, bp

__all__ = [
    "alerts",
    "campaigns",
    "checks",
    "costs",
    "deliveries",
    "destination_secrets",
    "destination_trial",
    "destinations",
    "docs",
    "erasure",
    "event_attribution",
    "event_decisions",
    "events",
    "partners",
    "people",
    "postbacks",
    "register",
    "registered",
    "reports",
    "schemas",
    "uploads",
    "verify",
]


def register(app: OpenAPI) -> None:
    """Add the API and its documents."""
    app.validation_error_callback = problems.invalid
    app.validation_error_model = problems.Problem
    app.security_schemes = {KEY: {"type": "http", "scheme": "bearer"}}
    app.register_api(bp)
    app.register_blueprint(docs.bp)
