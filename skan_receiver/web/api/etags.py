"""`If-Match`: changing something only where nobody did meanwhile. Our tags are numbers."""

import re

from flask import request

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
