"""`/checks`: whether the endpoint answered, each time it was asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from skan_receiver.storage.checks import MOST_ROWS, checks_since
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import FromRow, Moment
from skan_receiver.web.api.problems import documented
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="alerts")]

USUAL = timedelta(days=7)


class From(BaseModel):
    """From when on."""

    since: Moment | None = Field(None, description="Left out: of the last seven days.")


class Trouble(FromRow):
    """A time in which it is not known that it answered."""

    since: datetime
    until: datetime
    fault: str
    is_unchecked: bool = Field(description="Nobody asked.")


class Checks(FromRow):
    """What the worker found, which asks every minute: of the last time where none was since."""

    since: datetime | None = Field(None, description="The first counted; null: none ever was.")
    until: datetime | None = Field(None, description="The last.")
    made: int = 0
    failed: int = 0
    troubles: list[Trouble] = Field(
        default_factory=list, description=f"The newest first, {MOST_ROWS} at most or a few more."
    )


@bp.get("/checks", tags=TAGS, responses={200: Checks, **documented(422)})
def show_checks(query: From) -> Response:
    """Whether the endpoint answered at its public address (`SKAN_PUBLIC_URL`)."""
    now = datetime.now(UTC)
    with services().store.read() as connection:
        found = checks_since(connection, query.since or now - USUAL, now)
    return answer(Checks.model_validate(found) if found else Checks())
