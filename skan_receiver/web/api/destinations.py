"""`/destinations`: where results go."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import Entry, registry
from skan_receiver.delivery.registry import Changed, UnknownDestination
from skan_receiver.delivery.save import Mistakes, checked, named
from skan_receiver.delivery.search import tallies
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.destination import Destination, Named, told_of
from skan_receiver.web.api.etags import number_seen
from skan_receiver.web.api.paging import NEXT, ByName
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="destinations")]


class Written(BaseModel):
    """A destination's definition: its fields are those of docs/destinations.md."""

    model_config = ConfigDict(extra="forbid")

    definition: dict[str, Any] = Field(examples=[{"name": "mmp", "url": "https://mmp.example/in"}])
    paused: bool = Field(False, description="For a new one: owe it, and send nothing yet.")


class Destinations(BaseModel):
    """Some destinations, by name."""

    destinations: list[Destination]
    next_cursor: str | None = Field(description=NEXT)


class GivenUp(BaseModel):
    """What removing a destination came to."""

    given_up: int = Field(description="Deliveries that were still owed; dead letters now.")


@bp.get("/destinations", tags=TAGS, responses={200: Destinations, **documented(422)})
def list_destinations(query: ByName) -> Response:
    """Destinations, and how they are doing."""
    with services().store.read() as connection:
        counts, known = tallies(connection), registry.readable(connection)[0]
        # By our own order: the database's may be another language's.
        left = sorted((one for one in known if one.name > query.after), key=attrgetter("name"))
        entries, more = query.cut(left)
        told = [told_of(connection, one, counts) for one in entries]
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
        told = told_of(connection, entry, tallies(connection))
    response = answer(told)
    response.status_code = status
    response.set_etag(str(entry.revision))
    return response
