"""The editor of schemas: from a text to the next version."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skan_receiver.conversion.board import Board, boards
from skan_receiver.conversion.building import new_schema
from skan_receiver.conversion.differences import differences
from skan_receiver.conversion.starters import STARTERS, TAKES
from skan_receiver.storage import audit, schemas
from skan_receiver.storage.schemas import Outdated, Publication, Unpublishable, Version
from skan_receiver.web.access import actor, may
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.schema_form import SchemaForm
from skan_receiver.web.schema_versions import asked_for, changes_between, schema_of, versions_of
from skan_receiver.web.services import services
from skan_receiver.web.session import signed_in

bp = page_blueprint("schema_editor", __name__, "/schemas")


@bp.get("/new")
@may("editor")
def new() -> ResponseReturnValue:
    """To the editor of an app, with a model to begin with."""
    app_id = request.args.get("app_id", type=int)
    if not app_id or not 0 < app_id < 2**63:
        flash("App: the number in its App Store address, as in 525463029.", "bad")
        return redirect(url_for("schemas.listing"), 303)
    model = request.args.get("model", "rules")
    return redirect(url_for("schema_editor.edit", app_id=app_id, model=model), 303)


@bp.get("/<int:app_id>/edit")
@may("editor")
def edit(app_id: int) -> ResponseReturnValue:
    """The editor: the newest version, or a beginning."""
    versions = versions_of(app_id, must=False)
    last = asked_for(versions, "version") or (versions[-1] if versions else None)
    model = request.args.get("model", "rules")
    text = last.text if last else new_schema(app_id, model if model in STARTERS else "rules")
    base = versions[-1].number if versions else 0
    return _edited(SchemaForm(app_id, text, base=base))


@bp.post("/<int:app_id>/edit")
@may("editor")
def work(app_id: int) -> ResponseReturnValue:
    """A button of the editor: change the text by form, check it, try it, go on to publish."""
    form = SchemaForm.of(request.form, app_id, datetime.now(UTC)).built(request.form)
    versions_of(app_id, must=False)
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
    versions_of(app_id, must=False)
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


def _edited(form: SchemaForm) -> ResponseReturnValue:
    versions = versions_of(form.app_id, must=False)
    page = render_template(
        "schema_edit.html",
        form=form,
        boards=_of_form(form),
        newest=versions[-1] if versions else None,
        models=tuple(STARTERS),
        takes=TAKES,
    )
    return page, 422 if form.wrong or (form.do == "review" and form.mistakes) else 200


def _review(form: SchemaForm) -> ResponseReturnValue:
    """What would change, once more before it does."""
    versions = versions_of(form.app_id, must=False)
    if versions and versions[-1].number != form.base:
        return _conflict(form, versions[-1])
    before = schemas.last_of(versions) if versions else None
    changes = differences(read, form.schema) if (read := schema_of(before)) and form.schema else ()
    page = render_template("schema_publish.html", form=form, before=before, changes=changes)
    return page, 422 if form.wrong else 200


def _conflict(form: SchemaForm, newest: Version) -> ResponseReturnValue:
    """Two at once: what the other changed, what is changed here, and the text to go on from."""
    versions = versions_of(form.app_id)
    base = next((version for version in versions if version.number == form.base), None)
    theirs = changes_between(base, newest) if base else ()
    ours = differences(read, form.schema) if (read := schema_of(newest)) and form.schema else ()
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
        versions = versions_of(form.app_id, must=False)
        shown = schema_of(versions[-1]) if versions else None
    return boards(shown, form.faults) if shown else ()
