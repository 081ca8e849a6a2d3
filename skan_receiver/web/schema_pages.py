"""Schemas in the browser: their values, their history, and how a new version comes to be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound

from skan_receiver.conversion import Schema
from skan_receiver.conversion.board import Board, boards
from skan_receiver.conversion.building import STARTERS, new_schema
from skan_receiver.conversion.differences import Difference, differences
from skan_receiver.errors import SchemaError
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.storage import audit, schemas
from skan_receiver.storage.schemas import Outdated, Publication, Unpublishable, Version
from skan_receiver.web.access import actor, may, sees_app
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.schema_form import SchemaForm
from skan_receiver.web.services import services
from skan_receiver.web.session import signed_in

bp = page_blueprint("schemas", __name__, "/schemas")

LATELY = timedelta(days=35)  # how far back an app without a schema is looked for


@dataclass(frozen=True, slots=True)
class Listed:
    """An app with its schema."""

    app_id: int
    name: str
    current: Version | None
    versions: int
    coming: Version | None


@bp.get("")
def listing() -> ResponseReturnValue:
    """The apps that have a schema, and those that have postbacks and none."""
    now = datetime.now(UTC)
    with services().store.read() as connection:
        versions = [one for one in schemas.history(connection) if sees_app(one.app_id)]
        known = {one.app_id for one in versions}
        without = [app for app in _seen(connection, now) if app not in known and sees_app(app)]
    listed = [_listed([v for v in versions if v.app_id == app], now) for app in sorted(known)]
    return render_template("schemas.html", listed=listed, without=without, models=tuple(STARTERS))


@bp.get("/<int:app_id>")
def show(app_id: int) -> ResponseReturnValue:
    """One app's schema: what every value means, and how it came to be."""
    now = datetime.now(UTC)
    versions = _versions(app_id)
    current = schemas.current(versions, now) or versions[0]
    shown = _asked(versions, "version") or current
    compared = _compared(versions)
    return render_template(
        "schema.html",
        app_id=app_id,
        schema=_read(shown),
        boards=_boards(shown),
        shown=shown,
        current=current,
        versions=list(reversed(versions)),
        states=schemas.states(versions, now),
        compared=compared,
        changes=_changes(*compared) if compared else (),
    )


@bp.get("/new")
@may("editor")
def new() -> ResponseReturnValue:
    """To the editor of an app, with a model to begin with."""
    app_id = request.args.get("app_id", type=int)
    if not app_id or not 0 < app_id < 2**63:
        flash("App: the number in its App Store address, as in 525463029.", "bad")
        return redirect(url_for("schemas.listing"), 303)
    model = request.args.get("model", "rules")
    return redirect(url_for("schemas.edit", app_id=app_id, model=model), 303)


@bp.get("/<int:app_id>/edit")
@may("editor")
def edit(app_id: int) -> ResponseReturnValue:
    """The editor: the newest version, or a beginning."""
    versions = _versions(app_id, must=False)
    last = _asked(versions, "version") or (versions[-1] if versions else None)
    model = request.args.get("model", "rules")
    text = last.text if last else new_schema(app_id, model if model in STARTERS else "rules")
    base = versions[-1].number if versions else 0
    return _edited(SchemaForm(app_id, text, base=base))


@bp.post("/<int:app_id>/edit")
@may("editor")
def work(app_id: int) -> ResponseReturnValue:
    """A button of the editor: change the text by form, check it, try it, go on to publish."""
    form = SchemaForm.of(request.form, app_id, datetime.now(UTC)).built(request.form)
    _versions(app_id, must=False)
    if form.do != "review":
        return _edited(form)
    if form.mistakes or form.wrong:
        return _edited(form)
    return _review(form)


@bp.post("/<int:app_id>/check")
@may("editor")
def check(app_id: int) -> ResponseReturnValue:
    """What the editor says of the text as it is typed: the part of the page beside it."""
    form = SchemaForm.of(request.form, app_id, datetime.now(UTC))
    return render_template("schema_checked.html", form=form, boards=_of_form(form))


@bp.post("/<int:app_id>/publish")
@may("editor")
def publish(app_id: int) -> ResponseReturnValue:
    """Make it the next version; where somebody was quicker, show both."""
    form = SchemaForm.of(request.form, app_id, datetime.now(UTC))
    _versions(app_id, must=False)
    if form.mistakes:
        return _edited(replace(form, do="review"))
    if form.wrong:
        return _review(form)
    wanted = _publication(form)
    try:
        with audit.doing(actor(), "schema.publish", str(app_id), {"note": form.note}):
            done = schemas.publish(services().store, wanted, datetime.now(UTC))
    except Outdated as outdated:
        return _conflict(form, outdated.newest)
    except Unpublishable as refused:
        return _review(replace(form, wrong={"effective_from": str(refused)}))
    number = done.version.number
    said = (
        f"Version {number} is published." if done.is_new else f"Version {number} says so already."
    )
    flash(said, "good")
    return redirect(url_for("schemas.show", app_id=app_id), 303)


