"""Users and API keys: who may do and see what."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.storage import access, apikeys, audit
from skan_receiver.storage.access import AccessError, Permit
from skan_receiver.web.access import actor, may
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import base_url, services

bp = page_blueprint("people", __name__, "/settings")

LONGEST_KEY = 3650  # days


@bp.get("/users")
@may("admin")
def users() -> ResponseReturnValue:
    """Who may sign in, and what each may do and see."""
    return _users()


@bp.post("/users")
@may("admin")
def add_user() -> ResponseReturnValue:
    """A new user; the link with which they choose a password is shown once."""
    name = request.form.get("name", "").strip()
    try:
        permit = _permit(request.form)
        with audit.doing(actor(), "user.add", name, permit.columns):
            token = access.add_user(services().store, name, datetime.now(UTC), permit)
    except AccessError as error:
        return _users(wrong=_at_field(error))
    return _users(link=_link(token), invited=name)


@bp.post("/users/<name>")
@may("admin")
def change_user(name: str) -> ResponseReturnValue:
    """Another role or other limits, another link, or no user any more."""
    do, store = request.form.get("do"), services().store
    try:
        if do == "link":
            with audit.doing(actor(), "user.link", name):
                token = access.new_link(store, name, datetime.now(UTC))
            return _users(link=_link(token), invited=name)
        if do == "remove":
            with audit.doing(actor(), "user.remove", name):
                access.remove_user(store, name)
        else:
            permit = _permit(request.form)
            with audit.doing(actor(), "user.change", name, permit.columns):
                access.change_user(store, name, permit)
    except AccessError as error:
        flash(f"{name}: {error}", "bad")
    return redirect(url_for("people.users"), 303)


@bp.get("/keys")
@may("admin")
def keys() -> ResponseReturnValue:
    """The API keys there ever were; the keys themselves are not kept."""
    return _keys()


@bp.post("/keys")
@may("admin")
def create_key() -> ResponseReturnValue:
    """A new key: shown now, and never again."""
    name, partner = request.form.get("name", "").strip(), request.form.get("partner", "").strip()
    scopes = ["partner"] if partner else request.form.getlist("scope")
    now = datetime.now(UTC)
    try:
        detail = {"scopes": scopes, "partner": partner}
        with audit.doing(actor(), "key.create", name, detail):
            key = apikeys.create_key(
                services().store, name, scopes, now, partner=partner or None,
                expires_at=_expiry(request.form.get("days", "").strip(), now),
            )  # fmt: skip
    except AccessError as error:
        return _keys(wrong=_at_field(error))
    return _keys(key=key)


@bp.post("/keys/<int:key_id>/revoke")
@may("admin")
def revoke_key(key_id: int) -> ResponseReturnValue:
    """End a key at once."""
    with audit.doing(actor(), "key.revoke", str(key_id)):
        revoked = apikeys.revoke_key(services().store, min(key_id, 2**63 - 1), datetime.now(UTC))
    if not revoked:
        raise NotFound(f"There is no key {key_id}, or it was revoked before.")
    flash(f"Key {key_id} is revoked.", "good")
    return redirect(url_for("people.keys"), 303)


def _users(
    *, link: str = "", invited: str = "", wrong: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    page = render_template(
        "users.html",
        users=access.users(services().store),
        roles=access.ROLES,
        link=link,
        invited=invited,
        typed=request.form if wrong else {},
        wrong=wrong or {},
    )
    return page, 422 if wrong else 200


def _keys(*, key: str = "", wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
    page = render_template(
        "keys.html",
        keys=list(reversed(apikeys.keys(services().store))),
        scopes=[scope for scope in apikeys.SCOPES if scope != "partner"],
        key=key,
        typed=request.form if wrong else {},
        wrong=wrong or {},
        now=datetime.now(UTC),
    )
    return page, 422 if wrong else 200


def _permit(typed: Mapping[str, str]) -> Permit:
    apps = typed.get("apps", "").replace(",", " ").split()
    if any(not (app.isascii() and app.isdigit()) for app in apps):
        raise AccessError("apps: numbers of the App Store, as in 525463029")
    networks = typed.get("networks", "").replace(",", " ").split()
    return Permit(typed.get("role", ""), tuple(map(int, apps)), tuple(networks))


def _expiry(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LONGEST_KEY):
        raise AccessError(f"days: 1 to {LONGEST_KEY}")
    return now + timedelta(days=int(text))


def _at_field(error: AccessError) -> dict[str, str]:
    """`field: what`, or what alone, which is of the name."""
    field, colon, what = str(error).partition(": ")
    return {field: what} if colon and field.isidentifier() else {"name": str(error)}


def _link(token: str) -> str:
    return f"{base_url()}{url_for('login.link', token=token)}"
