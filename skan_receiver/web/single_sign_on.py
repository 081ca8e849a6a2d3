"""Signing in by a provider of OpenID Connect: there, and back."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.storage import single_sign_on
from skan_receiver.web.headers import harden
from skan_receiver.web.login import wanted
from skan_receiver.web.provider import EXTENSION, NotSignedIn, Provider, provider
from skan_receiver.web.services import base_url, of, services
from skan_receiver.web.session import begin

bp = Blueprint("single_sign_on", __name__, url_prefix="/login/oidc")
bp.after_request(harden)

STRANGER = "Nobody here is known by what your provider says of you. Ask an admin to add you."
NEXT = "next"


@bp.record
def _provide(state: BlueprintSetupState) -> None:
    settings = of(state.app).settings
    state.app.extensions[EXTENSION] = (
        Provider(state.app, settings) if settings.oidc_issuer else None  # type: ignore[arg-type]  # Flask's own is the only kind of App here
    )


# By a link, not a form: a browser follows no form to another site, as our policy has it.
@bp.get("")
def leave() -> ResponseReturnValue:
    """To the provider."""
    session[NEXT] = wanted()
    return _provider().send(f"{base_url()}{url_for('single_sign_on.come_back')}")


@bp.get("/callback")
def come_back() -> ResponseReturnValue:
    """From the provider: signed in, or not."""
    identity, found = _provider().identify(), services()
    role, now = found.settings.oidc_role, datetime.now(UTC)
    if (account := single_sign_on.sign_in(found.store, identity, role, now)) is None:
        raise NotSignedIn(STRANGER)
    going = session.get(NEXT, "/")
    begin(account, "oidc")
    return redirect(going, 303)


@bp.errorhandler(NotSignedIn)
def refused(error: NotSignedIn) -> ResponseReturnValue:
    """The login again, which says why."""
    page = render_template("login.html", error=str(error), next=session.get(NEXT, "/"))
    return page, 502 if error.at_fault else 403


@bp.errorhandler(404)
def without(_error: object) -> ResponseReturnValue:
    """Nobody signs in this way here."""
    return redirect(url_for("login.form"), 303)


def _provider() -> Provider:
    if (found := provider()) is None:
        raise NotFound
    return found
