"""What people look at after signing in. Everything works without JavaScript."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound

from skan_receiver.conversion.timing import evaluated, installed
from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import search
from skan_receiver.storage.checks import checks_since
from skan_receiver.storage.columns import hour_of
from skan_receiver.storage.meanings import meanings, rest, share
from skan_receiver.storage.search import Query, Story
from skan_receiver.web import cursor, dashboard, session, words
from skan_receiver.web.access import limits, sees_app, sees_network
from skan_receiver.web.api.bundle import bundle_file
from skan_receiver.web.expected import Expected
from skan_receiver.web.navigation import navigation
from skan_receiver.web.operations import unusual
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.provider import provider
from skan_receiver.web.searching import Search
from skan_receiver.web.services import base_url, services
from skan_receiver.web.steps import steps_left
from skan_receiver.web.vendored import HTMX, LIBRARIES, grid_files

# "Verifying an install-validation postback": Apple's example, and Apple's signature.
# https://developer.apple.com/documentation/storekit/verifying-an-install-validation-postback
EXAMPLE = """{
  "version": "4.0", "ad-network-id": "com.example", "source-identifier": "5239",
  "app-id": 525463029, "transaction-id": "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30",
  "redownload": false, "source-domain": "example.com", "fidelity-type": 1, "did-win": true,
  "conversion-value": 63, "postback-sequence-index": 0,
  "attribution-signature": "MEUCIGRmSMrqedNu6uaHyhVcifs118R5z/AB6cvRaKrRRHWRAiEAv96ne3dKQ5kJpbsfk4eYiePmrZUU6sQmo+7zfP/1Bxo="
}"""  # noqa: E501  # a signature has no place to break

WEEK = timedelta(days=7)

bp = page_blueprint("pages", __name__)


@bp.record
def _print(state: BlueprintSetupState) -> None:
    """Whatever a template prints, and strangers may have written, is made visible in one place."""
    state.app.jinja_env.finalize = words.on_pages


@bp.app_context_processor
def _everywhere() -> dict[str, Any]:
    """For every template. Called when one is rendered, so never for Apple's devices."""
    return {
        "csrf_token": session.csrf_token,
        "htmx": HTMX,
        "grid_files": grid_files,
        "navigation": navigation,
        "provider": provider,
        "signed_in": session.signed_in,
        "warnings": unusual(services()),
        "words": words,
    }


@bp.get("/")
def home() -> ResponseReturnValue:
    """How it goes; before anything came, what to do so that something comes."""
    now, account = datetime.now(UTC), session.signed_in()
    with services().store.read() as connection:
        view = dashboard.look(
            connection, services().settings, request.args.get("span", ""), now, limits()
        )
        if account and account.may("admin"):
            view = replace(view, steps_left=steps_left(connection, services().settings, now))
        checks = checks_since(connection, now - WEEK, now)
    if view.any:
        told = {"checks": checks, "settings": services().settings}
        return render_template("dashboard.html", view=view, libraries=LIBRARIES, **told)
    public = services().settings.public_url.rstrip("/")
    expected = Expected.of(request.args.get("released", ""))
    return render_template(
        "setup.html", base=base_url(), public=public, example=EXAMPLE, expected=expected
    )


@bp.get("/revenue")
def revenue() -> ResponseReturnValue:
    """What a span's values tell of revenue: a part of the first page that may take a moment."""
    asked, now = request.args.get("span", ""), datetime.now(UTC)
    span = asked if asked in dashboard.SPANS else dashboard.USUAL
    with services().store.read() as connection:
        rows = dashboard.revenue(connection, span, now, limits())
    return render_template("revenue.html", rows=rows, span=span)


@bp.get("/postbacks")
def postbacks() -> ResponseReturnValue:
    """What is stored, the newest first."""
    asked = Search.of(request.args)
    if asked.wrong:
        return render_template("postbacks.html", rows=(), more=None, pause=None, asked=asked), 422
    with services().store.read() as connection:
        rows, place = search.find(
            connection, services().settings, asked.query, after=asked.after, limit=50
        )
        told = search.kept(connection) if "id" in asked.typed and not rows else None
        checks = checks_since(connection, told.since, datetime.now(UTC)) if told else None
    more = asked.url(cursor=cursor.written(place)) if place else None
    pause = place.received_at if place and place.is_pause else None
    return render_template(
        "postbacks.html",
        rows=rows,
        more=more,
        pause=pause,
        asked=asked,
        told=told,
        checks=checks,
        settings=services().settings,
    )


@bp.get("/postbacks/<int:stored_id>")
def postback(stored_id: int) -> ResponseReturnValue:
    """One postback's story."""
    with services().store.read() as connection:
        story = _story(connection, stored_id)
        apps, networks = limits()
        same = Query(id=story.row.postback_id, apps=apps, networks=networks)
        others, _ = search.find(connection, services().settings, same)
        readings = meanings(connection, story.row, story.row.received_at)
    row, hour = story.row, hour_of(story.row.received_at)
    return render_template(
        "postback.html",
        story=story,
        row=row,
        readings=readings,
        before=share(left) if readings and (left := rest(readings)) else None,
        installed=installed(row.version, row.window, hour),
        evaluated=evaluated(row.version, row.window, hour),
        signed=search.SIGNED,
        unsigned=search.UNSIGNED,
        folder=services().settings.schemas,
        others=[other for other in others if other.id != row.id],
    )


@bp.get("/postbacks/<int:stored_id>/bundle.zip")
def bundled(stored_id: int) -> ResponseReturnValue:
    """The same to take away, with what it takes to verify it elsewhere."""
    with services().store.read() as connection:
        story = _story(connection, stored_id)
        readings = meanings(connection, story.row, story.row.received_at)
    return bundle_file(story, readings)


def _story(connection: Connection, stored_id: int) -> Story:
    """Of one that whoever is signed in may see."""
    story = search.story(connection, services().settings, min(stored_id, 2**63 - 1))
    if story is None or not (sees_app(story.row.app_id) and sees_network(story.row.ad_network_id)):
        raise NotFound(f"There is no postback {stored_id}.")
    return story


@bp.app_errorhandler(StoreUnavailable)
def unavailable(_error: StoreUnavailable) -> ResponseReturnValue:
    """The database does not answer. Apple's endpoints have their own answer to that."""
    return render_template("unavailable.html"), 503, {"Retry-After": "5"}
