"""Where MMPs post installs and in-app events: `/mmp/<provider>/<token>`.

They try again after a 5xx and after nothing else, so whatever is kept is answered 200, and nothing
else. What we cannot read goes to the quarantine, whose cap here is MMPs' own: a field that one of
them renames must not lose installs, nor may whoever floods Apple's endpoints.
"""

from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound

from skan_receiver.events import PIECE, Told, unreadable
from skan_receiver.ingest import Incoming, Outcome
from skan_receiver.mmp.providers import PROVIDERS, Provider
from skan_receiver.mmp.providers.apple import claims_of
from skan_receiver.mmp.providers.members import MOST_MEMBERS
from skan_receiver.mmp.providers.request import Taken, take
from skan_receiver.storage.connections import Admitted, admitted
from skan_receiver.web import metrics
from skan_receiver.web.body import BadBody, read_body
from skan_receiver.web.headers import harden
from skan_receiver.web.logs import request_id
from skan_receiver.web.receive import RETRY_AFTER_SECONDS, not_stored, problem
from skan_receiver.web.services import services

bp = Blueprint("mmp", __name__)
bp.register_error_handler(Exception, not_stored)
log = structlog.get_logger("mmp")

# A batch; one event has at most 64 KiB (mmp.providers.members).
LARGEST_BODY = 1024 * 1024


@bp.record
def _routes(state: BlueprintSetupState) -> None:
    """With and without a slash at the end, no redirect between them, and no other method."""
    state.add_url_rule(
        "/mmp/<provider>/<token>",
        "told",
        told,
        methods=["GET", "POST"],
        strict_slashes=False,
        provide_automatic_options=False,
    )


def told(provider: str, token: str) -> Response:
    """What an MMP tells: in the query, or in a body."""
    if (known := PROVIDERS.get(provider.lower())) is None:
        raise NotFound
    with services().store.read() as connection:
        who = admitted(connection, known.name, token)
    if who is None:
        return problem(HTTPStatus.FORBIDDEN, f"no connection of {known.name} has this token")
    if request.method == "HEAD" or (request.method == "GET" and not request.query_string):
        return ready(who)
    try:
        body = read_body(request.environ, LARGEST_BODY)
    except BadBody as fault:
        return _not_whole(fault)
    if _keep(known, who, take_in(known, who, body)):
        return Response()
    return _again("something could not be kept: a cap is reached, see `doctor`")


def take_in(provider: Provider, who: Admitted, body: bytes) -> Taken:
    """The request, taken apart. A query with too many parameters is one body that is a form."""
    query = request.query_string
    try:
        pairs = parse_qsl(
            query.decode("ascii", "replace"),
            keep_blank_values=True,
            max_num_fields=MOST_MEMBERS,
        )
    except ValueError:
        pairs, body = [], body or query
    settings = services().settings
    return take(provider, pairs, body, app_id=who.app_id, store_ip=settings.store_ip)


def ready(who: Admitted) -> Response:
    """What somebody sees who opens the URL: the token is right."""
    text = f"ready: what {who.provider} tells of {who.name} comes here\n"
    return harden(Response(text, content_type="text/plain"))


def _keep(provider: Provider, who: Admitted, taken: Taken) -> bool:
    """Whether all of it is kept; but for what is of somebody erased, which nobody may keep."""
    now = datetime.now(UTC)
    endpoint = f"forwarded:{provider.name}"
    apples = [
        Incoming(now, endpoint, row.body, row.verbatim, claims_of(row)) for row in taken.apples
    ]
    postbacks = [
        result
        for at in range(0, len(apples), PIECE)
        for result in services().ingest(apples[at : at + PIECE])
    ]
    results = services().intake(
        [
            *(Told(now, who.name, event) for event in taken.events),
            *(
                unreadable(now, provider.name, who.name, one.body, one.fault)
                for one in taken.unread
            ),
        ]
    )
    for result in postbacks:
        metrics.arrived(endpoint, result.outcome, result.verdict, None)
    for outcome, n in Counter(result.outcome for result in results).items():
        metrics.told(provider.name, outcome, n)
    unread = results[len(taken.events) :]
    for one, result in zip(taken.unread, unread, strict=True):
        log.info(
            "not read",
            request=request_id(request.environ),
            provider=provider.name,
            connection=who.name,
            outcome=result.outcome,
            reason=str(one.fault),
        )
    return all(result.outcome is not Outcome.DROPPED for result in (*postbacks, *unread))


def _not_whole(fault: BadBody) -> Response:
    """A body that broke off will come again after a 500; one that is too large would not shrink."""
    if fault.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem(fault.status, str(fault))
    return _again(str(fault))


def _again(why: str) -> Response:
    answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, why)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer
