"""Signing in and out, and choosing a password by a one-time link."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import BoundedSemaphore

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.storage import access
from skan_receiver.web import session
from skan_receiver.web.headers import harden
from skan_receiver.web.services import services
from skan_receiver.web.throttle import Throttle

bp = Blueprint("login", __name__)
bp.before_request(session.guard)
bp.after_request(harden)

WRONG = "That name and password do not go together."
BUSY = "Too many people sign in at this moment. Please try again."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one application lets strangers try."""

    # Five wrong guesses a minute from one address for one name, twenty for all names.
    by_name: Throttle = field(default_factory=lambda: Throttle(5, 60))
    by_address: Throttle = field(default_factory=lambda: Throttle(20, 60))
    # A hash takes 64 MiB and a tenth of a second. Whoever guesses on many connections at once
    # is turned away, not queued: the threads are Apple's too.
    hashes: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(4))


@bp.record
def _limit(state: BlueprintSetupState) -> None:
    state.app.extensions["skan-login"] = Limits()


@bp.get("/login")
def form() -> ResponseReturnValue:
    """Ask for name and password."""
    if session.signed_in():
        return redirect(_next(), 303)
    return _form()


@bp.post("/login")
def sign_in() -> ResponseReturnValue:
    """Sign in, or say that it was wrong: never what of it."""
    limits, address = _limits(), request.remote_addr or ""
    name = request.form.get("name", "").strip()
    if len(name) > access.LONGEST_NAME:
        return _form(WRONG), 422
    if wait := max(limits.by_name.wait(address, name), limits.by_address.wait(address)):
        seconds = math.ceil(wait)
        text = f"Too many wrong tries. The next one is possible in {seconds} seconds."
        return _form(text), 429, {"Retry-After": str(seconds)}
    with _hashing() as free:
        if not free:
            return _form(BUSY), 429, {"Retry-After": "1"}
        account = access.sign_in(services().store, name, request.form.get("password", ""))
    if account is None:
        limits.by_name.failed(address, name)
        limits.by_address.failed(address)
        return _form(WRONG), 422
    session.begin(account)
    return redirect(_next(), 303)


@bp.post("/logout")
def sign_out() -> ResponseReturnValue:
    """Sign out everywhere."""
    session.end()
    return redirect(url_for("login.form"), 303)


@bp.get("/login/<token>")
def link(token: str) -> ResponseReturnValue:
    """Ask for a password. Looking at a one-time link does not use it up: mail scanners look."""
    return render_template("password.html", account=_invited(token), **_lengths())


@bp.post("/login/<token>")
def choose(token: str) -> ResponseReturnValue:
    """Use the link, and sign in."""
    invited, password = _invited(token), request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _again(invited, "The two passwords are not the same.")
    try:
        with _limits().hashes:
            account = access.choose_password(services().store, token, password, datetime.now(UTC))
    except access.AccessError as error:
        return _again(invited, str(error))
    if account is None:
        raise NotFound
    session.begin(account)
    return redirect("/", 303)


@bp.errorhandler(404)
def gone(_error: object) -> ResponseReturnValue:
    """A link that was used, has expired, or never was: all the same to a stranger."""
    return render_template("link_gone.html"), 404


@bp.errorhandler(400)
def refused(error: object) -> ResponseReturnValue:
    """A form that is not believed."""
    return render_template("error.html", error=error), 400


def _limits() -> Limits:
    found: Limits = current_app.extensions["skan-login"]
    return found


@contextmanager
def _hashing() -> Iterator[bool]:
    """Whether one more password may be hashed now."""
    hashes = _limits().hashes
    free = hashes.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            hashes.release()


def _form(error: str = "") -> str:
    return render_template("login.html", error=error, next=_next())


def _again(account: access.Account, error: str) -> ResponseReturnValue:
    return render_template("password.html", account=account, error=error, **_lengths()), 422


def _lengths() -> dict[str, int]:
    return {"shortest": access.SHORTEST_PASSWORD, "longest": access.LONGEST_PASSWORD}


def _invited(token: str) -> access.Account:
    if (account := access.invited(services().store, token, datetime.now(UTC))) is None:
        raise NotFound
    return account


def _next() -> str:
    """Where the user was going: a path here, and nowhere else."""
    path = request.values.get("next", "")
    # A browser reads `\` as `/`, and drops tabs and ends of lines before it looks for `//`.
    ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if ours and path.isprintable() else "/"
