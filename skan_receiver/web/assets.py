"""Our own style and script, and those of others that we ship. Public: the login needs them."""

from flask import Blueprint, request
from flask.wrappers import Response

from skan_receiver.web.headers import harden

bp = Blueprint("assets", __name__, static_folder="static", static_url_path="/static")


@bp.after_request
def cache(response: Response) -> Response:
    """Vendored files have their version in their name; the others are asked for again."""
    vendored = request.path.startswith("/static/vendor/") and response.status_code == 200
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if vendored else "no-cache"
    )
    return harden(response)
