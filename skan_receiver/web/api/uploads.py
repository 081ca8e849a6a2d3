"""`/uploads`: what is in a log, without storing it; and importing it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import request
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from skan_receiver.logfile import BrokenFile
from skan_receiver.rehearsal import SHOWN
from skan_receiver.web import uploads
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.body import BadBody, save_body

TAGS: list[Tag | dict[str, Any]] = [Tag(name="postbacks")]

FILE: Any = {
    "description": "One postback a line, gzipped or not, at most 64 MB: a body as Apple sent it, "
    'or `{"received_at": …, "endpoint": …, "body": <base64>}`.',
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


class CalledFile(BaseModel):
    """What a file is called."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        "", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="For the audit log."
    )


class Unread(BaseModel):
    """A line that is no postback as far as we can read it."""

    line: int
    reason: str


class Reason(BaseModel):
    """Why postbacks are not good."""

    verdict: str
    reason: str
    lines: int


class Meant(BaseModel):
    """What a value says, by the schema that was in force when it came."""

    app_id: int
    window: int
    value: str = Field(description="Fine or coarse; a dash where there is none.")
    meaning: str
    lines: int


class FileLine(BaseModel):
    """A line that is a postback."""

    line: int
    postback_id: str
    verdict: str
    known: bool = Field(description="It is stored already.")
    repeated: bool = Field(description="It is further up in the file too.")
    meaning: str


class LookedInto(BaseModel):
    """What is in a file, and what importing it would do. Lists end after 200."""

    lines: int
    postbacks: int
    new: int = Field(description="What importing it would store.")
    known: int = Field(description="Stored already.")
    repeated: int = Field(description="In the file more than once.")
    quarantined: int = Field(description="JSON that we cannot read, and would keep as it is.")
    refused: int = Field(description="Lines that would not be kept.")
    verdicts: dict[str, int]
    reasons: list[Reason]
    unreadable: list[Unread]
    apps: dict[str, int]
    networks: dict[str, int]
    not_ours: list[str] = Field(description="Apps and ad networks that are not registered.")
    meanings: list[Meant]
    first: list[FileLine]
    is_whole: bool = Field(description="False: only the first 200,000 lines were looked at.")


class ImportedFile(BaseModel):
    """What became of a file."""

    lines: int
    outcomes: dict[str, int] = Field(
        description="How many lines were stored, duplicate, conflict, collision, quarantined, "
        "dropped, refused, or imported_before."
    )
    refused: list[Unread] = Field(description="The first 200.")


@bp.post(
    "/uploads/check",
    tags=TAGS,
    request_body=FILE,
    responses={200: LookedInto, **documented(400, 413, 422)},
)
def check_upload() -> Response:
    """Say what is in a file of postbacks: valid, invalid and why, duplicates, what values mean.
    Stores nothing."""
    return _with_file(lambda path: LookedInto.model_validate(uploads.looked_into(path).as_dict()))


@bp.post(
    "/uploads",
    tags=TAGS,
    request_body=FILE,
    responses={200: ImportedFile, **documented(400, 409, 413, 422)},
)
def import_upload(query: CalledFile) -> Response:
    """Import a file of postbacks: a line that is here already changes nothing. Imports are owed to
    no destination that does not ask for them."""
    return _with_file(lambda path: _imported(path, query.name))


def _with_file(work: Callable[[Path], BaseModel]) -> Response:
    """The body as a file, for as long as `work` takes."""
    path = uploads.new()
    try:
        save_body(request.environ, path, uploads.LARGEST)
        return answer(work(path))
    except BadBody as fault:
        return problem(fault.status, str(fault))
    except BrokenFile as fault:
        return problem(422, f"body: {fault}", errors=[Fault(where="body", what=str(fault))])
    finally:
        uploads.forget(path)


def _imported(path: Path, name: str) -> ImportedFile:
    done = uploads.imported(path, name)
    refused = [Unread(line=line, reason=why) for line, why in done.faults[:SHOWN]]
    return ImportedFile(lines=done.lines, outcomes=dict(done.outcomes), refused=refused)
