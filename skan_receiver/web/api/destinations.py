"""`/destinations`: where results go."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from operator import attrgetter
from typing import Any

from flask import g
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import Entry, Vault, documents, registry, vault
from skan_receiver.delivery.destinations.destination import NAME
from skan_receiver.delivery.registry import Changed, UnknownDestination
from skan_receiver.delivery.save import Mistakes, checked, named
from skan_receiver.delivery.search import tallies
from skan_receiver.delivery.trial import subject, trial
from skan_receiver.delivery.trial_events import NothingToSend
from skan_receiver.delivery.vault import LONGEST, SecretRefused
from skan_receiver.errors import DeliveryFailed
from skan_receiver.protocol import Framework
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.etags import number_seen
from skan_receiver.web.api.models import BigInt, Tried
from skan_receiver.web.api.paging import NEXT, ByName
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.services import services
from skan_receiver.worker import sender

TAGS: list[Tag | dict[str, Any]] = [Tag(name="destinations")]

HIDDEN = "•••"


class Named(BaseModel):
    """A destination by its name."""

    name: str = Field(pattern=NAME)


class NamedSecret(Named):
    """A secret of a destination, by its name."""

    secret: str = Field(pattern=NAME)


class Written(BaseModel):
    """A destination's definition: its fields are those of docs/destinations.md."""

    model_config = ConfigDict(extra="forbid")

    definition: dict[str, Any] = Field(examples=[{"name": "mmp", "url": "https://mmp.example/in"}])
    paused: bool = Field(False, description="For a new one: owe it, and send nothing yet.")


class Value(BaseModel):
    """A secret's value."""

    model_config = ConfigDict(extra="forbid")

    value: str = Field(min_length=1, max_length=LONGEST)


class Tested(BaseModel):
    """What to try a destination with, and whether to send it."""

    model_config = ConfigDict(extra="forbid")

    postback: BigInt | None = Field(None, description="A stored one; a made-up one if left out.")
    event: BigInt | None = Field(None, description="The same, for a destination of events.")
    framework: Framework | None = Field(None, description="Of the made-up one.")
    send: bool = False


class Destination(BaseModel):
    """A destination, and how it is doing."""

    name: str
    kind: str
    state: str = Field(description="In a few words: active, paused, failing.")
    paused: bool
    paused_because: str = Field(description="Empty where a person paused it.")
    since: datetime = Field(description="It is owed what arrives from then on.")
    failing_since: datetime | None
    revision: int = Field(description="Each change adds one; the ETag.")
    definition: dict[str, Any] = Field(
        description="As it was written. URLs and headers are masked for a key that may only read."
    )
    secrets: list[str] = Field(description="By name; nobody can read them back.")
    deliveries: dict[str, int] = Field(
        description="How many are owed, leased (being sent) and dead (given up)."
    )


class Destinations(BaseModel):
    """Some destinations, by name."""

    destinations: list[Destination]
    next_cursor: str | None = Field(description=NEXT)


class GivenUp(BaseModel):
    """What removing a destination came to."""

    given_up: int = Field(description="Deliveries that were still owed; dead letters now.")


