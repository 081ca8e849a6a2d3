"""Apple's endpoints and forwarders': bytes in, kept for good, answered.

Valid, invalid, repeated and unreadable postbacks are all answered 200, once they are durable:
a forger must not learn more, and any other answer makes a device send the same again for nine
days. No redirect, no authentication, no header is asked for.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, make_response, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import StatementError
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from skan_receiver.errors import StoreUnavailable
from skan_receiver.ingest import FORWARDER_NAME, Incoming, Outcome, Result
from skan_receiver.mmp.forwarders import DIALECTS, read
from skan_receiver.protocol import Verdict
from skan_receiver.web import metrics
from skan_receiver.web.body import BadBody, read_body
from skan_receiver.web.headers import harden
from skan_receiver.web.logs import request_id
from skan_receiver.web.services import of, services
from skan_receiver.web.tokens import admits

bp = Blueprint("receive", __name__)
log = structlog.get_logger("receive")

# Apple derives them from the host that an app names in its Info.plist.
# https://developer.apple.com/documentation/storekit/configuring-an-advertised-app
# https://developer.apple.com/documentation/adattributionkit/configuring-an-advertised-app
DEVELOPER_PATHS = (
    "/.well-known/skadnetwork/report-attribution",
    "/.well-known/appattribution/report-attribution",
)

# The same entry of an Info.plist makes Safari's reports come here; they are nobody's postbacks.
PRIVATE_CLICK_MEASUREMENT_PATH = "/.well-known/private-click-measurement/report-attribution"

MOST_PARAMETERS = 200

# Apple says when its devices try again; this is for forwarders.
RETRY_AFTER_SECONDS = 30


@bp.record
def _routes(state: BlueprintSetupState) -> None:
    own = of(state.app).settings.receive_paths
    for path in DEVELOPER_PATHS:
        _route(state, path, "developer", developer)
    for path in ("/receive", *own):
        _route(state, path, "network", network)
    _route(state, PRIVATE_CLICK_MEASUREMENT_PATH, "private_click_measurement", drop)
    for methods in (["POST"], ["GET"]):
        _rule(state, "/receive/<name>", "forwarded", forwarded, methods)


def _route(state: BlueprintSetupState, path: str, name: str, view: Callable[[], Response]) -> None:
    _rule(state, path, name, view, ["POST"])
    _rule(state, path, "ready", ready, ["GET"])


def _rule(
    state: BlueprintSetupState,
    path: str,
    name: str,
    view: Callable[..., Response],
    methods: list[str],
) -> None:
    """With and without a slash at the end, no redirect between them, and no other method."""
    state.add_url_rule(
        path.rstrip("/") or "/",
        name,
        view,
        methods=methods,
        strict_slashes=False,
        provide_automatic_options=False,
    )


def network() -> Response:
    """The URL that an ad network has registered with Apple."""
    return _receive("network", "network", lambda body: _from_apple("network", body))


def developer() -> Response:
    """Copies for the developer of an app."""
    return _receive("developer", "developer", lambda body: _from_apple("developer", body))


def forwarded(name: str) -> Response:
    """What a network or MMP passes on: as a body, or in the query of a GET."""
    if not FORWARDER_NAME.fullmatch(name := name.lower()):
        raise NotFound
    query = _query()
    if request.method == "HEAD" or (request.method == "GET" and not query):
        return ready()
    tokens = services().forwarders
    if not admits(tokens, name, _token(query)):
        return problem(HTTPStatus.FORBIDDEN, f"{name} may not forward with this token")
    # Anybody may make up a name: only those we know have numbers of their own.
    known = name in DIALECTS or (tokens is not None and name in tokens)
    label = f"forwarded:{name if known else 'other'}"
    return _receive(f"forwarded:{name}", label, lambda body: _taken_apart(name, query, body))


def drop() -> Response:
    """Accepted, so that nobody sends it again, and not kept."""
    return Response()


def ready() -> Response:
    """What somebody sees who opens the URL they have registered."""
    return harden(Response("ready: postbacks come here by POST\n", content_type="text/plain"))


def _receive(endpoint: str, label: str, incoming: Callable[[bytes], Incoming]) -> Response:
    """Keep what came, and say so: to the sender, in the numbers, and, if unusual, in the log.

    What is usual has its line already: `ingest` writes one for each batch.
    """
    begun = time.perf_counter()
    result, answer = _kept(incoming)
    metrics.arrived(label, result.outcome, result.verdict, time.perf_counter() - begun)
    if result.outcome is Outcome.STORED and result.verdict == Verdict.VALID:
        return answer
    log.info(
        "received",
        request=request_id(request.environ),
        endpoint=endpoint,
        outcome=result.outcome,
        verdict=result.verdict,
        id=result.stored_id,
        reason=result.reason,
    )
    return answer


def _kept(incoming: Callable[[bytes], Incoming]) -> tuple[Result, Response]:
    try:
        body = read_body(request.environ)
    except BadBody as fault:
        refused = Result(Outcome.REFUSED, reason=str(fault))
        return refused, problem(fault.status, refused.reason)
    (result,) = services().ingest([incoming(body)])
    if result.outcome is Outcome.REFUSED:
        return result, problem(HTTPStatus.BAD_REQUEST, result.reason)
    return result, Response()


@bp.errorhandler(Exception)
def not_stored(error: Exception) -> ResponseReturnValue:
    """Nothing was kept, whatever the reason: 500 is what makes a device try again."""
    if isinstance(error, BadRequest):
        return problem(HTTPStatus.BAD_REQUEST, error.description or HTTPStatus.BAD_REQUEST.phrase)
    if isinstance(error, HTTPException):
        return harden(make_response(error))
    metrics.NOT_STORED.inc()
    if isinstance(error, StatementError):
        error.hide_parameters = True  # they are the body
    log.error(
        "not stored",
        request=request_id(request.environ),
        error=str(error),
        exc_info=not isinstance(error, StoreUnavailable),
    )
    answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "not stored: please send it again")
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def problem(status: HTTPStatus, reason: str) -> Response:
    """A fault, as RFC 9457 has it."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": reason}
    return Response(json.dumps(body), status, content_type="application/problem+json")


def _query() -> list[tuple[str, str]]:
    text = request.query_string.decode("ascii", "replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest(f"a query has at most {MOST_PARAMETERS} parameters") from None


def _token(query: list[tuple[str, str]]) -> str:
    given = request.authorization
    if given and given.type == "bearer":
        return given.token or ""
    return dict(query).get("token", "")


def _from_apple(endpoint: str, body: bytes) -> Incoming:
    """What a device sent; its address too, encrypted, where relays may pass it on."""
    vault, address = services().vault, request.remote_addr
    sealed = vault.seal(address) if vault is not None and address else None
    return Incoming(_now(), endpoint, body, sealed_ip=sealed)


def _taken_apart(name: str, query: list[tuple[str, str]], body: bytes) -> Incoming:
    said = [pair for pair in query if pair[0] != "token"]
    apart = read(name, said, body, store_ip=services().settings.store_ip)
    claims = json.dumps(apart.claims) if apart.claims else None
    return Incoming(_now(), f"forwarded:{name}", apart.body, apart.verbatim, claims)


def _now() -> datetime:
    return datetime.now(UTC)
