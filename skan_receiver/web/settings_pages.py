"""How this receiver is set up: endpoints, keys of Apple, what is ours, limits."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from skan_receiver.settle import register, unregister
from skan_receiver.storage import Registered, audit
from skan_receiver.storage.columns import table
from skan_receiver.storage.network_names import names, put_name
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import base_url, services

bp = page_blueprint("settings", __name__, "/settings")

REGISTERED = table(Registered)
KINDS = {"apps": "app", "networks": "ad-network"}


@bp.get("")
def overview() -> ResponseReturnValue:
    """What is set, without secrets, and where the rest is."""
    settings = services().settings
    return render_template(
        "settings.html",
        base=base_url(),
        settings=settings,
        keys=list(services().keys),
        stores_in="SQLite" if services().store.is_sqlite else "PostgreSQL",
    )


@bp.get("/<any(apps, networks):which>")
def registered(which: str) -> ResponseReturnValue:
    """The apps, or ad networks, that are ours."""
    return _registered(which)


@bp.post("/<any(apps, networks):which>")
@may("admin")
def change(which: str) -> ResponseReturnValue:
    """Register one, or no longer; what counts follows."""
    kind, store, settings = KINDS[which], services().store, services().settings
    value, name = request.form.get("value", "").strip(), request.form.get("name", "").strip()
    try:
        if request.form.get("do") == "remove":
            with audit.doing(actor(), f"{kind}.remove", value):
                unregister(store, settings, kind, value)
            flash(f"{value} is no longer ours: its postbacks stay, and no longer count.", "good")
        elif request.form.get("do") == "name":
            with audit.doing(actor(), "network.name", value, {"name": name}):
                put_name(store, value, name)
            flash(f"{value} is called {name or 'as in the list that we ship'}.", "good")
        else:
            with audit.doing(actor(), f"{kind}.add", value, {"name": name}):
                register(store, settings, kind, value, name)
            flash(f"{value} is ours: what it received before counts too.", "good")
    except ValueError as error:
        return _registered(which, wrong=str(error))
    return redirect(url_for("settings.registered", which=which), 303)


def _registered(which: str, wrong: str = "") -> ResponseReturnValue:
    unlimited_only()
    of_kind = (
        select(REGISTERED).where(REGISTERED.c.kind == KINDS[which]).order_by(REGISTERED.c.value)
    )
    with services().store.read() as connection:
        rows: list[Any] = list(connection.execute(of_kind))
        known = names(connection) if which == "networks" else {}
    page = render_template(
        "registered.html",
        which=which,
        rows=rows,
        known=known,
        typed=request.form if wrong else {},
        wrong=wrong,
    )
    return page, 422 if wrong else 200
