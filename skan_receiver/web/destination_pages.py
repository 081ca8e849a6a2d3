"""Destinations in the browser: where results go, and how they look there."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import Entry, Vault, registry, vault
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.presets import PRESETS, ROLES, Preset
from skan_receiver.delivery.registry import Changed, UnknownDestination
from skan_receiver.delivery.search import Query, find, tallies
from skan_receiver.delivery.templates.macros import KINDS, macros_for
from skan_receiver.delivery.trial import subject, trial
from skan_receiver.delivery.trial_events import NothingToSend
from skan_receiver.delivery.vault import SecretRefused
from skan_receiver.errors import ConfigurationError, DeliveryFailed
from skan_receiver.storage import audit
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.destination_form import BEGINNINGS, DestinationForm, PresetForm
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services
from skan_receiver.web.session import signed_in
from skan_receiver.worker import sender

bp = page_blueprint("destinations", __name__)
bp.before_request(unlimited_only)

RECENT = 10  # deliveries on a destination's page

Form = TypeVar("Form", DestinationForm, PresetForm)


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


@bp.get("/presets")
@may("editor")
def presets() -> ResponseReturnValue:
    """The gallery: whom one can send to without writing a template."""
    by_role = {role: [p for p in PRESETS.values() if p.role == role] for role in ROLES}
    return render_template("presets.html", by_role=by_role, roles=ROLES, kinds=tuple(BEGINNINGS))


@bp.get("/presets/<name>")
@may("editor")
def preset(name: str) -> ResponseReturnValue:
    """One preset: what it asks for."""
    found = _preset(name)
    return _preset_page(PresetForm(found, {"name": found.name}))


@bp.post("/presets/<name>")
@may("editor")
def use_preset(name: str) -> ResponseReturnValue:
    """Show what it would send, or add the destination."""
    form = PresetForm.of(_preset(name), request.form, services().settings)
    if form.destination is None:
        return _preset_page(form)
    if request.form.get("do") == "preview":
        return _preset_page(_tried(form, form.destination))
    try:
        with audit.doing(actor(), "destination.add", form.destination.name, {"preset": name}):
            registry.add(services().store, form.destination)
    except Changed as error:
        return _preset_page(replace(form, wrong={"name": str(error)}))
    _keep(form.destination.name, form.secrets)
    return _to(form.destination.name, "It is owed what arrives from now on.")


@bp.get("/presets/own/<kind>")
@may("editor")
def begin(kind: str) -> ResponseReturnValue:
    """A destination of one's own: the template builder."""
    if kind not in BEGINNINGS:
        raise NotFound(f"There is no kind {kind!r} of destination.")
    return _editor(DestinationForm(BEGINNINGS[kind]), None, kind=kind)


@bp.post("/presets/own/<kind>")
@may("editor")
def add(kind: str) -> ResponseReturnValue:
    """Check it, show what it would send, or add it."""
    form = DestinationForm.of(request.form.get("text", ""), services().settings)
    if form.destination is None or request.form.get("do") != "save":
        return _editor(_tried(form, form.destination), None, kind=kind)
    try:
        with audit.doing(actor(), "destination.add", form.destination.name):
            registry.add(services().store, form.destination)
    except Changed as error:
        return _editor(replace(form, mistakes=[("name", str(error))]), None, kind=kind)
    return _to(form.destination.name, "It is owed what arrives from now on.")


@bp.get("/destinations/<name>")
def show(name: str) -> ResponseReturnValue:
    """One destination: how it is doing, its definition, its latest deliveries."""
    return _page(_entry(name))


@bp.get("/destinations/<name>/edit")
@may("editor")
def edit(name: str) -> ResponseReturnValue:
    """Its definition, as text."""
    entry = _entry(name)
    return _editor(DestinationForm.of_entry(entry), entry)


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
        return _editor(_tried(form, form.destination), entry)
    try:
        with audit.doing(actor(), "destination.change", name):
            registry.change(services().store, form.destination, revision=revision or 0)
    except Changed:
        theirs = DestinationForm.of_entry(_entry(name))
        page = render_template("destination_conflict.html", name=name, mine=form, theirs=theirs)
        return page, 409
    return _to(name, "From now on it is sent to as it says.")


@bp.post("/destinations/<name>/pause")
@may("editor")
def pause(name: str) -> ResponseReturnValue:
    """Send nothing more for now."""
    with audit.doing(actor(), "destination.pause", _entry(name).name):
        registry.pause(services().store, name)
    return _to(name, "Nothing more is sent to it for now; it is owed all the same.")


@bp.post("/destinations/<name>/resume")
@may("editor")
def resume(name: str) -> ResponseReturnValue:
    """Go on."""
    with audit.doing(actor(), "destination.resume", _entry(name).name):
        registry.resume(services().store, name)
    return _to(name, "It is sent to again, with what has waited first.")


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
    form = _tried(DestinationForm.of_entry(entry), entry.destination, about=about, send=send)
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
            return _to(name, f"{secret} is forgotten.")
        with audit.doing(actor(), "secret.put", name, detail):
            keeper = Vault(services().settings.vault_keys)
            vault.put_secret(services().store, keeper, name, secret, value)
    except (SecretRefused, ConfigurationError) as refused:
        return _page(entry, secret_wrong=str(refused))
    return _to(name, f"{secret} is kept; templates name it {{secret:{secret}}}.")


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


def _editor(
    form: DestinationForm, entry: Entry | None, *, kind: str | None = None
) -> ResponseReturnValue:
    kind = form.destination.kind if form.destination else kind
    kind = kind or (entry.destination.kind if entry else "relay")
    macros = macros_for(kind) if kind in KINDS else {}
    page = render_template(
        "destination_edit.html", form=form, entry=entry, kind=kind, macros=macros
    )
    return page, 422 if form.mistakes and request.method == "POST" else 200


def _preset_page(form: PresetForm) -> ResponseReturnValue:
    return render_template("preset.html", form=form, role=ROLES[form.preset.role]), (
        422 if form.wrong else 200
    )


def _tried(
    form: Form, destination: Destination | None, *, about: int | None = None, send: bool = False
) -> Form:
    """With the request that it would make, and where it was sent, the answer."""
    if destination is None:
        return form
    store = services().store
    with closing(sender(services().settings, store)) as sending:
        try:
            with store.read() as connection:
                stands_for = subject(connection, destination, about)
            return replace(form, trial=trial(sending, destination, stands_for, send=send))
        except (NothingToSend, DeliveryFailed) as failure:
            return replace(form, refused=str(failure))


def _keep(name: str, secrets: Mapping[str, str]) -> None:
    for secret, value in secrets.items():
        try:
            with audit.doing(actor(), "secret.put", name, {"secret": secret}):
                keeper = Vault(services().settings.vault_keys)
                vault.put_secret(services().store, keeper, name, secret, value)
        except (SecretRefused, ConfigurationError) as refused:
            flash(f"{secret} was not kept: {refused}", "bad")


def _entry(name: str) -> Entry:
    with services().store.read() as connection:
        try:
            return registry.find(connection, name)
        except UnknownDestination as error:
            raise NotFound(f"T{str(error)[1:]}.") from None


def _preset(name: str) -> Preset:
    if (found := PRESETS.get(name)) is None:
        raise NotFound(f"There is no preset {name!r}.")
    return found


def _listed(entry: Entry, counts: Mapping[str, int]) -> Listed:
    return Listed(entry, counts.get("owed", 0) + counts.get("leased", 0), counts.get("dead", 0))


def _to(name: str, said: str) -> ResponseReturnValue:
    flash(said, "good")
    return redirect(url_for("destinations.show", name=name), 303)
