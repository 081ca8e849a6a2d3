"""`/destinations/{name}/test`: what one would be sent, and what it answers."""

from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import registry
from skan_receiver.delivery.registry import UnknownDestination
from skan_receiver.delivery.trial import subject, trial
from skan_receiver.delivery.trial_events import NothingToSend
from skan_receiver.errors import DeliveryFailed
from skan_receiver.protocol import Framework
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.destination import Named
from skan_receiver.web.api.models import BigInt, Tried
from skan_receiver.web.api.problems import documented, problem
from skan_receiver.web.services import services
from skan_receiver.worker import sender

TAGS: list[Tag | dict[str, Any]] = [Tag(name="destinations")]


class ToTry(BaseModel):
    """What to try a destination with, and whether to send it."""

    model_config = ConfigDict(extra="forbid")

    postback: BigInt | None = Field(None, description="A stored one; a made-up one if left out.")
    event: BigInt | None = Field(None, description="The same, for a destination of events.")
    framework: Framework | None = Field(None, description="Of the made-up one.")
    send: bool = False


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


@bp.post(
    "/destinations/<name>/test",
    tags=TAGS,
    responses={200: Trial, **documented(400, 404, 415, 422)},
)
def test_destination(path: Named, body: ToTry) -> Response:
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
