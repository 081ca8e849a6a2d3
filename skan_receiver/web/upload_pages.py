"""Drop a log: what it holds, without storing it; then import it."""

import re
import secrets
import shutil
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.importing import import_here
from skan_receiver.rehearsal import Rehearsal, rehearse
from skan_receiver.storage import audit
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services

LARGEST = 64 * 1024 * 1024

bp = page_blueprint("upload", __name__, "/upload", largest=LARGEST)
bp.before_request(unlimited_only)

KEPT_SECONDS = 3600
TOKEN = re.compile(r"[A-Za-z0-9_-]{20,60}")


@bp.get("")
@may("editor")
def form() -> ResponseReturnValue:
    """Ask for a file."""
    return _form()


@bp.post("")
@may("editor")
def look() -> ResponseReturnValue:
    """What the file holds; it is kept for an hour, in case it is to be imported."""
    _forget_old()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form("Choose a file: one postback a line, as JSON, gzipped or not.")
    folder = _folder() / secrets.token_urlsafe(24)
    folder.mkdir(mode=0o700, parents=True)
    path = folder / "upload"
    with closing(file):
        file.save(path)
    return _result(path, folder.name, file.filename)


@bp.post("/import")
@may("editor")
def import_() -> ResponseReturnValue:
    """Import what was looked at; a line that is there already changes nothing."""
    token, name = request.form.get("token", ""), request.form.get("name", "")[:200]
    path = _folder() / token / "upload"
    if not TOKEN.fullmatch(token) or not path.is_file():
        raise NotFound("This file is no longer here: it is kept for an hour. Drop it again.")
    context = services()
    imported = import_here(path, context.store, context.settings, context.keys)
    outcomes = dict(imported.outcomes)
    who = actor()
    context.store.write(lambda c: audit.record(c, who, "postback.import", name, outcomes))
    shutil.rmtree(path.parent, ignore_errors=True)
    told = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in sorted(outcomes.items()))
    flash(f"Imported: {told or 'nothing'}.", "good")
    return redirect(url_for("pages.postbacks"), 303)


def _form(wrong: str = "") -> ResponseReturnValue:
    page = render_template("upload.html", wrong=wrong, largest=LARGEST // 1024**2)
    return page, 422 if wrong else 200


def _result(path: Path, token: str, name: str) -> ResponseReturnValue:
    context = services()
    found: Rehearsal = rehearse(
        path, context.store, context.settings, context.keys, datetime.now(UTC)
    )
    return render_template("uploaded.html", found=found, token=token, name=name)


def _folder() -> Path:
    return services().settings.var / "uploads"


def _forget_old() -> None:
    old = time.time() - KEPT_SECONDS
    for folder in _folder().glob("*"):
        if folder.stat().st_mtime < old:
            shutil.rmtree(folder, ignore_errors=True)
