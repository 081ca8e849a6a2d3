"""Schemas in the browser: their values, their history, and how a new version comes to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound

from skan_receiver.conversion.board import Board, boards
from skan_receiver.conversion.starters import STARTERS
from skan_receiver.errors import SchemaError
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.storage import audit, schemas
from skan_receiver.storage.schemas import Publication, Unpublishable, Version
from skan_receiver.web.access import actor, may, sees_app
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.schema_versions import asked_for, changes_between, schema_of, versions_of
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
    versions = versions_of(app_id)
    current = schemas.current(versions, now) or versions[0]
    shown = asked_for(versions, "version") or current
    compared = _compared(versions)
    return render_template(
        "schema.html",
        app_id=app_id,
        schema=schema_of(shown),
        boards=_boards(shown),
        shown=shown,
        current=current,
        versions=list(reversed(versions)),
        states=schemas.states(versions, now),
        compared=compared,
        changes=changes_between(*compared) if compared else (),
    )


@bp.post("/<int:app_id>/rollback")
@may("editor")
def roll_back(app_id: int) -> ResponseReturnValue:
    """Publish what an earlier version says again, from now on."""
    number = request.form.get("number", 0, type=int)
    account = signed_in()
    wanted = Publication("", author=account.name if account else "", source="web")
    versions = versions_of(app_id)
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


def _compared(versions: Sequence[Version]) -> tuple[Version, Version] | None:
    first, second = asked_for(versions, "from"), asked_for(versions, "to")
    return (first, second) if first and second else None


def _boards(version: Version) -> Sequence[Board]:
    schema = schema_of(version)
    return boards(schema) if schema else ()


def _listed(versions: Sequence[Version], now: datetime) -> Listed:
    current = schemas.current(versions, now)
    later = [one for one in versions if one.effective_from > now]
    coming = min(later, key=lambda one: one.effective_from, default=None)
    schema = schema_of(current or versions[-1])
    return Listed(versions[0].app_id, schema.name if schema else "", current, len(versions), coming)


def _seen(connection: Connection, now: datetime) -> list[int]:
    """Apps whose postbacks came lately."""
    period = Period(now - LATELY, now)
    rows = REPORTS["volumes"].table(connection, Question(period=period, by=("app_id",)))
    return [row["app_id"] for row in rows]
