"""The API's specification, and a page to try it; for who is signed in or has a key."""

from pathlib import Path

import flask_openapi_swagger  # type: ignore[import-untyped]
from flask import Blueprint, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from skan_receiver.web.access import admit, sign_in_first
from skan_receiver.web.headers import harden

# Swagger UI comes with its wheel: no CDN.
SWAGGER = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"

bp = Blueprint(
    "docs", __name__, url_prefix="/api", static_folder=str(SWAGGER), static_url_path="/docs/swagger"
)
bp.after_request(harden)


@bp.before_request
def _admit() -> ResponseReturnValue | None:
    if request.endpoint == "docs.page":  # people: they can sign in
        return sign_in_first()
    admit("read", session=True)
    return None


@bp.get("/openapi.json")
def specification() -> ResponseReturnValue:
    """OpenAPI 3.2."""
    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]  # it is an OpenAPI


@bp.get("/docs")
def page() -> ResponseReturnValue:
    """Swagger UI."""
    return render_template("docs.html")
