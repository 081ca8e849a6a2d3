"""`Idempotency-Key`: a call that changes something can be sent again, and is carried out once."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO

from flask import g, request
from flask.wrappers import Response

from skan_receiver.storage.idempotency import (
    Answered,
    OtherCall,
    Unanswered,
    keep,
    release,
    reserve,
)
from skan_receiver.web.api.problems import problem
from skan_receiver.web.services import services

HEADER = "Idempotency-Key"
NAME = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = ("Content-Type", "ETag", "Location")

# Answers that hold what is shown once: never kept.
SECRET = {"api.create_key", "api.add_user", "api.link_user"}


def before() -> Response | None:
    """The answer that the call had, or why it is not carried out; None: it is to be."""
    if (name := request.headers.get(HEADER)) is None:
        return None
    if not NAME.fullmatch(name):
        return problem(422, f"{HEADER}: up to 255 characters of ASCII that can be seen")
    body = request.get_data(cache=True)
    # A view that takes bytes as they were sent reads them from here.
    request.environ["wsgi.input"] = BytesIO(body)
    told = (request.method, request.full_path, sha256(body).hexdigest())
    fingerprint = sha256("\n".join(told).encode(errors="surrogatepass")).hexdigest()
    try:
        known = reserve(services().store, g.grant.id, name, fingerprint, datetime.now(UTC))
    except OtherCall as error:
        return problem(422, f"{HEADER}: {error}")
    except Unanswered as error:
        return problem(409, f"{HEADER}: {error}", Retry_After="1")
    if known is None:
        g.idempotent = name
        return None
    answer = Response(known.body, known.status, dict(known.headers))
    answer.headers["Idempotent-Replayed"] = "true"
    return answer


def after(response: Response) -> Response:
    """Keep the answer of a call that was carried out; one that was not can be sent again."""
    if (name := g.pop("idempotent", None)) is None:
        return response
    if response.status_code >= 400:
        release(services().store, g.grant.id, name)
        return response
    kept = response
    if request.endpoint in SECRET:
        kept = problem(409, "this was done already; what it made is shown once, and not kept")
    headers = {name: kept.headers[name] for name in KEPT_HEADERS if name in kept.headers}
    keep(services().store, g.grant.id, name, Answered(kept.status_code, headers, kept.get_data()))
    return response
