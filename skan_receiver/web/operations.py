"""Is it alive, is it ready, how is it doing?"""

from flask import Blueprint

bp = Blueprint("operations", __name__)


@bp.get("/livez")
@bp.get("/healthz")
def livez() -> str:
    """The process answers; no input or output, so that a slow store restarts nobody."""
    return "ok"
