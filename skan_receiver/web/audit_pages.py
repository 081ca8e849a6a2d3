"""The audit log: who changed what."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from skan_receiver.storage import audit
from skan_receiver.web.access import may
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services

bp = page_blueprint("audit", __name__, "/settings/audit")

SHOWN = 100


@bp.get("")
@may("admin")
def listing() -> ResponseReturnValue:
    """Changes, the newest first; with `verify`, whether each is as it was written."""
    store = services().store
    before = request.args.get("before", type=int)
    with store.read() as connection:
        rows = audit.entries(connection, before=before, limit=SHOWN)
    more = rows[-1].number if len(rows) == SHOWN and rows[-1].number > 1 else None
    verified = audit.verify(store) if "verify" in request.args else None
    return render_template("audit.html", rows=rows, more=more, verified=verified)