class Request(BaseModel):
    """A request, with secrets masked."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


class Sent(Tried):
    """What came of sending it."""

    taken: bool


class Trial(BaseModel):
    """What would be sent; and what came of it, where it was."""

    request: Request
    sent: Sent | None


@bp.get("/destinations", tags=TAGS, responses={200: Destinations, **documented(422)})
def list_destinations(query: ByName) -> Response:
    """Destinations, and how they are doing."""
    with services().store.read() as connection:
        counts, known = tallies(connection), registry.readable(connection)[0]
        # By our own order: the database's may be another language's.
        left = sorted((one for one in known if one.name > query.after), key=attrgetter("name"))
        entries, more = query.cut(left)
        told = [_told(connection, one, counts) for one in entries]
    return answer(Destinations(destinations=told, next_cursor=more))


@bp.post("/destinations", tags=TAGS, responses={201: Destination, **documented(400, 409, 415, 422)})
def add_destination(body: Written) -> Response:
    """Add a destination: it is owed what arrives from now on."""
    return _saved(lambda: registry.add(services().store, _checked(body), paused=body.paused), 201)


@bp.get("/destinations/<name>", tags=TAGS, responses={200: Destination, **documented(404, 422)})
def show_destination(path: Named) -> Response:
    """One destination."""
    return _shown(path.name)


@bp.put(
    "/destinations/<name>",
    tags=TAGS,
    responses={200: Destination, **documented(400, 404, 409, 415, 422)},
)
def change_destination(path: Named, body: Written) -> Response:
    """Give a destination another definition. With `If-Match`, only where nobody changed it
    meanwhile. What is owed already stays owed."""
    revision = number_seen()
    body = body.model_copy(update={"definition": {**body.definition, "name": path.name}})
    return _saved(lambda: registry.change(services().store, _checked(body), revision=revision), 200)


@bp.delete("/destinations/<name>", tags=TAGS, responses={200: GivenUp, **documented(404, 422)})
def remove_destination(path: Named) -> Response:
    """Forget a destination and its secrets; what is still owed to it is given up, on record."""
    try:
        return answer(GivenUp(given_up=registry.remove(services().store, path.name)))
    except UnknownDestination as error:
        raise NotFound(str(error)) from None


@bp.post(
    "/destinations/<name>/pause", tags=TAGS, responses={200: Destination, **documented(404, 422)}
)
def pause_destination(path: Named) -> Response:
    """Send it nothing more for now; it is owed all the same."""
    return _done(path.name, registry.pause)


@bp.post(
    "/destinations/<name>/resume", tags=TAGS, responses={200: Destination, **documented(404, 422)}
)
def resume_destination(path: Named) -> Response:
    """Go on sending to it, with what has waited first."""
    return _done(path.name, registry.resume)


@bp.post(
    "/destinations/<name>/test",
    tags=TAGS,
    responses={200: Trial, **documented(400, 404, 415, 422)},
)
def test_destination(path: Named, body: Tested) -> Response:
    """Show what it would be sent, and with `send` what it answers. Counts nothing."""
    store, settings = services().store, services().settings
    sending = sender(settings, store)
    try:
        with store.read() as connection:
            destination = registry.find(connection, path.name).destination
            stored_id = body.postback if body.event is None else body.event
            about = subject(connection, destination, stored_id, body.framework)
        tried = trial(sending, destination, about, send=body.send)
    except (UnknownDestination, NothingToSend) as error:
        raise NotFound(str(error)) from None
    except DeliveryFailed as failure:
        return problem(422, f"nothing can be sent: {failure}")
    finally:
        sending.close()
    return answer(Trial.model_validate(tried.as_dict()))


@bp.put(
    "/destinations/<name>/secrets/<secret>",
    tags=TAGS,
    responses={204: None, **documented(400, 404, 415, 422)},
)
def put_secret(path: NamedSecret, body: Value) -> Response:
    """Keep a secret of a destination; nobody can read it back."""
    keeper = Vault(services().settings.vault_keys)
    try:
        vault.put_secret(services().store, keeper, path.name, path.secret, body.value)
    except UnknownDestination as error:
        raise NotFound(str(error)) from None
    except SecretRefused as refused:
        return problem(422, f"value: {refused}")
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.delete(
    "/destinations/<name>/secrets/<secret>",
    tags=TAGS,
    responses={204: None, **documented(404, 422)},
)
def remove_secret(path: NamedSecret) -> Response:
    """Forget a secret; what needs it will fail, and say so."""
    try:
        vault.remove_secret(services().store, path.name, path.secret)
    except UnknownDestination as error:
        raise NotFound(str(error)) from None
    return Response(status=HTTPStatus.NO_CONTENT)


def _checked(body: Written) -> Any:
    return checked(body.definition, services().settings)


def _saved(save: Callable[[], Entry], status: int) -> Response:
    try:
        entry = save()
    except Mistakes as error:
        faults = [Fault(where=named(path), what=what) for path, what in error.mistakes]
        return problem(422, str(error), errors=faults)
    except UnknownDestination as error:
        raise NotFound(str(error)) from None
    except Changed as error:
        return problem(409, str(error))
    return _shown(entry.name, status)


def _done(name: str, verb: Callable[[Any, str], None]) -> Response:
    try:
        verb(services().store, name)
    except UnknownDestination as error:
        raise NotFound(str(error)) from None
    return _shown(name)


def _shown(name: str, status: int = 200) -> Response:
    with services().store.read() as connection:
        try:
            entry = registry.find(connection, name)
        except UnknownDestination as error:
            raise NotFound(str(error)) from None
        told = _told(connection, entry, tallies(connection))
    response = answer(told)
    response.status_code = status
    response.set_etag(str(entry.revision))
    return response


def _told(connection: Connection, entry: Entry, counts: dict[str, dict[str, int]]) -> Destination:
    return Destination(
        name=entry.name,
        kind=entry.destination.kind,
        state=entry.state,
        paused=entry.paused,
        paused_because=entry.paused_because,
        since=entry.since,
        failing_since=entry.failing_since,
        revision=entry.revision,
        definition=_definition(entry),
        secrets=[row.name for row in vault.secret_names(connection, entry.name)],
        deliveries=counts.get(entry.name, {}),
    )


def _definition(entry: Entry) -> dict[str, Any]:
    """As it was written; a key written into a URL or a header is not for everybody."""
    said = documents.described_as(entry)
    said.pop(documents.PAUSED, None)
    if g.grant.allows("write"):
        return said
    if "url" in said:
        urls = entry.destination.masked
        each = isinstance(said["url"], dict)
        said["url"] = dict(zip(said["url"], urls, strict=True)) if each else urls[0]
    if "headers" in said:
        said["headers"] = dict.fromkeys(said["headers"], HIDDEN)
    return said
