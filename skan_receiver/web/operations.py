"""Is it alive, is it ready, how is it doing?"""

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST

from skan_receiver.web.access import require
from skan_receiver.web.headers import harden
from skan_receiver.web.metrics import exposition
from skan_receiver.web.services import Services, services

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
