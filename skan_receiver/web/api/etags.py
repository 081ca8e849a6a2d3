"""`If-Match`: changing something only where nobody did meanwhile. Our tags are numbers.

`If-None-Match`: hearing of one thing only where it is another than it was.
"""

import re

from flask import request
from flask.wrappers import Response

NONE_OF_OURS = -1


def number_seen() -> int | None:
    """The number that the caller looked at; None where it does not say, or says any.

    A proxy that compresses makes our tag a weak one, or adds to it; one we never gave is of no
    number there is.
    """
    if not request.if_match or request.if_match.star_tag:
        return None
    tags = request.if_match.as_set(include_weak=True)
    found = re.fullmatch(r"(\d{1,9})(-\w+)?", next(iter(tags), ""))
    return int(found[1]) if found and len(tags) == 1 else NONE_OF_OURS


def tagged(response: Response) -> Response:
    """Give what is told of one thing a hash as its ETag; 304 where the caller has it already.

    What has a number keeps that, and no 304: the number is of what was written, and more is told
    than that, such as what is owed by now.
    """
    asked = request.method == "GET" and request.view_args and response.status_code == 200
    if asked and "ETag" not in response.headers:
        response.add_etag()
        response.make_conditional(request)
    return response
