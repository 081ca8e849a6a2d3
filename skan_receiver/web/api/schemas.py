"""`/schemas`: what conversion values mean, and publishing that."""

from datetime import UTC, datetime
from typing import Any

from flask import g
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.conversion import check
from skan_receiver.conversion.differences import differences
from skan_receiver.errors import SchemaError
from skan_receiver.storage import schemas
from skan_receiver.storage.schemas import Outdated, Publication, Published, Unpublishable
from skan_receiver.storage.schemas import Version as Stored
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.etags import number_seen
from skan_receiver.web.api.models import BigInt, FromRow, Moment
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="schemas")]

LONGEST = 256 * 1024  # characters


class OfApp(BaseModel):
    """The schema of an app."""

    app_id: BigInt


class Numbered(OfApp):
    """A version of an app's schema."""

    number: int = Field(ge=1, lt=2**31)


class Text(BaseModel):
    """A schema, as YAML."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST)


class Wanted(BaseModel):
    """When a version is to be in force, and why."""

    model_config = ConfigDict(extra="forbid")

    effective_from: Moment | None = Field(None, description="Left out: from now on.")
    rollout_hours: int = Field(0, ge=0, le=10_000, description="Until every device uses it.")
    note: str = Field("", max_length=1000, pattern=r"^[^\x00]*$")


class ToPublish(Wanted, Text):
    """A schema, and when it is to be in force."""


class BackTo(Wanted):
    """Which version says it."""

    number: int = Field(ge=1, lt=2**31)


class Version(FromRow):
    """A version, without its text."""

    app_id: int
    number: int
    content_hash: str
    encoder: str = Field(description="Who sets the values; `own`, or an MMP: then a mirror.")
    since: datetime | None = Field(description="Null: from the beginning.")
    rollout_hours: int
    published_at: datetime
    author: str
    note: str
    source: str
    state: str = Field(description="past, in force, rolling out, to come or corrected.")


class Versions(BaseModel):
    """Versions, by app and number."""

    versions: list[Version]


class Whole(Version):
    """A version with its text, and what its values mean."""

    text: str
    meanings: list[dict[str, Any]]


class Mistake(BaseModel):
    """A mistake, or a warning, which leaves a schema usable."""

    line: int
    field: str
    what: str
    warning: bool


class Checked(BaseModel):
    """All that is to be said of a schema."""

    problems: list[Mistake]


class Between(BaseModel):
    """Two versions."""

    model_config = ConfigDict(extra="forbid")

    was: int = Field(ge=1, lt=2**31)
    now: int = Field(ge=1, lt=2**31)


class Change(BaseModel):
    """Values that changed their meaning in the same way."""

    conversion: str
    window: int | None
    what: str
    was: str
    now: str


class Changes(BaseModel):
    """What changes meaning from one version to another."""

    changes: list[Change]


@bp.get("/schemas", tags=TAGS, responses={200: Versions})
def list_schemas() -> Response:
    """Every version of every app's schema."""
    return _listed(None)


@bp.post("/schemas/check", tags=TAGS, responses={200: Checked, **documented(400, 415, 422)})
def check_schema(body: Text) -> Response:
    """Every mistake and warning of a schema; stores nothing."""
    found = [
        Mistake(line=one.line, field=one.field, what=one.what, warning=one.warning)
        for one in check(f"{body.text}\n")
    ]
    return answer(Checked(problems=found))


@bp.get("/schemas/<int:app_id>", tags=TAGS, responses={200: Versions, **documented(404, 422)})
def list_versions(path: OfApp) -> Response:
    """The versions of an app's schema. Its ETag is the number of the newest."""
    return _listed(path.app_id)


@bp.post(
    "/schemas/<int:app_id>",
    tags=TAGS,
    responses={201: Version, 200: Version, **documented(400, 404, 409, 415, 422)},
)
def publish_schema(path: OfApp, body: ToPublish) -> Response:
    """Publish the next version; 200 where the newest says so already. With `If-Match` only where
    nobody published since."""
    wanted = _publication(body, body.text if "\n" in body.text else f"{body.text}\n")
    try:
        schema = schemas.read(wanted.text)
        if schema.app_id != path.app_id:
            return problem(422, f"app: {schema.app_id} is another app than {path.app_id}")
        return _published(schemas.publish(services().store, wanted, datetime.now(UTC)))
    except (SchemaError, Unpublishable) as error:
        return _refused(error)


