"""The API's blueprint: every path below it needs a key, and answers errors in one form."""

from flask import request
from flask.wrappers import Response
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from skan_receiver.errors import StoreUnavailable
from skan_receiver.web.access import SAFE, admit
from skan_receiver.web.api import problems
from skan_receiver.web.headers import harden

KEY = "key"

# Whatever changes something wants `write`; these do not, or want something else.
SCOPES = {
    "api.verify": "read",
    "api.replay_deliveries": "replay",
    # An app's server holds such a key: it must not open the destinations.
    "api.tell_events": "events",
    # It cannot be undone.
    "api.erase_person": "admin",
}

bp = APIBlueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    abp_security=[{KEY: []}],
    abp_responses=problems.documented(401, 403, 503),
    operation_id_callback=lambda *, name, **_: name,
)
bp.register_error_handler(StoreUnavailable, problems.unavailable)
# For the application, since a path that does not exist is in no blueprint.
bp.app_errorhandler(HTTPException)(problems.refused)
bp.after_request(harden)


@bp.before_request
def _admit() -> None:
    # By key alone, never by cookie: a browser sends cookies for whoever asks it to.
    usual = "read" if request.method in SAFE else "write"
    admit(SCOPES.get(str(request.endpoint), usual))


def answer(model: BaseModel) -> Response:
    """A model as JSON."""
    return Response(model.model_dump_json(), mimetype="application/json")
