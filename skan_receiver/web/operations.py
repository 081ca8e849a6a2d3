"""Is it alive, is it ready, how is it doing?"""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from skan_receiver.web.access import require
from skan_receiver.web.headers import harden
from skan_receiver.web.metrics import exposition
from skan_receiver.web.services import Services, services

GOOD_FOR = timedelta(days=180)

bp = Blueprint("operations", __name__)
bp.after_request(harden)


@bp.get("/livez")
@bp.get("/healthz")
def livez() -> ResponseReturnValue:
    """The process answers. No input or output: a slow store is no reason to restart us."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """A postback that came now would be kept; 503 where it would not."""
    found = services()
    fault = found.readiness.fault()
    body = jsonify(
        ready=not fault, fault=fault, keys=len(list(found.keys)), warnings=unusual(found)
    )
    return body, 503 if fault else 200


@bp.get("/.well-known/security.txt")
def security() -> ResponseReturnValue:
    """Whom to tell of a weakness: RFC 9116."""
    settings = services().settings
    if not settings.security_contact:
        raise NotFound
    # It has to end some time, within a year; the day, so that it is the same all day.
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + GOOD_FOR
    lines = [f"Contact: {settings.security_contact}", f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}"]
    if settings.public_url:
        here = url_for("operations.security")
        lines.append(f"Canonical: {settings.public_url.rstrip('/')}{here}")
    return Response("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@bp.get("/metrics")
@require("read", session=True)
def metrics() -> ResponseReturnValue:
    """Everything that is counted, for Prometheus."""
    return Response(exposition(services().store), content_type=CONTENT_TYPE_LATEST)


def unusual(found: Services) -> list[str]:
    """What must not be so in production, said wherever somebody may look."""
    said = []
    if found.settings.sandbox:
        said.append("sandbox: development postbacks count (SKAN_SANDBOX)")
    if found.keys.trusts_tests:
        said.append("test keys are trusted (SKAN_TEST_KEYS)")
    return said
