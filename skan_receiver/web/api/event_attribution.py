"""`/events/{id}/attribution`: to which ad an install was given, and why."""

from datetime import datetime
from typing import Any, Literal

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from skan_receiver.storage.attribution import NotAttributed, verdict
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, FromRow
from skan_receiver.web.api.problems import documented
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="events")]


class Numbered(BaseModel):
    """An event by its number."""

    id: BigInt


class Winner(BaseModel):
    """A click or view, without who it was."""

    id: int
    kind: Literal["click", "view"]
    at: datetime
    media_source: str
    app_id: int | None
    bundle_id: str | None
    campaign_id: str | None
    campaign_name: str | None
    adset_id: str | None
    adset_name: str | None
    ad_id: str | None
    ad_name: str | None
    site_id: str | None


class Lost(BaseModel):
    """A click or view that the install was not given to."""

    touch: int | None = Field(description="Its number; null: what Apple says of Apple Ads.")
    media_source: str
    kind: Literal["click", "view"]
    at: datetime | None = Field(description="null: Apple does not say.")
    why: str


class EventAttribution(FromRow):
    """To which ad an install was given."""

    event_id: int
    at: datetime
    media_source: str | None = Field(description="null: nobody.")
    reason: str
    touch: Winner | None = Field(
        description="null where nobody or Apple Ads has won, or the touch is past its time."
    )
    losers: list[Lost] = Field(description="The 100 that came nearest.")


@bp.get(
    "/events/<int:id>/attribution",
    tags=TAGS,
    responses={200: EventAttribution, **documented(304, 404, 422)},
)
def show_event_attribution(path: Numbered) -> Response:
    """To which ad an install was given that the app's own server told of, why, and which clicks
    and views lost."""
    try:
        with services().store.read() as connection:
            found = verdict(connection, path.id)
    except NotAttributed as error:
        raise NotFound(str(error)) from None
    return answer(EventAttribution.model_validate(found.as_dict()))
