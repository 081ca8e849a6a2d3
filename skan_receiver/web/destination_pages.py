"""Destinations in the browser: where results go, and how they look there."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import Entry, Vault, registry, vault
from skan_receiver.delivery.registry import Changed, UnknownDestination
from skan_receiver.delivery.search import Query, find, tallies
from skan_receiver.delivery.vault import SecretRefused
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import audit
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.destination_form import DestinationForm
from skan_receiver.web.destination_view import editor, to_page, tried
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services
from skan_receiver.web.session import signed_in

bp = page_blueprint("destinations", __name__)
bp.before_request(unlimited_only)

RECENT = 10  # deliveries on a destination's page


@dataclass(frozen=True, slots=True)
class Listed:
    """A destination and what it is owed."""

    entry: Entry
    owed: int
    dead: int


@bp.get("/destinations")
def listing() -> ResponseReturnValue:
    """All of them, and how they are doing."""
    with services().store.read() as connection:
        counts = tallies(connection)
        known, unreadable = registry.readable(connection)
    listed = [_listed(entry, counts.get(entry.name, {})) for entry in known]
    return render_template("destinations.html", listed=listed, unreadable=unreadable)


@bp.get("/destinations/<name>")
def show(name: str) -> ResponseReturnValue:
    """One destination: how it is doing, its definition, its latest deliveries."""
    return _page(_entry(name))


@bp.get("/destinations/<name>/edit")
@may("editor")
def edit(name: str) -> ResponseReturnValue:
    """Its definition, as text."""
    entry = _entry(name)
    return editor(DestinationForm.of_entry(entry), entry)


@bp.post("/destinations/<name>/edit")
@may("editor")
def change(name: str) -> ResponseReturnValue:
    """Check it, show what it would send, or save it; where somebody was quicker, show both."""
    entry = _entry(name)
    revision = request.form.get("revision", type=int)
    form = DestinationForm.of(
        request.form.get("text", ""), services().settings, name=name, revision=revision
    )
    if form.destination is None or request.form.get("do") != "save":
        return editor(tried(form, form.destination), entry)
    try:
        with audit.doing(actor(), "destination.change", name):
            registry.change(services().store, form.destination, revision=revision or 0)
    except Changed:
        theirs = DestinationForm.of_entry(_entry(name))
        page = render_template("destination_conflict.html", name=name, mine=form, theirs=theirs)
        return page, 409
    return to_page(name, "From now on it is sent to as it says.")


@bp.post("/destinations/<name>/pause")
@may("editor")
def pause(name: str) -> ResponseReturnValue:
    """Send nothing more for now."""
    with audit.doing(actor(), "destination.pause", _entry(name).name):
        registry.pause(services().store, name)
    return to_page(name, "Nothing more is sent to it for now; it is owed all the same.")


@bp.post("/destinations/<name>/resume")
@may("editor")
def resume(name: str) -> ResponseReturnValue:
    """Go on."""
    with audit.doing(actor(), "destination.resume", _entry(name).name):
        registry.resume(services().store, name)
    return to_page(name, "It is sent to again, with what has waited first.")


@bp.post("/destinations/<name>/test")
@may("editor")
def test(name: str) -> ResponseReturnValue:
    """Show what it would be sent, or send it; it counts nothing."""
    entry = _entry(name)
    about = request.form.get("postback", type=int)
    send = request.form.get("do") == "send"
    if send:  # it leaves no other trace here
        who = actor()
        services().store.write(lambda c: audit.record(c, who, "destination.test", name))
    form = tried(DestinationForm.of_entry(entry), entry.destination, about=about, send=send)
    return _page(entry, form)


@bp.post("/destinations/<name>/secrets")
@may("editor")
def put_secret(name: str) -> ResponseReturnValue:
    """Keep a secret, or forget it; nobody can read it back."""
    entry = _entry(name)
    secret, value = request.form.get("secret", "").strip(), request.form.get("value", "")
    detail = {"secret": secret}
    try:
        if request.form.get("do") == "forget":
            with audit.doing(actor(), "secret.remove", name, detail):
                vault.remove_secret(services().store, name, secret)
            return to_page(name, f"{secret} is forgotten.")
        with audit.doing(actor(), "secret.put", name, detail):
            keeper = Vault(services().settings.vault_keys)
            vault.put_secret(services().store, keeper, name, secret, value)
    except (SecretRefused, ConfigurationError) as refused:
        return _page(entry, secret_wrong=str(refused))
    return to_page(name, f"{secret} is kept; templates name it {{secret:{secret}}}.")


@bp.post("/destinations/<name>/remove")
@may("editor")
def remove(name: str) -> ResponseReturnValue:
    """Ask once more, then forget it and its secrets."""
    entry = _entry(name)
    if request.form.get("sure") != "yes":
        with services().store.read() as connection:
            counts = tallies(connection).get(name, {})
        return render_template("destination_remove.html", one=_listed(entry, counts))
    with audit.doing(actor(), "destination.remove", name):
        given_up = registry.remove(services().store, name)
    flash(f"{name} is removed; {given_up} deliveries were given up.", "good")
    return redirect(url_for("destinations.listing"), 303)


def _page(
    entry: Entry, form: DestinationForm | None = None, secret_wrong: str = ""
) -> ResponseReturnValue:
    with services().store.read() as connection:
        counts = tallies(connection).get(entry.name, {})
        found = find(connection, Query(destination=entry.name), limit=RECENT)
        secrets = [row.name for row in vault.secret_names(connection, entry.name)]
    account = signed_in()
    page = render_template(
        "destination.html",
        one=_listed(entry, counts),
        rows=found.rows,
        secrets=secrets,
        missing=sorted(set(entry.destination.secret_names) - set(secrets)),
        form=form,
        text=DestinationForm.of_entry(entry).text if account and account.may("editor") else "",
        secret_wrong=secret_wrong,
    )
    return page, 422 if secret_wrong else 200


def _entry(name: str) -> Entry:
    with services().store.read() as connection:
        try:
            return registry.find(connection, name)
        except UnknownDestination as error:
            raise NotFound(f"T{str(error)[1:]}.") from None


def _listed(entry: Entry, counts: Mapping[str, int]) -> Listed:
    return Listed(entry, counts.get("owed", 0) + counts.get("leased", 0), counts.get("dead", 0))
