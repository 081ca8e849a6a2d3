"""A phone in Developer Mode: its postbacks as they arrive, read as if they were an app's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from skan_receiver.conversion import Schema, decode
from skan_receiver.errors import SchemaError
from skan_receiver.protocol import Verdict
from skan_receiver.storage import search
from skan_receiver.storage.meanings import NO_SCHEMA, UNREADABLE, Arrived
from skan_receiver.storage.schemas import Version, history, read
from skan_receiver.storage.search import Query
from skan_receiver.web.access import unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services

bp = page_blueprint("testing", __name__)
bp.before_request(unlimited_only)

LATEST = 50

# The item id of an app that Xcode has built: Apple knows of none in the App Store.
# https://developer.apple.com/documentation/adattributionkit/testing-adattributionkit-with-developer-mode
BUILT_BY_XCODE = 0


@dataclass(frozen=True, slots=True)
class Test:
    """A development postback, and what it means for its app, or for the chosen one."""

    row: Any
    meaning: str


@bp.get("/settings/test")
def tests() -> ResponseReturnValue:
    """Development postbacks, the newest first; the page reloads itself."""
    development = Query(verdict=Verdict.DEVELOPMENT.value)
    with services().store.read() as connection:
        rows, _ = search.find(connection, services().settings, development, limit=LATEST)
        newest = _newest(connection, datetime.now(UTC))
    chosen = _chosen(list(newest))
    shown = [Test(row, _meaning(row, newest, chosen)) for row in rows]
    return render_template("testing.html", tests=shown, apps=list(newest), chosen=chosen)


def _newest(connection: Connection, now: datetime) -> dict[int, Version]:
    """Each app's version in force: a phone in Developer Mode has set its value minutes ago."""
    versions = [v for v in history(connection) if v.effective_from <= now]
    # Of two that begin together the later one stands.
    versions.sort(key=lambda v: (v.app_id, v.effective_from, v.number))
    return {version.app_id: version for version in versions}


def _chosen(apps: Sequence[int]) -> int | None:
    """The app whose schema reads item id 0; the first one unless somebody chose."""
    asked = request.args.get("app", type=int)
    return asked if asked in apps else next(iter(apps), None)


def _meaning(row: Any, newest: Mapping[int, Version], chosen: int | None) -> str:
    arrived = Arrived.of(row, row.received_at)
    if row.app_id == BUILT_BY_XCODE and chosen is not None:
        arrived = replace(arrived, app_id=chosen)
    if (version := newest.get(arrived.app_id)) is None:
        return NO_SCHEMA
    try:
        said = decode(arrived, _compiled(version.text))
    except SchemaError:
        return UNREADABLE
    label = said.meaning.label if said.meaning else ""
    return f"{label}: {said}" if label else str(said)


@lru_cache(maxsize=64)
def _compiled(text: str) -> Schema:
    return read(text)
