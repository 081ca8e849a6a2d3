"""Who may see what: programs by key, people by session."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from skan_receiver.storage.apikeys import KEY_PREFIX, Grant, verify_key
from skan_receiver.web.services import services
from skan_receiver.web.session import signed_in

P = ParamSpec("P")
R = TypeVar("R")

SAFE = ("GET", "HEAD")

# The apps and the ad networks that somebody sees; None: all of them.
Limits = tuple[tuple[int, ...] | None, tuple[str, ...] | None]


def require(scope: str, *, session: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for bearers of a key with `scope`; with `session`, also for who is signed in."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            admit(scope, session=session)
            return view(*args, **kwargs)

        return guarded

    return decorate


def admit(scope: str, *, session: bool = False) -> None:
    """Let the request pass, or raise Unauthorized (who are you?) or Forbidden (not you).

    A session opens nothing that changes anything: a browser sends its cookie along with
    requests that its user knows nothing of.
    """
    if session and request.method in SAFE and signed_in():
        return
    g.grant = grant = _grant()
    if grant is None:
        raise Unauthorized(
            "Send an API key as 'Authorization: Bearer skan_…'; 'skan-receiver keys create' "
            "makes one.",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "skan-receiver"}),
        )
    if not grant.allows(scope):
        raise Forbidden(f"This key has not the scope {scope!r}.")


def sign_in_first() -> ResponseReturnValue | None:
    """For pages: whoever is not signed in goes to the login, and comes back from there."""
    if signed_in():
        return None
    wanted = request.full_path.rstrip("?") if request.method in SAFE else ""
    return redirect(url_for("login.form", next=wanted or None), 303)


def may(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A page's view for those who are signed in and may what `role` may; others get a 403."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            account = signed_in()
            if account is None or not account.may(role):
                raise Forbidden(f"This is for whoever has the role {role!r}. An admin can give it.")
            return view(*args, **kwargs)

        return guarded

    return decorate


def sees_app(app_id: int) -> bool:
    """Whether whoever is signed in may see what is of this app."""
    account = signed_in()
    return account is None or not account.apps or app_id in account.apps


def sees_network(ad_network_id: str) -> bool:
    """Whether whoever is signed in may see what is of this ad network."""
    account = signed_in()
    return account is None or not account.networks or ad_network_id.lower() in account.networks


def limits() -> Limits:
    """What whoever is signed in sees."""
    account = signed_in()
    if account is None:
        return None, None
    return tuple(sorted(account.apps)) or None, tuple(sorted(account.networks)) or None


def unlimited_only() -> None:
    """For what is of all apps and networks together: a `before_request` of such pages."""
    account = signed_in()
    if account is not None and account.is_limited:
        raise Forbidden("This is of all apps and ad networks together, and you see some of them.")


def actor() -> str:
    """Who is asking, for the audit log."""
    if (grant := g.get("grant")) is not None:
        return f"key {grant.id} {grant.name}"
    account = signed_in()
    return f"user {account.name}" if account else "nobody"


def _grant() -> Grant | None:
    given = request.authorization
    key = given.token if given and given.type == "bearer" else None
    if not key or not key.startswith(KEY_PREFIX):
        return None
    return verify_key(services().store, key, datetime.now(UTC))
