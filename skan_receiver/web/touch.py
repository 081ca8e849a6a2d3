"""Touches of ads: `GET /touch/<token>` is a tracking link, `POST /touch` is a network's server.

A link leads to the app's page in its store whatever happens: its user wants the app. The page is
made from the app's id alone, so that nobody leads anybody elsewhere by it. Neither address nor
user agent is kept.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest

from skan_receiver.errors import Malformed, StoreUnavailable
from skan_receiver.mmp.stores import App
from skan_receiver.mmp.touch_reading import Read, read, told
from skan_receiver.mmp.touches import TouchKind
from skan_receiver.storage import networks
from skan_receiver.touches import Told, click_id_of, new_click_id
from skan_receiver.web import metrics
from skan_receiver.web.body import BadBody, read_body
from skan_receiver.web.headers import harden
from skan_receiver.web.logs import request_id
from skan_receiver.web.receive import MOST_PARAMETERS, not_stored, problem
from skan_receiver.web.services import services

bp = Blueprint("touch", __name__)
bp.register_error_handler(Exception, not_stored)
bp.after_request(harden)
log = structlog.get_logger("touch")

MOST_TOUCHES = 1_000
LARGEST_BODY = 1024 * 1024

# Who opens a link before, or instead of, a user. Cubot makes phones.
_ROBOT = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|^whatsapp/|headless|^curl/|^python",
    re.IGNORECASE,
)
_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")

# Of a server's names those that a link has no use for: it is clicked, and now.
_NOT_OF_A_LINK = {"kind", "at"}


@bp.record
def _routes(state: BlueprintSetupState) -> None:
    """With and without a slash at the end, no redirect between them, and no other method."""
    for path, name, view, method in (
        ("/touch/<token>", "clicked", clicked, "GET"),
        ("/touch", "touched", touched, "POST"),
    ):
        state.add_url_rule(
            path,
            name,
            view,
            methods=[method],
            strict_slashes=False,
            provide_automatic_options=False,
        )


def clicked(token: str) -> Response:
    """Keep a click, and lead on to the app's page in its store.

    While the store takes nothing the user is led on all the same, and the click is lost: a second
    try would be a second click.
    """
    said = _query()
    try:
        app = App.of(said.get("app", ""))
    except ValueError as fault:
        raise BadRequest(f"app: {fault}") from None
    try:
        return _lead_on(token, app, said)
    except (StoreUnavailable, SQLAlchemyError) as error:
        _lost(app, error)
        return _to(app)


def touched() -> Response:
    """Keep what a network's server tells: all of it, or nothing and the answer says why."""
    given = request.authorization
    token = given.token if given and given.type == "bearer" else None
    if not token:
        answer = problem(HTTPStatus.UNAUTHORIZED, "send 'Authorization: Bearer …': the token that "
                         "`touches connect` has printed for servers")  # fmt: skip
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    with services().store.read() as connection:
        network = networks.by_server(connection, token)
    if network is None:
        return problem(HTTPStatus.FORBIDDEN, "no network's server has this token")
    try:
        touches = _touches(network, datetime.now(UTC))
    except BadBody as fault:
        return problem(fault.status, str(fault))
    except Malformed as fault:
        where = f"{fault.member}: " if fault.member else ""
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, where + fault.reason)
    services().touches(touches)
    for one in touches:
        metrics.touched(one.read.columns["kind"], "kept")
    said = json.dumps({"touches": [{"click_id": one.click_id} for one in touches]})
    return Response(said, content_type="application/json")


def _lead_on(token: str, app: App, said: Mapping[str, str]) -> Response:
    with services().store.read() as connection:
        network = networks.by_link(connection, token)
    if network is None:
        return problem(HTTPStatus.FORBIDDEN, "no tracking link has this token")
    if str(app) not in network.apps:
        reason = f"app: {network.name} advertises {', '.join(network.apps)}, and not {app}"
        return problem(HTTPStatus.FORBIDDEN, reason)
    if _is_no_user():
        metrics.touched(TouchKind.CLICK, "passed")
        return _to(app)
    # What of it cannot be read is left out: a click is a click.
    found = read({name: text for name, text in said.items() if name not in _NOT_OF_A_LINK})
    now = datetime.now(UTC)
    one = Told(network, Read(app, {**found.columns, "at": now}), now, new_click_id())
    services().touches([one])
    metrics.touched(TouchKind.CLICK, "kept")
    return _to(app, one.click_id)


def _lost(app: App, error: Exception) -> None:
    metrics.touched(TouchKind.CLICK, "lost")
    kind = type(error).__name__  # its text may be what was said
    log.error("click lost", request=request_id(request.environ), app=str(app), error=kind)


def _to(app: App, click_id: str | None = None) -> Response:
    return Response(status=HTTPStatus.FOUND, headers={"Location": app.page(click_id)})


def _is_no_user() -> bool:
    """Whether a program looks at the link: it is led on, and is no click."""
    ahead = any(request.headers.get(name) for name in _AHEAD)
    return (
        ahead
        or request.method == "HEAD"
        or _ROBOT.search(request.user_agent.string or "") is not None
    )


def _query() -> dict[str, str]:
    """Its parameters; of one that is there twice the first."""
    text = request.query_string.decode("ascii", "replace")
    try:
        pairs = parse_qsl(text, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest(f"a query has at most {MOST_PARAMETERS} parameters") from None
    return dict(reversed(pairs))


def _touches(network: networks.Network, now: datetime) -> list[Told]:
    """The touches of a body; Malformed names the one at fault, and its member."""
    settings = services().settings
    oldest = timedelta(days=settings.touch_days)
    found = []
    for place, members in enumerate(_members()):
        try:
            one = told(members, now, oldest)
            if str(one.app) not in network.apps:
                advertised = ", ".join(network.apps)
                raise Malformed(f"{network.name} advertises {advertised}", "app")  # noqa: TRY301
        except Malformed as fault:
            where = f"touches.{place}.{fault.member}"
            raise Malformed(fault.reason, where) from None
        click_id = click_id_of(settings.vault_keys[0], network, one)
        found.append(Told(network, one, now, click_id))
    return found


def _members() -> Sequence[Mapping[str, Any]]:
    try:
        body = json.loads(read_body(request.environ, LARGEST_BODY))
    except (ValueError, RecursionError):
        raise BadBody(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    touches = body.get("touches") if isinstance(body, dict) else None
    if not isinstance(touches, list) or not all(isinstance(one, dict) for one in touches):
        raise Malformed('a list of objects, as in {"touches": [{"app": "525463029"}]}', "touches")
    if not 1 <= len(touches) <= MOST_TOUCHES:
        raise Malformed(f"{len(touches)}, and 1 to {MOST_TOUCHES} go in one body", "touches")
    return touches
