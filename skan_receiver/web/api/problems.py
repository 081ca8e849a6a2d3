"""Every error of the API in one form: application/problem+json (RFC 9457)."""

from http import HTTPStatus

from flask import make_response, request
from flask.wrappers import Response
from flask_openapi.models import OPENAPI3_REF_PREFIX
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException

from skan_receiver.errors import StoreUnavailable
from skan_receiver.web.headers import harden

PROBLEM = "application/problem+json"


class Fault(BaseModel):
    """One thing wrong with a request."""

    where: str = Field(description="The parameter at fault.")
    what: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was not answered."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    type: str = Field("about:blank", description="`about:blank`: the status says what kind.")
    title: str = Field(description="The status, in words.")
    status: int
    detail: str = Field("", description="What was wrong this time, and what to do.")
    errors: list[Fault] = Field(default_factory=list)


def problem(
    status: int, detail: str = "", *, errors: list[Fault] | None = None, **headers: str
) -> Response:
    """An answer that says what is wrong."""
    title = HTTPStatus(status).phrase
    body = Problem(title=title, status=status, detail=detail, errors=errors or [])
    response = Response(body.model_dump_json(), status, mimetype=PROBLEM)
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def documented(*statuses: int) -> ResponseDict:
    """These statuses, for the specification."""
    schema = {"schema": {"$ref": f"{OPENAPI3_REF_PREFIX}/{Problem.__name__}"}}
    content = {"content": {PROBLEM: schema}}
    return {
        status: {"description": HTTPStatus(status).phrase, **(content if status >= 400 else {})}
        for status in statuses
    }


def invalid(error: ValidationError) -> Response:
    """Parameters that are not what the specification says."""
    faults = [
        Fault(where=".".join(map(str, fault["loc"])), what=fault["msg"]) for fault in error.errors()
    ]
    return faulty(faults)


def faulty(faults: list[Fault]) -> Response:
    """What is wrong with each of several."""
    return problem(422, "; ".join(f"{one.where}: {one.what}" for one in faults), errors=faults)


def refused(error: HTTPException) -> Response:
    """What HTTP itself refuses, anywhere: no such path, no such method, no key.

    Below /api as a problem. A path that does not exist is in no blueprint, so it is here that
    its answer gets its headers.
    """
    if not request.path.startswith("/api/") or error.code is None:
        return harden(make_response(error))
    response = problem(error.code, error.description or "")
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return harden(response)


def unavailable(_error: StoreUnavailable) -> Response:
    """The database does not answer; its own words are for the log, not for callers."""
    return problem(503, "The store is not available. Try again shortly.", Retry_After="5")
