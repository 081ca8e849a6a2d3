"""The API's blueprint: every path below it needs a key, and answers errors in one form."""

from contextlib import ExitStack

from flask import g, request
from flask.wrappers import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import audit
from skan_receiver.web import LARGEST_REQUEST, uploads
from skan_receiver.web.access import SAFE, actor, admit
from skan_receiver.web.api import idempotency, problems
from skan_receiver.web.api.etags import tagged
from skan_receiver.web.headers import harden

KEY = "key"

# Whatever changes something wants `write`; these do not, or want something else.
SCOPES = {
    "api.verify": "read",
    "api.check_upload": "read",
    "api.find_postback": "read",
    "api.replay_deliveries": "replay",
    # An app's server holds such a key: it must not open the destinations.
    "api.tell_events": "events",
    # It cannot be undone.
    "api.erase_person": "admin",
    # Who may what.
    **{
        f"api.{name}": "admin"
        for name in (
            *("list_users", "add_user", "change_user", "remove_user", "link_user"),
            *("list_keys", "create_key", "revoke_key", "list_audit"),
            *("put_alert_channel", "remove_alert_channel", "test_alert_channel"),
            *("put_app", "remove_app", "put_network", "remove_network", "name_network"),
        )
    },
}

bp = APIBlueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    abp_security=[{KEY: []}],
    abp_responses=problems.documented(401, 403, 413, 503),
    operation_id_callback=lambda *, name, **_: name,
)
bp.register_error_handler(StoreUnavailable, problems.unavailable)
# For the application, since a path that does not exist is in no blueprint.
bp.app_errorhandler(HTTPException)(problems.refused)
bp.after_request(harden)
bp.after_request(tagged)


# What arrives is nobody's deed; what only looks writes nothing, and so leaves no entry either.
# An import is noted by itself, with what came of it.
UNNOTED = {"api.tell_events", "api.import_upload"}

# What takes more than other calls, in bytes.
LARGEST = {"api.check_upload": uploads.LARGEST, "api.import_upload": uploads.LARGEST}


@bp.before_request
def _admit() -> Response | None:
    # By key alone, never by cookie: a browser sends cookies for whoever asks it to.
    usual = "read" if request.method in SAFE else "write"
    admit(SCOPES.get(str(request.endpoint), usual))
    if request.method in SAFE:
        return None
    request.max_content_length = LARGEST.get(str(request.endpoint), LARGEST_REQUEST)
    # Before the call is noted: what is remembered of calls is no deed of anybody's.
    if (answered := idempotency.before()) is not None:
        return answered
    if request.endpoint not in UNNOTED:
        _note()
    return None


@bp.after_request
def _kept(response: Response) -> Response:
    _noted(None)
    return idempotency.after(response)


def _note() -> None:
    """Whatever a call changes is in the audit log: what it writes first brings the entry along."""
    g.noted = ExitStack()
    action = str(request.endpoint).removeprefix("api.")
    subject = " ".join(map(str, (request.view_args or {}).values()))
    g.noted.enter_context(audit.doing(actor(), f"api {action}", subject))


@bp.teardown_request
def _noted(_error: BaseException | None) -> None:
    if (noted := g.pop("noted", None)) is not None:
        noted.close()


def answer(model: BaseModel) -> Response:
    """A model as JSON."""
    return Response(model.model_dump_json(), mimetype="application/json")
