"""`/events/{id}/decisions`: who was sent an event, who was not, and why."""

from datetime import datetime
from typing import Any, Literal

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.delivery.destinations.destination import NAME
from skan_receiver.delivery.explain import UnknownEvent, explain
from skan_receiver.delivery.registry import UnknownDestination
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, FromRow
from skan_receiver.web.api.problems import documented
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="events")]


class Numbered(BaseModel):
    """An event by its number."""

    id: BigInt


class Wanted(BaseModel):
    """For which destination."""

    model_config = ConfigDict(extra="forbid")

    destination: str | None = Field(None, pattern=NAME, description="Left out: for all.")


class EventDecision(FromRow):
    """What was decided of an event for one destination."""

    destination: str
    outcome: Literal["owed", "held", "undecided"]
    reason: str = Field(description="Why it is not owed; empty where it is.")
    withheld: dict[str, str] = Field(description="A field that is not sent, and why.")
    at: datetime | None
    delivery: int | None = Field(description="Number of the delivery, where it is owed.")
    state: str | None = Field(description="Where the delivery is on its way.")


class EventDecisions(BaseModel):
    """By destination."""

    decisions: list[EventDecision]


@bp.get(
    "/events/<int:id>/decisions",
    tags=TAGS,
    responses={200: EventDecisions, **documented(304, 404, 422)},
)
def show_event_decisions(path: Numbered, query: Wanted) -> Response:
    """Who was sent an event, who was not, and which fields were kept back, each with its reason."""
    try:
        with services().store.read() as connection:
            story = explain(connection, path.id, query.destination)
    except (UnknownEvent, UnknownDestination) as error:
        raise NotFound(str(error)) from None
    told = [EventDecision.model_validate(one) for one in story.decisions]
    return answer(EventDecisions(decisions=told))
