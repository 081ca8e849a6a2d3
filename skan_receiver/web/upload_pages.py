"""Drop a log: what it holds, without storing it; then import it."""

from contextlib import closing

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.logfile import BrokenFile
from skan_receiver.web import uploads
from skan_receiver.web.access import may, unlimited_only
from skan_receiver.web.page import page_blueprint

bp = page_blueprint("upload", __name__, "/upload", largest=uploads.LARGEST)
bp.before_request(unlimited_only)


@bp.get("")
@may("editor")
def form() -> ResponseReturnValue:
    """Ask for a file."""
    return _form()


@bp.post("")
@may("editor")
def look() -> ResponseReturnValue:
    """What the file holds; it is kept for an hour, in case it is to be imported."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form("Choose a file: one postback a line, as JSON, gzipped or not.")
    path = uploads.new()
    with closing(file):
        file.save(path)
    try:
        found = uploads.looked_into(path)
    except BrokenFile as fault:
        uploads.forget(path)
        return _form(f"{file.filename}: {fault}")
    return render_template("uploaded.html", found=found, token=path.parent.name, name=file.filename)


@bp.post("/import")
@may("editor")
def import_() -> ResponseReturnValue:
    """Import what was looked at; a line that is there already changes nothing."""
    path, name = uploads.kept(request.form.get("token", "")), request.form.get("name", "")[:200]
    if path is None:
        raise NotFound("This file is no longer here: it is kept for an hour. Drop it again.")
    outcomes = uploads.imported(path, name).outcomes
    uploads.forget(path)
    told = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in sorted(outcomes.items()))
    flash(f"Imported: {told or 'nothing'}.", "good")
    return redirect(url_for("pages.postbacks"), 303)


def _form(wrong: str = "") -> ResponseReturnValue:
    page = render_template("upload.html", wrong=wrong, largest=uploads.LARGEST // 1024**2)
    return page, 422 if wrong else 200
