"""`/postbacks`: what is stored."""

from typing import Any, Literal

from flask import request
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from skan_receiver.protocol import Framework, Verdict
from skan_receiver.storage import search
from skan_receiver.storage.meanings import meanings
from skan_receiver.storage.search import Query
from skan_receiver.web import cursor
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.bundle import bundle_file
from skan_receiver.web.api.models import (
    BigInt,
    Moment,
    NetworkId,
    Page,
    Postback,
    PostbackStory,
    VersionText,
    postback_of,
    story_of,
)
from skan_receiver.web.api.paging import ByPlace
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.body import BadBody, read_body
from skan_receiver.web.searching import value_of
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="postbacks")]

LONGEST_ID = 200


class Wanted(ByPlace):
    """Which postbacks. What is left out does not narrow."""

    id: str | None = Field(None, max_length=LONGEST_ID, description="Apple's id, in either case.")
    app_id: BigInt | None = None
    ad_network_id: NetworkId | None = None
    framework: Framework | None = None
    version: VersionText | None = None
    window: int | None = Field(None, ge=0, le=2)
    verdict: Verdict | None = None
    fine_value: int | None = Field(None, ge=0, le=63)
    coarse_value: Literal["low", "medium", "high"] | None = None
    source_identifier: str | None = Field(None, pattern=r"^[0-9]{2,4}$")
    counted: bool | None = None
    since: Moment | None = None
    until: Moment | None = Field(None, description="Left out itself.")


class Numbered(BaseModel):
    """A postback by its number here."""

    id: BigInt


@bp.get("/postbacks", tags=TAGS, responses={200: Page, **documented(422)})
def list_postbacks(query: Wanted) -> Response:
    """Stored postbacks, the newest first."""
    return _page(Query(**query.model_dump(exclude={"limit", "cursor"})), query)


@bp.post(
    "/postbacks/find",
    tags=TAGS,
    request_body={
        "description": "A postback as Apple sent it, its JWS alone, or its id. At most 16 KiB.",
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    },
    responses={200: Page, **documented(400, 413, 422)},
)
def find_postback(query: ByPlace) -> Response:
    """Stored postbacks with the id that is in this body. Whether they say the same as it is not
    looked at: `/verify` judges a body. Stores nothing."""
    try:
        text = read_body(request.environ).decode("utf-8").strip()
        wanted = value_of("id", text)
    except BadBody as fault:
        return problem(fault.status, str(fault))
    except UnicodeDecodeError:
        return _no_id("this is no text: send the postback's JSON, its JWS or its id, as UTF-8")
    except ValueError as fault:
        return _no_id(str(fault))
    if not text or len(str(wanted)) > LONGEST_ID:
        return _no_id(
            f"send a postback's JSON, its JWS, or its id of up to {LONGEST_ID} characters"
        )
    return _page(Query(id=str(wanted)), query)


@bp.get(
    "/postbacks/<int:id>", tags=TAGS, responses={200: PostbackStory, **documented(304, 404, 422)}
)
def show_postback(path: Numbered) -> Response:
    """One postback: its evidence, arrivals, collisions, deliveries and meaning."""
    with services().store.read() as connection:
        story = search.story(connection, services().settings, path.id)
        if story is None:
            raise NotFound(f"There is no postback {path.id}.")
        readings = meanings(connection, story.row, story.row.received_at)
    return answer(story_of(story, readings))


@bp.get(
    "/postbacks/<int:id>/bundle",
    tags=TAGS,
    responses={200: {"content": {"application/zip": {}}}, **documented(304, 404, 422)},
)
def bundle_postback(path: Numbered) -> Response:
    """One postback as a zip: body and signed text byte for byte, signature, key, and its story."""
    with services().store.read() as connection:
        story = search.story(connection, services().settings, path.id)
        if story is None:
            raise NotFound(f"There is no postback {path.id}.")
        readings = meanings(connection, story.row, story.row.received_at)
    return bundle_file(story, readings)


def _page(asked: Query, paged: ByPlace) -> Response:
    with services().store.read() as connection:
        rows, place = search.find(
            connection, services().settings, asked, after=paged.after, limit=paged.limit
        )
    page = {
        "postbacks": [Postback.model_validate(postback_of(row)) for row in rows],
        "next_cursor": cursor.written(place) if place else None,
    }
    return answer(Page.model_validate(page))


def _no_id(why: str) -> Response:
    return problem(422, f"body: {why}", errors=[Fault(where="body", what=why)])
