"""`/verify`: what a body is, without storing it."""

from datetime import UTC, datetime
from typing import Any

from flask import request
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from skan_receiver.protocol import Examination, Framework, Postback, examine
from skan_receiver.storage.meanings import Readings, meanings
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import Signed, Unsigned, base64
from skan_receiver.web.api.problems import documented, problem
from skan_receiver.web.body import BadBody, read_body
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="postbacks")]


class Examined(BaseModel):
    """What there is to say of a body."""

    verdict: str = Field(description="valid, development, invalid, unverifiable or malformed.")
    framework: Framework | None
    version: str | None
    key_id: str
    reason: str = Field(description="Why it is not good; empty if it is.")
    signed_message: str | None = Field(description="The bytes under the signature, base64.")
    signed: Signed | None
    unsigned: Unsigned | None
    flags: list[str]
    meanings: list[dict[str, Any]] = Field(
        description="By the versions of the app's schema that can have been in force, if it "
        "arrived now."
    )


@bp.post(
    "/verify",
    tags=TAGS,
    responses={200: Examined, **documented(400, 413)},
    request_body={
        "description": "A postback, exactly as Apple sent it. At most 16 KiB.",
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
)
def verify() -> Response:
    """Say of a postback whether Apple signed it. Stores nothing."""
    try:
        body = read_body(request.environ)
    except BadBody as fault:
        return problem(fault.status, str(fault))
    return answer(_examined(examine(body, services().keys)))


def _examined(found: Examination) -> Examined:
    postback = found.postback
    readings = _read(postback) if postback else ()
    fields = {name: getattr(postback, name) for name in postback.__slots__} if postback else {}
    fields["postback_id"] = fields.pop("id", None)
    return Examined(
        verdict=found.verdict,
        framework=found.framework,
        version=found.version,
        key_id=found.key_id,
        reason=found.reason,
        signed_message=base64(postback.signature.message) if postback else None,
        signed=Signed.model_validate(fields) if postback else None,
        unsigned=Unsigned.model_validate(fields) if postback else None,
        flags=list(postback.flags) if postback else [],
        meanings=[reading.as_dict() for reading in readings],
    )


def _read(postback: Postback) -> Readings:
    with services().store.read() as connection:
        return meanings(connection, postback, datetime.now(UTC))
