"""What pages have in common: a login, forms of our own, headers, errors as pages."""

from functools import partial

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from skan_receiver.web import session
from skan_receiver.web.access import sign_in_first
from skan_receiver.web.headers import harden


def page_blueprint(
    name: str, module: str, url_prefix: str | None = None, *, largest: int | None = None
) -> Blueprint:
    """A blueprint whose every view is for those who are signed in.

    `largest`: bytes that a form of theirs may have, where that is more than others may.
    """
    bp = Blueprint(name, module, url_prefix=url_prefix)
    bp.before_request(sign_in_first)
    if largest is not None:
        # Before the guard, which reads the form.
        bp.before_request(partial(_allow, largest))
    bp.before_request(session.guard)
    bp.after_request(harden)
    bp.register_error_handler(HTTPException, refused)
    return bp


def _allow(largest: int) -> None:
    request.max_content_length = request.max_form_memory_size = largest


def refused(error: HTTPException) -> ResponseReturnValue:
    """Not there, or not like this."""
    return render_template("error.html", error=error), error.code or 500