@bp.post(
    "/schemas/<int:app_id>/rollback",
    tags=TAGS,
    responses={201: Version, 200: Version, **documented(400, 404, 409, 415, 422)},
)
def roll_back_schema(path: OfApp, body: BackTo) -> Response:
    """Publish what an earlier version says again, under a new number."""
    store = services().store
    with store.read() as connection:
        _one(schemas.history(connection, path.app_id), body.number)
    wanted, now = _publication(body, ""), datetime.now(UTC)
    try:
        return _published(schemas.roll_back(store, path.app_id, body.number, wanted, now))
    except (SchemaError, Unpublishable) as error:
        return _refused(error)


@bp.get(
    "/schemas/<int:app_id>/versions/<int:number>",
    tags=TAGS,
    responses={200: Whole, **documented(404, 422)},
)
def show_version(path: Numbered) -> Response:
    """One version: its text, and what its values mean. It never changes: its ETag is its hash."""
    with services().store.read() as connection:
        versions = schemas.history(connection, path.app_id)
    one = _one(versions, path.number)
    try:
        said = [meaning.as_dict() for meaning in schemas.read(one.text).meanings()]
    except SchemaError:  # an earlier release took it
        said = []
    states = schemas.states(versions, datetime.now(UTC))
    told = answer(Whole(**_told(one, states), text=one.text, meanings=said))
    told.set_etag(one.content_hash)
    return told


@bp.get(
    "/schemas/<int:app_id>/diff", tags=TAGS, responses={200: Changes, **documented(304, 404, 422)}
)
def diff_schema(path: OfApp, query: Between) -> Response:
    """What changes meaning from one version to another."""
    with services().store.read() as connection:
        versions = schemas.history(connection, path.app_id)
    was, now = (_one(versions, number) for number in (query.was, query.now))
    try:
        found = differences(schemas.read(was.text), schemas.read(now.text))
    except SchemaError as error:
        return _refused(error)
    told = [Change(**{name: getattr(one, name) for name in Change.model_fields}) for one in found]
    return answer(Changes(changes=told))


def _publication(wanted: Wanted, text: str) -> Publication:
    return Publication(
        text,
        effective_from=wanted.effective_from,
        rollout_hours=wanted.rollout_hours,
        author=f"key {g.grant.name}",
        note=wanted.note,
        source="api",
        base=number_seen(),
    )


def _listed(app_id: int | None) -> Response:
    with services().store.read() as connection:
        versions = schemas.history(connection, app_id)
    if app_id is not None and not versions:
        raise NotFound(f"There is no schema of app {app_id}.")
    states = schemas.states(versions, datetime.now(UTC))
    told = answer(Versions(versions=[Version(**_told(one, states)) for one in versions]))
    if app_id is not None:
        told.set_etag(str(versions[-1].number))
    return told


def _told(one: Stored, states: dict[tuple[int, int], str]) -> dict[str, Any]:
    names = set(Version.model_fields) - {"state"}
    said = {name: getattr(one, name) for name in names}
    return {**said, "state": states[one.app_id, one.number]}


def _one(versions: list[Stored], number: int) -> Stored:
    for version in versions:
        if version.number == number:
            return version
    raise NotFound(f"There is no version {number}.")


def _published(done: Published) -> Response:
    states = {(done.version.app_id, done.version.number): "in force"}
    with services().store.read() as connection:
        versions = schemas.history(connection, done.version.app_id)
    states |= schemas.states(versions, datetime.now(UTC))
    told = answer(Version(**_told(done.version, states)))
    told.status_code = 201 if done.is_new else 200
    told.set_etag(str(done.version.number))
    return told


def _refused(error: SchemaError | Unpublishable) -> Response:
    if isinstance(error, Outdated):
        return problem(409, str(error))
    faults = [
        Fault(where=f"text:{getattr(one, 'line', 1)}", what=str(one))
        for one in getattr(error, "problems", ())
    ]
    return problem(422, str(error), errors=faults)
