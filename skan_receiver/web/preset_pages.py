"""A new destination: the gallery of presets, and templates of one's own."""

from collections.abc import Mapping
from dataclasses import replace

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import Vault, registry, vault
from skan_receiver.delivery.presets import PRESETS, ROLES, Preset
from skan_receiver.delivery.registry import Changed
from skan_receiver.delivery.vault import SecretRefused
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import audit
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.destination_form import BEGINNINGS, DestinationForm, PresetForm
from skan_receiver.web.destination_view import editor, to_page, tried
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services

bp = page_blueprint("presets", __name__)
bp.before_request(unlimited_only)


@bp.get("/presets")
@may("editor")
def gallery() -> ResponseReturnValue:
    """The gallery: whom one can send to without writing a template."""
    by_role = {role: [p for p in PRESETS.values() if p.role == role] for role in ROLES}
    return render_template("presets.html", by_role=by_role, roles=ROLES, kinds=tuple(BEGINNINGS))


@bp.get("/presets/<name>")
@may("editor")
def show(name: str) -> ResponseReturnValue:
    """One preset: what it asks for."""
    found = _preset(name)
    return _preset_page(PresetForm(found, {"name": found.name}))


@bp.post("/presets/<name>")
@may("editor")
def use(name: str) -> ResponseReturnValue:
    """Show what it would send, or add the destination."""
    form = PresetForm.of(_preset(name), request.form, services().settings)
    if form.destination is None:
        return _preset_page(form)
    if request.form.get("do") == "preview":
        return _preset_page(tried(form, form.destination))
    try:
        with audit.doing(actor(), "destination.add", form.destination.name, {"preset": name}):
            registry.add(services().store, form.destination)
    except Changed as error:
        return _preset_page(replace(form, wrong={"name": str(error)}))
    _keep(form.destination.name, form.secrets)
    return to_page(form.destination.name, "It is owed what arrives from now on.")


@bp.get("/presets/own/<kind>")
@may("editor")
def begin(kind: str) -> ResponseReturnValue:
    """A destination of one's own: the template builder."""
    if kind not in BEGINNINGS:
        raise NotFound(f"There is no kind {kind!r} of destination.")
    return editor(DestinationForm(BEGINNINGS[kind]), None, kind=kind)


@bp.post("/presets/own/<kind>")
@may("editor")
def add(kind: str) -> ResponseReturnValue:
    """Check it, show what it would send, or add it."""
    form = DestinationForm.of(request.form.get("text", ""), services().settings)
    if form.destination is None or request.form.get("do") != "save":
        return editor(tried(form, form.destination), None, kind=kind)
    try:
        with audit.doing(actor(), "destination.add", form.destination.name):
            registry.add(services().store, form.destination)
    except Changed as error:
        return editor(replace(form, mistakes=[("name", str(error))]), None, kind=kind)
    return to_page(form.destination.name, "It is owed what arrives from now on.")


def _preset_page(form: PresetForm) -> ResponseReturnValue:
    return render_template("preset.html", form=form, role=ROLES[form.preset.role]), (
        422 if form.wrong else 200
    )


def _keep(name: str, secrets: Mapping[str, str]) -> None:
    for secret, value in secrets.items():
        try:
            with audit.doing(actor(), "secret.put", name, {"secret": secret}):
                keeper = Vault(services().settings.vault_keys)
                vault.put_secret(services().store, keeper, name, secret, value)
        except (SecretRefused, ConfigurationError) as refused:
            flash(f"{secret} was not kept: {refused}", "bad")


def _preset(name: str) -> Preset:
    if (found := PRESETS.get(name)) is None:
        raise NotFound(f"There is no preset {name!r}.")
    return found
