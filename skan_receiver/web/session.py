"""Who is signed in: an id, a salt and a beginning, in a signed cookie.

The salt is the user's own: it changes with the password and at every sign-out, so a cookie that
was copied is worth nothing afterwards.
"""

import time
from datetime import timedelta

from flask import Flask, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.wrappers import Request, Response
from flask_wtf.csrf import generate_csrf, validate_csrf
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequest, HTTPException

from skan_receiver.config import Settings
from skan_receiver.storage import access, audit
from skan_receiver.web.services import services

# However busy somebody is, after a working day they sign in again.
LONGEST = timedelta(hours=12)


class Sessions(SecureCookieSessionInterface):
    """Flask's, but free of charge for those who have none: every device of Apple's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        _provide_key(app, self._settings)
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed or session.modified:
            _provide_key(app, self._settings)
            super().save_session(app, session, response)


def configure(app: Flask, settings: Settings) -> None:
    """Give the application its sessions. Makes and reads no key before one is needed."""
    secure = settings.public_url.startswith("https://")
    app.session_interface = Sessions(settings)
    app.config.update(
        # The prefix is a promise that browsers keep: only this host set it, and only by TLS.
        SESSION_COOKIE_NAME="__Host-skan" if secure else "skan",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LONGEST,
        WTF_CSRF_TIME_LIMIT=None,  # a form is good for as long as its session
    )


def begin(account: access.Account, by: str) -> None:
    """Sign in, by "password", "link" or "oidc". What the browser brought along is forgotten."""
    who, detail = f"user {account.name}", {"by": by}
    services().store.write(
        lambda connection: audit.record(connection, who, "user.sign_in", account.name, detail)
    )
    session.clear()
    session.permanent = True
    session.update(user=account.id, salt=account.session_salt, since=int(time.time()))


def end() -> None:
    """Sign out, in every browser at once: a signed cookie cannot be called back singly."""
    if account := signed_in():
        with audit.doing(f"user {account.name}", "user.sign_out", account.name):
            access.end_sessions(services().store, account.id)
    session.clear()


def signed_in() -> access.Account | None:
    """The user of this request; asked of the store once."""
    if "account" not in g:
        g.account = _account()
    found: access.Account | None = g.account
    return found


def csrf_token() -> str:
    """For the hidden field of every form."""
    token: str = generate_csrf(services().settings.secret)
    return token


def guard() -> None:
    """Before a form is believed: it must be one of ours, sent from a page of ours."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise BadRequest("This form was sent from another site.")
    try:
        validate_csrf(_form().get("csrf_token"), services().settings.secret)
    except ValueError:  # WTForms' ValidationError is one
        raise BadRequest("This form is out of date. Go back, reload the page, try again.") from None


def _form() -> ImmutableMultiDict[str, str]:
    try:
        return request.form
    except HTTPException:  # too large
        raise
    # As in body.py: what stops the server from reading is about what was sent.
    except Exception:
        raise BadRequest("This form did not come whole. Please send it again.") from None


def _account() -> access.Account | None:
    user, began = session.get("user"), session.get("since")
    if not isinstance(user, int) or not isinstance(began, int):
        return None
    if time.time() - began > LONGEST.total_seconds():
        return None
    account = access.account(services().store, user)
    return account if account and account.session_salt == session.get("salt") else None


def _provide_key(app: Flask, settings: Settings) -> None:
    app.secret_key = app.secret_key or settings.secret
