"""`/events/erase`: a person taken out of everything that is stored."""

from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from skan_receiver.mmp.personal import masked
from skan_receiver.storage.erasure import erase
from skan_receiver.storage.persons import Asked, Named
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.problems import documented
from skan_receiver.web.services import services

log = structlog.get_logger("erasure")

TAGS: list[Tag | dict[str, Any]] = [Tag(name="events")]


class Erasing(BaseModel):
    """Who is to be erased."""

    model_config = ConfigDict(extra="forbid")

    name: Literal[
        "device_id",
        "idfa",
        "idfv",
        "gaid",
        "android_id",
        "customer_user_id",
        "mmp_user_id",
        "click_id",
    ] = Field(description="Which identifier; `device_id`: of whatever kind.")
    value: str = Field(min_length=1, max_length=1000, pattern=r"\S")


class Followed(BaseModel):
    """An identifier that is known together with it."""

    name: str
    value: str = Field(description="Its first letters.")


class ErasedPerson(BaseModel):
    """What went."""

    erased: dict[str, int] = Field(description="How many rows, by what they were.")
    followed: list[Followed] = Field(description="Rows with any of these went, too.")
    shared: list[Followed] = Field(description="Many devices have these: they were not followed.")
    scrubbed: bool = Field(
        description="False: a reader keeps SQLite's log from being emptied. Ask again."
    )
    at: datetime


@bp.post(
    "/events/erase", tags=TAGS, responses={200: ErasedPerson, **documented(400, 413, 415, 422)}
)
def erase_person(body: Erasing) -> Response:
    """Erase a person everywhere. What is told again of the time before is dropped from now on.

    Wants the scope `admin`. In pieces, so it may take a while; where no answer came, ask again.
    """
    asked = Asked(body.name, body.value.strip())
    erased = erase(services().store, services().settings, asked)
    log.info("erased", rows=dict(+erased.rows), scrubbed=erased.is_scrubbed)
    told = ErasedPerson(
        erased=dict(+erased.rows),
        followed=_masked(erased.person.followed),
        shared=_masked(erased.person.shared),
        scrubbed=erased.is_scrubbed,
        at=datetime.now(UTC),
    )
    return answer(told)


def _masked(named: tuple[Named, ...]) -> list[Followed]:
    return [Followed(name=name, value=masked(value)) for name, value in named]