@bp.post("/<int:app_id>/rollback")
@may("editor")
def roll_back(app_id: int) -> ResponseReturnValue:
    """Publish what an earlier version says again, from now on."""
    number = request.form.get("number", 0, type=int)
    account = signed_in()
    wanted = Publication("", author=account.name if account else "", source="web")
    versions = _versions(app_id)
    if number not in {version.number for version in versions}:
        raise NotFound(f"App {app_id} has no version {number}.")
    try:
        with audit.doing(actor(), "schema.roll_back", str(app_id), {"to": number}):
            done = schemas.roll_back(services().store, app_id, number, wanted, datetime.now(UTC))
    except (SchemaError, Unpublishable) as refused:
        flash(f"Version {number} cannot be published again: {refused}", "bad")
        return redirect(url_for("schemas.show", app_id=app_id), 303)
    flash(
        f"Version {done.version.number} says again what version {number} says."
        if done.is_new
        else f"Version {done.version.number} says so already.",
        "good",
    )
    return redirect(url_for("schemas.show", app_id=app_id), 303)


def _edited(form: SchemaForm) -> ResponseReturnValue:
    versions = _versions(form.app_id, must=False)
    page = render_template(
        "schema_edit.html",
        form=form,
        boards=_of_form(form),
        newest=versions[-1] if versions else None,
        models=tuple(STARTERS),
    )
    return page, 422 if form.wrong or (form.do == "review" and form.mistakes) else 200


def _review(form: SchemaForm) -> ResponseReturnValue:
    """What would change, once more before it does."""
    versions = _versions(form.app_id, must=False)
    if versions and versions[-1].number != form.base:
        return _conflict(form, versions[-1])
    before = schemas.last_of(versions) if versions else None
    changes = differences(read, form.schema) if (read := _read(before)) and form.schema else ()
    page = render_template("schema_publish.html", form=form, before=before, changes=changes)
    return page, 422 if form.wrong else 200


def _conflict(form: SchemaForm, newest: Version) -> ResponseReturnValue:
    """Two at once: what the other changed, what is changed here, and the text to go on from."""
    versions = _versions(form.app_id)
    base = next((version for version in versions if version.number == form.base), None)
    theirs = _changes(base, newest) if base else ()
    ours = differences(read, form.schema) if (read := _read(newest)) and form.schema else ()
    page = render_template(
        "schema_conflict.html", form=form, newest=newest, theirs=theirs, ours=ours
    )
    return page, 409


def _publication(form: SchemaForm) -> Publication:
    account = signed_in()
    return Publication(
        form.text,
        effective_from=form.effective_from,
        rollout_hours=form.rollout_hours,
        author=account.name if account else "",
        note=form.note,
        source="web",
        base=form.base,
    )


def _of_form(form: SchemaForm) -> Sequence[Board]:
    """Its boards; while it has mistakes, those of the newest version, with the mistakes on them."""
    if (shown := form.schema) is None:
        versions = _versions(form.app_id, must=False)
        shown = _read(versions[-1]) if versions else None
    return boards(shown, form.faults) if shown else ()


def _versions(app_id: int, *, must: bool = True) -> list[Version]:
    if not 0 < app_id < 2**63 or not sees_app(app_id):
        raise NotFound(f"There is no schema of app {app_id}.")
    with services().store.read() as connection:
        versions = schemas.history(connection, app_id)
    if must and not versions:
        raise NotFound(f"There is no schema of app {app_id}.")
    return versions


def _asked(versions: Sequence[Version], name: str) -> Version | None:
    """The version that the address names."""
    number = request.args.get(name, type=int)
    return next((version for version in versions if version.number == number), None)


def _compared(versions: Sequence[Version]) -> tuple[Version, Version] | None:
    first, second = _asked(versions, "from"), _asked(versions, "to")
    return (first, second) if first and second else None


def _changes(one: Version, other: Version) -> Sequence[Difference]:
    was, is_now = _read(one), _read(other)
    return differences(was, is_now) if was and is_now else ()


def _boards(version: Version) -> Sequence[Board]:
    schema = _read(version)
    return boards(schema) if schema else ()


def _read(version: Version | None) -> Schema | None:
    """Its schema; None where an earlier release took what this one refuses."""
    try:
        return schemas.read(version.text) if version else None
    except SchemaError:
        return None


def _listed(versions: Sequence[Version], now: datetime) -> Listed:
    current = schemas.current(versions, now)
    later = [one for one in versions if one.effective_from > now]
    coming = min(later, key=lambda one: one.effective_from, default=None)
    schema = _read(current or versions[-1])
    return Listed(versions[0].app_id, schema.name if schema else "", current, len(versions), coming)


def _seen(connection: Connection, now: datetime) -> list[int]:
    """Apps whose postbacks came lately."""
    period = Period(now - LATELY, now)
    rows = REPORTS["volumes"].table(connection, Question(period=period, by=("app_id",)))
    return [row["app_id"] for row in rows]
