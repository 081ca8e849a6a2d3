"""Signing in and out, and choosing a password by a one-time link."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from threading import BoundedSemaphore

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.storage import access, guesses
from skan_receiver.storage.guesses import TooManyGuesses
from skan_receiver.web import session
from skan_receiver.web.headers import harden
from skan_receiver.web.provider import provider
from skan_receiver.web.services import services

bp = Blueprint("login", __name__)
bp.before_request(session.guard)
bp.after_request(harden)

WRONG = "That name and password do not go together."
BUSY = "Too many people sign in at this moment. Please try again."


# Wrong guesses a minute: from one address for one name, and for all names.
FOR_ONE_NAME, FOR_ALL_NAMES = 5, 20
# A hash takes 64 MiB and a tenth of a second. Whoever guesses on many connections at once is
# turned away, not queued: the threads are Apple's too.
HASHES_AT_ONCE = 4


@bp.record
def _limit(state: BlueprintSetupState) -> None:
    state.app.extensions["skan-hashes"] = BoundedSemaphore(HASHES_AT_ONCE)


@bp.get("/login")
def form() -> ResponseReturnValue:
    """Ask for name and password, or whom the provider says this is."""
    if session.signed_in():
        return redirect(wanted(), 303)
    return _form()


@bp.post("/login")
def sign_in() -> ResponseReturnValue:
    """Sign in, or say that it was wrong: never what of it."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    if (way := provider()) is not None and way.is_only:
        return _form("Passwords are not used here."), 403
    if len(name) > access.LONGEST_NAME:
        return _form(WRONG), 422
    with _hashing() as free:
        if not free:
            return _form(BUSY), 429, {"Retry-After": "1"}
        try:
            account = _guess(name, password)
        except TooManyGuesses as error:
            seconds = math.ceil(error.seconds)
            text = f"Too many wrong tries. The next one is possible in {seconds} seconds."
            return _form(text), 429, {"Retry-After": str(seconds)}
    if account is None:
        return _form(WRONG), 422
    session.begin(account, "password")
    return redirect(wanted(), 303)


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
        with _hashes():
            account = access.choose_password(services().store, token, password, datetime.now(UTC))
    except access.AccessError as error:
        return _again(invited, str(error))
    if account is None:
        raise NotFound
    session.begin(account, "link")
    return redirect("/", 303)


@bp.errorhandler(404)
def gone(_error: object) -> ResponseReturnValue:
    """A link that was used, has expired, or never was: all the same to a stranger."""
    return render_template("link_gone.html"), 404


@bp.errorhandler(400)
def refused(error: object) -> ResponseReturnValue:
    """A form that is not believed."""
    return render_template("error.html", error=error), 400


def _guess(name: str, password: str) -> access.Account | None:
    """The user, if that is the password. Raises TooManyGuesses."""
    store, source = services().store, _source(request.remote_addr or "")
    limits = {(source, name): FOR_ONE_NAME, (source,): FOR_ALL_NAMES}
    guessed = guesses.guess(store, limits, datetime.now(UTC))
    if (account := access.sign_in(store, name, password)) is not None:
        guesses.take_back(store, guessed)
    return account


def _source(address: str) -> str:
    """Where somebody is. Of IPv6 the network: whoever has one of its addresses has all 2**64."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a socket's path, or nothing
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or int(parsed) >> 64)


def _hashes() -> BoundedSemaphore:
    found: BoundedSemaphore = current_app.extensions["skan-hashes"]
    return found


@contextmanager
def _hashing() -> Iterator[bool]:
    """Whether one more password may be hashed now."""
    hashes = _hashes()
    free = hashes.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            hashes.release()


def _form(error: str = "") -> str:
    return render_template("login.html", error=error, next=wanted())


def _again(account: access.Account, error: str) -> ResponseReturnValue:
    return render_template("password.html", account=account, error=error, **_lengths()), 422


def _lengths() -> dict[str, int]:
    return {"shortest": access.SHORTEST_PASSWORD, "longest": access.LONGEST_PASSWORD}


def _invited(token: str) -> access.Account:
    if (account := access.invited(services().store, token, datetime.now(UTC))) is None:
        raise NotFound
    return account


def wanted() -> str:
    """Where the user was going: a path here, and nowhere else."""
    path = request.values.get("next", "")
    # A browser reads `\` as `/`, and drops tabs and ends of lines before it looks for `//`.
    ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if ours and path.isprintable() else "/"
